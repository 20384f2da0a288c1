// What a vocabulary cannot do is said where the file is opened: by plan and inspect as by load.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "engine/engine.h"
#include "engine/model/gguf_file.h"
#include "support/fixtures.h"

using namespace engine;
using testing::HasSubstr;

namespace {

struct VocabularyTest : testing::Test {
    support::TempDir folder;
    std::string bytes = support::read_text(support::data_dir() / "models/llama_tied.gguf");
    std::filesystem::path file = folder.path() / "changed.gguf";

    // `text` in place of what lies `skip` bytes after the end of `key`.
    void change(const std::string& key, std::size_t skip, const std::string& text) {
        const auto at = bytes.find(key);
        ASSERT_NE(at, bytes.npos);
        bytes.replace(at + key.size() + skip, text.size(), text);
    }
    void expect_refusal(base::Code code, const std::string& words, const std::string& remedy) {
        std::ofstream(file, std::ios::binary) << bytes;
        const auto expect = [&](const char* who, const base::Error& error) {
            EXPECT_EQ(error.code, code) << who;
            EXPECT_THAT(error.message, HasSubstr(file.string())) << who;
            EXPECT_THAT(error.message, HasSubstr(words)) << who;
            EXPECT_THAT(error.remedy, HasSubstr(remedy)) << who;
        };
        const auto plan = Engine::plan({.path = file});
        const auto info = Engine::inspect(file);
        const auto engine = Engine::load({.path = file, .threads = 1});
        ASSERT_FALSE(plan || info || engine);
        expect("plan", plan.error());
        expect("inspect", info.error());
        expect("load", engine.error());
    }
};

}  // namespace

TEST_F(VocabularyTest, TheUnchangedFileIsTaken) {
    std::ofstream(file, std::ios::binary) << bytes;
    EXPECT_TRUE(Engine::plan({.path = file}));
    EXPECT_TRUE(Engine::inspect(file));
}

// A file that is a vocabulary of unigrams alone, against sentencepiece.
TEST(Vocabulary, UnigramsOfAGgufGiveSentencePiecesIds) {
    const auto gguf = Gguf::open(support::data_dir() / "tokenizers/rules.gguf");
    ASSERT_TRUE(gguf) << gguf.error().message;
    auto vocabulary = read_vocabulary(**gguf);
    ASSERT_TRUE(vocabulary) << vocabulary.error().message;
    EXPECT_TRUE(vocabulary->add_eos);
    const auto tokenizer = text::Tokenizer::create(*std::move(vocabulary));
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    const auto cases = base::Json::parse(support::read_text(support::data_dir() / "tokenizers/cases.json"));
    ASSERT_GT(cases.size(), 400u);
    int same = 0;  // but for the ties that sentence_piece_test tells of
    for (const base::Json& one : cases) same += (*tokenizer)->encode(one["text"].get<std::string>(), false) == one["rules"].get<std::vector<TokenId>>();
    EXPECT_GE(same, int(cases.size()) - 3);
}

TEST_F(VocabularyTest, AnUnknownPreTokenizerIsNamed) {
    change("tokenizer.ggml.pre", 4 + 8, "gpt-9");
    expect_refusal(base::Code::unsupported, "\"gpt-9\" is not known", "tokenizer.ggml.pre");
}

TEST_F(VocabularyTest, AMergeWithoutTwoPartsIsNamed) {
    const std::string key = "tokenizer.ggml.merges";
    const auto first = bytes.find(key) + key.size() + 4 + 4 + 8;  // type, element type, count
    const auto space = bytes.find(' ', first + 8);
    ASSERT_LT(space, first + 40);
    bytes[space] = 'x';
    expect_refusal(base::Code::corrupt, "merge 0 is", "damaged");
}

TEST_F(VocabularyTest, MoreTokensThanEmbeddingsAreCounted) {
    change("token_embd.weight", 4 + 8, std::string("\xa0\0\0\0\0\0\0\0" "\0\0\0\0", 12));  // 320 of F16 → 160 of F32
    expect_refusal(base::Code::corrupt, "tokens but embeddings of only 160", "damaged");
}

namespace {

// The ids and texts that tokenizer.json's own library gives, from the GGUF beside it. Returns the texts that differ.
std::vector<std::string> different(const text::Tokenizer& t, const base::Json& golden) {
    std::vector<std::string> out;
    for (const auto& row : golden["texts"]) {
        const auto text = row["text"].get<std::string>();
        const auto want = row["ids"].get<std::vector<text::TokenId>>();
        auto got = t.encode(text, true);
        if (t.vocabulary().kind == text::Vocabulary::Kind::word_piece) {  // its rows come with the tokens around the text
            got.insert(got.begin(), t.vocabulary().bos);
            got.push_back(t.vocabulary().eos);
        }
        if (got != want || t.decode(want, true) != row["decoded"]) out.push_back(text);
    }
    return out;
}

}  // namespace

TEST(VocabularyGolden, EveryFamilyFromGguf) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints: set HEARTH_GOLDEN";
    int files = 0;
    for (const auto& folder : std::filesystem::directory_iterator(*golden)) {
        for (const char* name : {"model-f16.gguf", "model.gguf"}) {
            const auto file = folder.path() / name;
            if (!std::filesystem::exists(file) || !std::filesystem::exists(folder.path() / "golden_tokenizer.json")) continue;
            const auto expected = base::Json::parse(support::read_text(folder.path() / "golden_tokenizer.json"));
            const auto gguf = Gguf::open(file);
            if (!gguf && gguf.error().code == base::Code::unsupported) {  // of a tensor type that this engine does not run
                std::printf("%s: not opened: %s\n", folder.path().filename().c_str(), gguf.error().message.c_str());
                continue;
            }
            ASSERT_TRUE(gguf) << file << ": " << gguf.error().text();
            // This GGUF names the pre-tokenizer qwen2, and the tokenizer.json beside it splits as GPT-2 does.
            if (folder.path().filename() == "gpt_oss_mxfp4") continue;
            auto vocabulary = read_vocabulary(**gguf);
            ASSERT_TRUE(vocabulary) << file << ": " << vocabulary.error().text();
            const auto t = text::Tokenizer::create(*vocabulary);
            ASSERT_TRUE(t) << file << ": " << t.error().text();
            const auto missed = different(**t, expected);
            std::printf("%s: %zu of %zu\n", folder.path().filename().c_str(), expected["texts"].size() - missed.size(), expected["texts"].size());
            EXPECT_TRUE(missed.empty()) << file << ": " << testing::PrintToString(missed);
            ++files;
            // Without the normalization that the file does not mention, the rows on which llama.cpp differs are those that differ.
            if (vocabulary->kind != text::Vocabulary::Kind::bpe) continue;
            vocabulary->normalizer.emplace();
            EXPECT_EQ(different(*text::Tokenizer::create(*vocabulary).value(), expected),
                      expected.value("llama_cpp_differs_on", std::vector<std::string>{})) << file;
        }
    }
    EXPECT_GT(files, 20);
}
