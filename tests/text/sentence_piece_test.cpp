// tokenizer.model against sentencepiece itself, and the same vocabulary in tokenizer.json against Hugging Face's tokenizers.
#include "text/sentence_piece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "support/fixtures.h"
#include "text/charsmap.h"
#include "text/tokenizer_json.h"

namespace text {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string file(const char* name) { return support::read_text(support::data_dir() / "tokenizers" / name); }

const base::Json& cases() {
    static const base::Json all = base::Json::parse(file("cases.json"));
    return all;
}

// `ties`: texts whose best spellings score alike; sentencepiece, which adds in single precision, may take another one of the same tokens.
void expect_ids(base::Result<Vocabulary> vocabulary, const char* recorded, int ties = 0) {
    ASSERT_TRUE(vocabulary) << vocabulary.error().message;
    const auto tokenizer = Tokenizer::create(*std::move(vocabulary));
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    ASSERT_GT(cases().size(), 400u);
    for (const base::Json& one : cases()) {
        const auto text = one["text"].get<std::string>();
        const auto found = (*tokenizer)->encode(text, false), expected = one[recorded].get<std::vector<TokenId>>();
        if (found != expected && ties > 0 && std::ranges::is_permutation(found, expected)) --ties;
        else EXPECT_EQ(found, expected) << one["text"];
    }
}

TEST(SentencePiece, UnigramsGiveItsIds) { expect_ids(read_sentence_piece(file("nmt_nfkc.model"), "m"), "nmt_nfkc", 3); }
TEST(SentencePiece, PairsGiveItsIds) { expect_ids(read_sentence_piece(file("bpe.model"), "m"), "bpe"); }
TEST(SentencePiece, RulesOfItsOwnGiveItsIds) { expect_ids(read_sentence_piece(file("rules.model"), "m"), "rules", 3); }
TEST(TokenizerJson, ACharsmapGivesTheIdsOfTokenizers) { expect_ids(read_tokenizer_json(file("rules.json"), "m"), "tokenizers"); }

TEST(SentencePiece, TellsItsSpecialTokensAndDecodes) {
    auto vocabulary = read_sentence_piece(file("bpe.model"), "m");
    ASSERT_TRUE(vocabulary);
    EXPECT_EQ(vocabulary->kind, Vocabulary::Kind::spm);
    EXPECT_EQ(vocabulary->unknown, 0);
    EXPECT_EQ(vocabulary->bos, 1);
    EXPECT_EQ(vocabulary->eos, 2);
    EXPECT_EQ(vocabulary->padding, -1);
    EXPECT_TRUE(vocabulary->add_bos);
    const auto tokenizer = Tokenizer::create(*std::move(vocabulary));
    for (const char* text : {"the quick", "  two", "中\U0001F600", "a\n b"}) EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(text, false)), text);
    EXPECT_EQ((*tokenizer)->encode("</s>", true), (std::vector<TokenId>{2}));
    EXPECT_NE((*tokenizer)->encode("</s>", false), (std::vector<TokenId>{2}));
}

TEST(SentencePiece, TokensBeyondItAreThoseOfTokenizerConfig) {
    auto vocabulary = read_sentence_piece(file("bpe.model"), "m");
    ASSERT_TRUE(vocabulary);
    const int size = int(vocabulary->tokens.size());
    const std::string config = R"({"eos_token": "<|im_end|>", "added_tokens_decoder": {")" + std::to_string(size + 1) + R"(": {"content": "<|im_end|>", "special": true}, "2": {"content": "</s>", "special": true}}})";
    ASSERT_TRUE(apply_tokenizer_config(*vocabulary, config, "c"));
    EXPECT_EQ(vocabulary->tokens.size(), std::size_t(size) + 2);
    EXPECT_EQ(vocabulary->eos, size + 1);
    const auto tokenizer = Tokenizer::create(*std::move(vocabulary));
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ((*tokenizer)->encode("<|im_end|>", true), (std::vector<TokenId>{size + 1}));
}

TEST(SentencePiece, DamagedOnesAreRefusedByName) {
    const std::string whole = file("bpe.model");
    for (const std::string& bytes : {std::string(), std::string("\x0A\xFF"), whole.substr(0, whole.size() - 3), std::string(40, '\xFF')}) {
        const auto refused = read_sentence_piece(bytes, "m/tokenizer.model");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, base::Code::corrupt);
        EXPECT_THAT(refused.error().message, HasSubstr("m/tokenizer.model"));
    }
    // A piece "a", and a trainer_spec that says model_type 3.
    const auto words = read_sentence_piece(std::string("\x0A\x03\x0A\x01" "a" "\x12\x02\x18\x03", 9), "m");
    ASSERT_FALSE(words);
    EXPECT_THAT(words.error().message, AllOf(HasSubstr("type 3"), HasSubstr("unigram")));
}

TEST(Charsmap, OnesThatPointOutsideThemselvesGiveNothing) {
    EXPECT_FALSE(Charsmap::read("abc").ok());
    EXPECT_FALSE(Charsmap::read(std::string("\x08\0\0\0abcd", 8)).ok());
    EXPECT_FALSE(Charsmap::read(std::string("\0\0\0\0abcd", 8)).ok());
    // Every unit says: goes on and has a value; far beyond the array, or at once.
    for (const char* unit : {"\xFF\xFF\xFF\xFF", "\x61\x05\0\0"}) {
        std::string bytes("\x10\0\0\0", 4);
        for (int i = 0; i < 4; ++i) bytes.append(unit, 4);
        const auto map = Charsmap::read(bytes + "no end");
        ASSERT_TRUE(map.ok());
        (*map)->apply("abcabc\xFF");
        (*map)->apply_by_cluster("abcabc\xFF");
    }
}

TEST(Charsmap, AReplacementIsShort) {
    const std::string array("\x04\0\0\0\0\0\0\0", 8);
    EXPECT_TRUE(Charsmap::read(array + std::string(256, 'a') + '\0' + std::string(256, 'b')).ok());
    const auto refused = Charsmap::read(array + "a" + '\0' + std::string(257, 'b'));
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("at most 256 bytes"));
}

TEST(Charsmap, Base64) {
    EXPECT_EQ(from_base64("aGVhcnRo"), "hearth");
    EXPECT_EQ(from_base64("aGVhcnQ="), "heart");
    EXPECT_EQ(from_base64("aGVhcg=="), "hear");
    EXPECT_EQ(from_base64(""), "");
    EXPECT_FALSE(from_base64("a b"));
}

}  // namespace
}  // namespace text
