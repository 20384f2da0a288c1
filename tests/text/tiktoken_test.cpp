// tiktoken.model against tiktoken itself.
#include "text/tiktoken.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "support/fixtures.h"
#include "text/tokenizer_json.h"

namespace text {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string file(const char* name) { return support::read_text(support::data_dir() / "tokenizers" / name); }

base::Result<Vocabulary> read(const std::string& content) { return read_tiktoken(content, "TikTokenTokenizer", "tiktoken.model"); }

TEST(Tiktoken, GivesItsIdsAndItsTextBack) {
    const auto tokenizer = Tokenizer::create(read(file("tiktoken.model")).value());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    const auto cases = base::Json::parse(file("tiktoken.json"));
    ASSERT_GT(cases.size(), 300u);
    std::size_t longest = 0;
    for (const auto& one : cases) {
        const auto text = one["text"].get<std::string>();
        const auto ids = (*tokenizer)->encode(text, false);
        EXPECT_EQ(ids, one["ids"].get<std::vector<TokenId>>()) << text;
        EXPECT_EQ((*tokenizer)->decode(ids), text);
        for (const TokenId id : ids) longest = std::max(longest, (*tokenizer)->bytes(id).size());
    }
    EXPECT_GT(longest, 4u) << "tokens of several merges";
}

// Of two pairs whose joint token is the same the left one is merged, whichever way that token was come by.
TEST(Tiktoken, TheRankIsOfTheTokenAndNotOfAPair) {
    const auto tokenizer = Tokenizer::create(read("YQ== 0\nYWE= 1\nYWFh 2\nYg== 3\nYWI= 4\n").value());  // a, aa, aaa, b, ab
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ((*tokenizer)->encode("aaaaa", false), (std::vector<TokenId>{1, 2}));
    EXPECT_EQ((*tokenizer)->encode("aaaab", false), (std::vector<TokenId>{1, 1, 3}));
    EXPECT_EQ((*tokenizer)->encode("ab", false), (std::vector<TokenId>{4}));
}

TEST(Tiktoken, TokensBeyondItAreThoseOfTokenizerConfig) {
    auto vocabulary = read(file("tiktoken.model")).value();
    const int size = int(vocabulary.tokens.size());
    const std::string config = R"({"eos_token": "[EOS]", "added_tokens_decoder": {")" + std::to_string(size) + R"(": {"content": "[BOS]", "special": true}, ")" + std::to_string(size + 3) +
                               R"(": {"content": "[EOS]", "special": true}}})";
    ASSERT_TRUE(apply_tokenizer_config(vocabulary, config, "c"));
    const auto tokenizer = Tokenizer::create(std::move(vocabulary));
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ((*tokenizer)->size(), size + 4);
    EXPECT_EQ((*tokenizer)->vocabulary().eos, size + 3);
    EXPECT_EQ((*tokenizer)->encode("[EOS]", true), (std::vector<TokenId>{size + 3}));
    EXPECT_GT((*tokenizer)->encode("[EOS]", false).size(), 1u);
}

TEST(Tiktoken, WhatIsNoneIsRefusedByLine) {
    const struct {
        std::string content;
        const char* says;
    } cases[] = {
        {"", "0 tokens"}, {"\n\n", "0 tokens"}, {"YQ==\n", "line 1 is not a token and its rank"}, {"YQ== 0\n!! 1\n", "line 2 is not a token of 1 to 256 bytes in base64"}, {"YQ== 0\n= 1\n", "line 2"},
        {"YQ== x\n", "line 1 is not a rank"}, {"YQ== -1\n", "line 1 is not a rank"}, {"YQ== 0 \n", "line 1 is not a rank"}, {"YQ== 99999999999999999999\n", "line 1 is not a rank"},
        {"YQ== 16000000\n", "that the file's size allows"}, {"YQ== 0\nYg== 0\n", "0 was there before"}, {"YQ== 0\nYg== 2\n", "2 tokens and ranks up to 3"}, {std::string(400, 'A') + " 0\n", "256 bytes"},
    };
    for (const auto& c : cases) {
        const auto refused = read(c.content);
        ASSERT_FALSE(refused) << c.content;
        EXPECT_THAT(refused.error().message, AllOf(HasSubstr("tiktoken.model"), HasSubstr(c.says))) << c.content;
    }
    EXPECT_TRUE(read("YQ== 1\r\nYg== 0")) << "in any order, with any line ends";
    const auto other = read_tiktoken("YQ== 0\n", "QWenTokenizer", "tiktoken.model");
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message, AllOf(HasSubstr("tiktoken.model"), HasSubstr("QWenTokenizer")));
}

}  // namespace
}  // namespace text
