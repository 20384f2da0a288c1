#include "text/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace text {
namespace {

using base::Json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Json byte_level() {
    return Json::parse(R"({
      "added_tokens": [{"id": 260, "content": "<|end|>", "special": true, "lstrip": false, "rstrip": false, "single_word": false, "normalized": false},
                       {"id": 261, "content": "<think>", "special": false, "normalized": false}],
      "normalizer": {"type": "NFC"},
      "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}"}, "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}]},
      "post_processor": {"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [260], "tokens": ["<|end|>"]}}},
      "decoder": {"type": "ByteLevel"},
      "model": {"type": "BPE", "dropout": null, "unk_token": null, "ignore_merges": false,
                "vocab": {"a": 0, "b": 1, "ab": 2, "1": 3, "Ġ": 4, "Ã": 5, "©": 6}, "merges": ["a b"]}})");
}

base::Result<Vocabulary> read(const Json& json) { return read_tokenizer_json(json.dump(), "m/tokenizer.json"); }

TEST(TokenizerJson, ReadsByteLevelPairs) {
    auto v = read(byte_level());
    ASSERT_TRUE(v.ok()) << v.error().text();
    EXPECT_EQ(v->kind, Vocabulary::Kind::bpe);
    EXPECT_EQ(v->bos, 260);
    EXPECT_TRUE(v->add_bos);
    EXPECT_FALSE(v->add_eos);
    EXPECT_EQ(v->types[260], TokenType::control);
    EXPECT_EQ(v->types[261], TokenType::user_defined);
    EXPECT_EQ(v->types[100], TokenType::unused);
    const auto t = Tokenizer::create(*std::move(v)).value();
    EXPECT_THAT(t->encode("ab<|end|>1111e\xCC\x81", true), ElementsAre(2, 260, 3, 3, 3, 3, 5, 6));
    EXPECT_THAT(t->encode("a<|end|>", false), ElementsAre(0)) << "the vocabulary lacks the other characters";
}

TEST(TokenizerJson, ReadsTheSmallConfiguration) {
    auto v = read(byte_level()).value();
    ASSERT_TRUE(apply_tokenizer_config(v, R"({"eos_token": {"content": "<|end|>"}, "bos_token": null, "pad_token": "a", "add_bos_token": false})", "c.json"));
    EXPECT_EQ(v.eos, 260);
    EXPECT_EQ(v.padding, 0);
    EXPECT_FALSE(v.add_bos);
    const auto refused = apply_tokenizer_config(v, R"({"eos_token": "</none>"})", "c.json");
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, AllOf(HasSubstr("c.json"), HasSubstr("eos_token"), HasSubstr("</none>")));
}

TEST(TokenizerJson, ReadsCharacterPairsWithBytes) {
    Json file = byte_level();
    file["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}, {"prepend", "▁"}}, {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}}}};
    file["pre_tokenizer"] = nullptr;
    file["post_processor"] = nullptr;
    file["added_tokens"] = Json::array();
    file["decoder"] = Json::parse(R"({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})");
    file["model"] = Json::parse(R"({"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
        "vocab": {"<unk>": 0, "<0xC3>": 1, "<0xA9>": 2, "▁": 3, "a": 4, "▁a": 5}, "merges": [["▁", "a"]]})");
    auto v = read(file);
    ASSERT_TRUE(v.ok()) << v.error().text();
    EXPECT_EQ(v->kind, Vocabulary::Kind::character_bpe);
    const auto t = Tokenizer::create(*std::move(v)).value();
    EXPECT_THAT(t->encode("a aé", false), ElementsAre(5, 5, 1, 2));
    EXPECT_THAT(t->encode("a??", false), ElementsAre(5, 0)) << "unknown ones are one";
    EXPECT_EQ(t->decode(std::vector<TokenId>{5, 5, 1, 2}), "a aé");
    EXPECT_EQ(t->bytes(5), " a");
}

TEST(TokenizerJson, ReadsUnigramAndMetaspace) {
    Json file = byte_level();
    file["normalizer"] = nullptr;
    file["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}, {"split", true}};
    file["decoder"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}};
    file["post_processor"] = nullptr;
    file["added_tokens"] = Json::parse(R"([{"id": 0, "content": "<unk>", "special": true}, {"id": 4, "content": "<s>", "special": true}])");
    file["model"] = Json::parse(R"({"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["▁", -2], ["a", -3], ["▁a", -4]]})");
    auto v = read(file);
    ASSERT_TRUE(v.ok()) << v.error().text();
    const auto t = Tokenizer::create(*std::move(v)).value();
    EXPECT_THAT(t->encode("a a<s>a", true), ElementsAre(3, 3, 4, 2));
    EXPECT_THAT(t->encode("a<s>", false), ElementsAre(3, 0));
    EXPECT_EQ(t->decode(std::vector<TokenId>{3, 3}), "a a");
}

TEST(TokenizerJson, ReadsWordPiece) {
    Json file = byte_level();
    file["normalizer"] = {{"type", "BertNormalizer"}, {"clean_text", true}, {"handle_chinese_chars", true}, {"strip_accents", nullptr}, {"lowercase", true}};
    file["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    file["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
    file["added_tokens"] = Json::parse(R"([{"id": 0, "content": "[UNK]", "special": true}, {"id": 1, "content": "[CLS]", "special": true}, {"id": 2, "content": "[SEP]", "special": true}])");
    file["post_processor"] = Json::parse(R"({"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]})");
    file["model"] = Json::parse(R"({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "cafe": 3, "##s": 4, ",": 5}})");
    auto v = read(file);
    ASSERT_TRUE(v.ok()) << v.error().text();
    EXPECT_EQ(v->bos, 1);
    EXPECT_EQ(v->eos, 2);
    EXPECT_TRUE(v->add_bos && v->add_eos);
    const auto t = Tokenizer::create(*std::move(v)).value();
    EXPECT_THAT(t->encode("Cafés, x", false), ElementsAre(3, 4, 5, 0));
    EXPECT_EQ(t->decode(std::vector<TokenId>{3, 4, 5, 3}), "cafes, cafe");
}

