// What a vocabulary cannot do is said where the file is opened: by plan and inspect as by load.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "engine/engine.h"
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