struct Bad {
    const char* at;     // JSON pointer
    const char* value;
    const char* key;    // what the message names
    const char* found;
    base::Code code;
};

TEST(TokenizerJson, WhatItDoesNotDoIsRefusedByKeyAndText) {
    using base::Code;
    const Bad bad[] = {
        {"/model/type", R"("WordLevel")", "model.type", "WordLevel", Code::unsupported},
        {"/model/vocab/a", "-1", "model.vocab.a", "-1", Code::corrupt},
        {"/model/vocab/a", "4000000000", "model.vocab.a", "4000000000", Code::corrupt},
        {"/model/vocab/a", "1", "model.vocab", "\"a\"", Code::corrupt},
        {"/model/vocab", "[]", "model.vocab", "[]", Code::corrupt},
        {"/model/merges", "{}", "model.merges", "{}", Code::corrupt},
        {"/model/merges/0", "7", "model.merges[0]", "7", Code::corrupt},
        {"/model/merges/0", R"(["a"])", "model.merges[0]", "[\"a\"]", Code::corrupt},
        {"/model/merges/0", R"(["a b", "c"])", "model.merges[0]", "a b", Code::unsupported},
        {"/model/unk_token", R"("<unk>")", "model.unk_token", "<unk>", Code::corrupt},
        {"/model/dropout", "0.1", "model.dropout", "0.1", Code::unsupported},
        {"/model/end_of_word_suffix", R"("</w>")", "model.end_of_word_suffix", "</w>", Code::unsupported},
        {"/normalizer/type", R"("Nmt")", "normalizer.type", "Nmt", Code::unsupported},
        {"/normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "AAAA"})", "normalizer.precompiled_charsmap", "AAAA", Code::corrupt},
        {"/normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "!"})", "normalizer.precompiled_charsmap", "base64", Code::corrupt},
        {"/normalizer", R"({"type": "Replace", "pattern": {"Regex": " {3,}"}, "content": " "})", "normalizer.pattern", " {3,}", Code::unsupported},
        {"/pre_tokenizer/pretokenizers/0/pattern/Regex", R"j("\\w+(?=a)")j", "pre_tokenizer.pretokenizers[0].pattern.Regex", "w+(?=a)", Code::unsupported},
        {"/pre_tokenizer/pretokenizers/0/behavior", R"("Sideways")", "pre_tokenizer.pretokenizers[0].behavior", "Sideways", Code::corrupt},
        {"/pre_tokenizer/pretokenizers/0/type", R"("UnicodeScripts")", "pre_tokenizer.pretokenizers[0].type", "UnicodeScripts", Code::unsupported},
        {"/decoder", R"({"type": "CTC"})", "decoder", "CTC", Code::unsupported},
        {"/decoder", "null", "decoder.type", "missing", Code::corrupt},
        {"/added_tokens/0/id", "99999999", "added_tokens[0].id", "99999999", Code::corrupt},
        {"/added_tokens/0/content", "3", "added_tokens[0].content", "3", Code::corrupt},
        {"/added_tokens/0/id", "2", "added_tokens[0]", "ab", Code::corrupt},
        {"/post_processor/special_tokens/<|end|>/ids/0", "9999", "ids[0]", "9999", Code::corrupt},
        {"/post_processor/type", R"("Unknown")", "post_processor.type", "Unknown", Code::unsupported},
    };
    for (const Bad& b : bad) {
        Json file = byte_level();
        file[Json::json_pointer(b.at)] = Json::parse(b.value);
        const auto v = read(file);
        ASSERT_FALSE(v.ok()) << b.at << " " << b.value;
        EXPECT_THAT(v.error().message, AllOf(HasSubstr("m/tokenizer.json"), HasSubstr(b.key), HasSubstr(b.found))) << b.at << " " << b.value;
        EXPECT_EQ(v.error().code, b.code) << b.at << " " << v.error().message;
    }
}

TEST(TokenizerJson, DamagedFilesAreNeverRead) {
    EXPECT_FALSE(read_tokenizer_json("", "t").ok());
    EXPECT_FALSE(read_tokenizer_json("[1]", "t").ok());
    EXPECT_FALSE(read_tokenizer_json("{}", "t").ok());
    const std::string whole = byte_level().dump();
    for (std::size_t size = 0; size < whole.size(); size += 7) EXPECT_FALSE(read_tokenizer_json(whole.substr(0, size), "t").ok()) << size;
    // Any one value replaced by another kind of value: refused or read, never worse.
    const Json flat = byte_level().flatten();
    for (const auto& [pointer, value] : flat.items())
        for (const char* other : {"null", "[]", "{}", "-1", "1e300", "\"\"", "true"}) {
            Json file = byte_level();
            file[Json::json_pointer(pointer)] = Json::parse(other);
            if (auto v = read(file); v.ok()) (void)Tokenizer::create(*std::move(v));
        }
}

}  // namespace
}  // namespace text
