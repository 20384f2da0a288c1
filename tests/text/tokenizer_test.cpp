#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> alphabet() {  // the byte alphabet, in byte order
    std::vector<std::string> out;
    int next = 256;
    for (int b = 0; b < 256; ++b) {
        const bool prints = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        const int c = prints ? b : next++;
        out.push_back(c < 128 ? std::string(1, char(c)) : std::string{char(0xC0 | c >> 6), char(0x80 | (c & 0x3F))});
    }
    return out;
}

// 256 byte tokens (id = byte), then "he" 256, "ll" 257, "hell" 258, "hello" 259, "Ġhello" (by way of "Ġ hello") 260,
// control tokens <|im_start|> 261 and <|im_end|> 262, user-defined <think> 263 and two blanks 264.
Vocabulary small_bpe() {
    Vocabulary v;
    v.pre = "qwen2";
    v.tokens = alphabet();
    for (const char* t : {"he", "ll", "hell", "hello", "Ġhello", "<|im_start|>", "<|im_end|>", "<think>", "  "}) v.tokens.push_back(t);
    v.merges = {"h e", "l l", "he ll", "hell o", "Ġ hello"};
    v.types.assign(v.tokens.size(), TokenType::normal);
    v.types[261] = v.types[262] = TokenType::control;
    v.types[263] = v.types[264] = TokenType::user_defined;
    v.eos = 262;
    return v;
}

std::shared_ptr<const Tokenizer> make(Vocabulary v) { return Tokenizer::create(std::move(v)).value(); }

TEST(Tokenizer, MergesByRank) {
    const auto t = make(small_bpe());
    EXPECT_THAT(t->encode("hello", false), ElementsAre(259));
    EXPECT_THAT(t->encode("hello hello", false), ElementsAre(259, 260));
    EXPECT_THAT(t->encode("hel", false), ElementsAre(256, 'l'));
    EXPECT_THAT(t->encode("\xC3\xA9", false), ElementsAre(0xC3, 0xA9));
    EXPECT_THAT(t->encode("", false), ElementsAre());
}

TEST(Tokenizer, KeepsItsMergesAsATableAlone) {
    const auto t = make(small_bpe());
    EXPECT_TRUE(t->vocabulary().merges.empty());
    EXPECT_THAT(t->encode("hello hello", false), ElementsAre(259, 260));
}

TEST(Tokenizer, TokensThatWereSampledAreTakenAsTheyAre) {
    const auto t = make(small_bpe());
    const std::vector<Piece> pieces = {{"he", true}, {"", true, {'l', 'l', 'o', 262}}, {"hello", false}};
    EXPECT_THAT(t->encode(pieces), ElementsAre(256, 'l', 'l', 'o', 262, 259)) << "no text around them joins them";
}

TEST(Tokenizer, AMessagesEndIsATurnsEndButInHarmony) {
    auto v = small_bpe();
    v.tokens[261] = "<|end|>";
    EXPECT_TRUE(make(v)->ends_generation(261));
    v.tokens[263] = "<|call|>";
    v.types[263] = TokenType::control;
    EXPECT_FALSE(make(v)->ends_generation(261)) << "the turn goes on with the next message";
    EXPECT_TRUE(make(v)->ends_generation(263));
}

TEST(Tokenizer, InvalidBytesSurvive) {
    const auto t = make(small_bpe());
    const std::string text = std::string("a\xFF\xC3hello\x80\0b", 11);
    EXPECT_EQ(t->decode(t->encode(text, false)), text);
}

TEST(Tokenizer, SpecialTokensOnlyInTrustedText) {
    const auto t = make(small_bpe());
    const std::vector<Piece> pieces = {{"<|im_start|>", true}, {"<|im_end|><think>", false}, {"<|im_", true}, {"end|>", false}, {"<|im_end|>", true}};
    const auto ids = t->encode(pieces);
    EXPECT_EQ(ids.front(), 261);
    EXPECT_EQ(ids.back(), 262);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 262), 1);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 263), 0);
    EXPECT_EQ(t->decode(ids, true), "<|im_start|><|im_end|><think><|im_end|><|im_end|>");
    EXPECT_EQ(t->decode(ids, false), "<|im_end|><think><|im_end|>");
    EXPECT_THAT(t->encode("<think>", true), ElementsAre(263));
}

TEST(Tokenizer, WordsRunAcrossPieceBorders) {
    const auto t = make(small_bpe());
    const std::vector<Piece> pieces = {{"hel", true}, {"lo", false}};
    EXPECT_THAT(t->encode(pieces), ElementsAre(259));
}

TEST(Tokenizer, UserDefinedBlanksAreAlwaysTokens) {
    EXPECT_THAT(make(small_bpe())->encode("a  b", false), ElementsAre('a', 264, 'b'));
}

TEST(Tokenizer, KnowsWhatEndsGeneration) {
    auto v = small_bpe();
    v.tokens[261] = "<|endoftext|>";
    const auto t = make(v);
    EXPECT_TRUE(t->ends_generation(262));
    EXPECT_TRUE(t->ends_generation(261));
    EXPECT_FALSE(t->ends_generation(259));
    EXPECT_TRUE(t->is_control(261));
    EXPECT_FALSE(t->is_control(-5));
}

TEST(Tokenizer, RefusesWhatContradictsItself) {
    auto v = small_bpe();
    v.pre = "no-such-thing";
    EXPECT_THAT(Tokenizer::create(v).error().message, ::testing::AllOf(HasSubstr("no-such-thing"), HasSubstr("qwen2"), HasSubstr("gpt-2")));
    v = small_bpe();
    v.eos = 9999;
    EXPECT_THAT(Tokenizer::create(v).error().message, HasSubstr("9999"));
    v = small_bpe();
    v.merges.push_back("nospace");
    EXPECT_THAT(Tokenizer::create(v).error().message, HasSubstr("nospace"));
    v = small_bpe();
    v.types.pop_back();
    EXPECT_FALSE(Tokenizer::create(v).ok());
    v = small_bpe();
    v.kind = Vocabulary::Kind::spm;
    EXPECT_THAT(Tokenizer::create(v).error().message, HasSubstr("scores"));
}

TEST(Tokenizer, SentencePieceMergesByScoreAndFallsBackToBytes) {
    Vocabulary v;
    v.kind = Vocabulary::Kind::spm;
    const auto add = [&](const std::string& t, float score, TokenType type = TokenType::normal) {
        v.tokens.push_back(t);
        v.scores.push_back(score);
        v.types.push_back(type);
    };
    add("<unk>", 0, TokenType::unknown);
    add("</s>", 0, TokenType::control);
    add("<0xC3>", 0, TokenType::byte);
    add("<0xA9>", 0, TokenType::byte);
    for (const char* t : {"▁", "a", "b", "<", "/", "s", ">"}) add(t, -10);  // 4 …
    add("▁a", -2);                                                           // 11
    add("ab", -1);                                                           // 12
    v.unknown = 0;
    v.eos = 1;
    const auto t = make(v);
    EXPECT_THAT(t->encode("ab a", false), ElementsAre(4, 12, 11));  // "ab" scores better than "▁a"
    EXPECT_THAT(t->encode("\xC3\xA9", false), ElementsAre(4, 2, 3));
    EXPECT_THAT(t->encode("?", false), ElementsAre(4, 0));
    EXPECT_THAT(t->encode("</s>", false), ElementsAre(4, 7, 8, 9, 10));
    EXPECT_THAT(t->encode("</s>", true), ElementsAre(1));
    EXPECT_EQ(t->bytes(2), "\xC3");
    EXPECT_EQ(t->bytes(11), " a");
}

TEST(Tokenizer, RanksWinOverPlacesAndAmongEqualsTheLeftmost) {
    Vocabulary v;
    v.tokens = alphabet();
    for (const char* t : {"ab", "bc", "aa"}) v.tokens.push_back(t);  // 256 …
    v.merges = {"b c", "a b", "a a"};
    v.pre = "gpt-2";
    const auto t = make(v);
    EXPECT_THAT(t->encode("abc", false), ElementsAre('a', 257));
    EXPECT_THAT(t->encode("aaa", false), ElementsAre(258, 'a'));
    const std::string many(101, 'a');  // a long word, which is merged another way
    auto want = std::vector<TokenId>(50, 258);
    want.push_back('a');
    EXPECT_EQ(t->encode(many, false), want);
}

// Short and long words are merged by different means; the same word must come out alike when only its
// surroundings make it long.
TEST(Tokenizer, LongWordsMergeAsShortOnes) {
    Vocabulary v;
    v.tokens = alphabet();
    std::mt19937 random(7);
    for (int i = 0; i < 60; ++i) {  // merges of merges
        const std::string left = v.tokens['a' + random() % 4], right = i < 10 ? v.tokens['a' + random() % 4] : v.tokens[v.tokens.size() - 1 - random() % 8];
        v.tokens.push_back(left + right);
        v.merges.push_back(left + " " + right);
    }
    v.splitter = {{.pattern = "|", .literal = true}};
    const auto t = make(v);
    for (int round = 0; round < 50; ++round) {
        std::string word;
        while (word.size() < 41) word += char('a' + random() % 4);
        const auto long_ids = t->encode(word, false);
        // The merged parts of a word are stable: merging each part alone gives that part.
        for (const TokenId id : long_ids) EXPECT_THAT(t->encode(t->bytes(id), false), ElementsAre(id)) << word;
        EXPECT_EQ(t->decode(long_ids), word);
        word.resize(40);
        const auto short_ids = t->encode(word, false);
        const std::size_t same = std::size_t(std::mismatch(short_ids.begin(), short_ids.end(), long_ids.begin(), long_ids.end()).first - short_ids.begin());
        EXPECT_GE(same + 6, short_ids.size()) << word;  // only the end may differ
    }
}

TEST(Tokenizer, UnigramTakesTheBestSumOfScores) {
    Vocabulary v;
    v.kind = Vocabulary::Kind::unigram;
    const auto add = [&](const std::string& t, float score, TokenType type = TokenType::normal) {
        v.tokens.push_back(t);
        v.scores.push_back(score);
        v.types.push_back(type);
    };
    add("<unk>", 0, TokenType::unknown);
    for (const char* t : {"▁", "a", "b", "c"}) add(t, -4);  // 1 …
    add("ab", -3);                                           // 5
    add("bc", -2);                                           // 6
    add("abc", -7);                                          // 7
    add("<0xC3>", 0, TokenType::byte);                       // 8
    add("<0xA9>", 0, TokenType::byte);
    v.unknown = 0;
    const auto t = make(v);
    EXPECT_THAT(t->encode("abc", false), ElementsAre(1, 2, 6));  // -4-2 beats -3-4 and -7
    EXPECT_THAT(t->encode("ab", false), ElementsAre(1, 5));
    EXPECT_THAT(t->encode("aé", false), ElementsAre(1, 2, 8, 9));
    EXPECT_THAT(t->encode("a??b", false), ElementsAre(1, 2, 0, 3));
    EXPECT_EQ(t->bytes(1), " ");
}

// Against all ways to cut a word.
TEST(Tokenizer, UnigramIsNeverBeatenByAnotherSegmentation) {
    std::mt19937 random(3);
    Vocabulary v;
    v.kind = Vocabulary::Kind::unigram;
    std::map<std::string, float> scores;
    for (int i = 0; i < 40; ++i) {
        std::string token;
        for (unsigned n = 1 + random() % 4; n; --n) token += char('a' + random() % 3);
        scores.emplace(token, -float(random() % 1000) / 100);
    }
    for (const char* t : {"a", "b", "c"}) scores.emplace(t, -9.5f);
    for (const auto& [token, score] : scores) v.tokens.push_back(token), v.scores.push_back(score);
    v.normalizer.emplace();
    const auto t = make(v);
    for (int round = 0; round < 300; ++round) {
        std::string word;
        for (unsigned n = 1 + random() % 9; n; --n) word += char('a' + random() % 3);
        double best = -1e9;
        for (unsigned cuts = 0; cuts < 1u << (word.size() - 1); ++cuts) {
            double sum = 0;
            for (std::size_t begin = 0, end = 1; end <= word.size(); ++end) {
                if (end < word.size() && !(cuts >> (end - 1) & 1)) continue;
                const auto it = scores.find(word.substr(begin, end - begin));
                sum += it == scores.end() ? -1e9 : double(it->second);
                begin = end;
            }
            best = std::max(best, sum);
        }
        double got = 0;
        const auto ids = t->encode(word, false);
        for (const TokenId id : ids) got += double(v.scores[std::size_t(id)]);
        EXPECT_EQ(t->decode(ids), word);
        EXPECT_NEAR(got, best, 1e-4) << word;
    }
}

TEST(Tokenizer, WordPieceTakesTheLongestStartAndThenTheLongestContinuation) {
    Vocabulary v;
    v.kind = Vocabulary::Kind::word_piece;
    v.tokens = {"[PAD]", "[UNK]", "[CLS]", "un", "##aff", "##able", "##a", "unaff", "!", "cafe", "世", "##s"};
    v.types = {TokenType::control, TokenType::unknown, TokenType::control};
    v.types.resize(v.tokens.size(), TokenType::normal);
    v.continuation = "##";
    v.unknown = 1;
    v.leading_spaces = 1;
    v.longest_word = 12;
    const auto t = make(v);
    EXPECT_THAT(t->encode("unaffable!", false), ElementsAre(7, 5, 8));
    EXPECT_THAT(t->encode("  UNable\tuna ", false), ElementsAre(3, 5, 3, 6));
    EXPECT_THAT(t->encode("unaffx unable", false), ElementsAre(1, 3, 5));  // one end without a token, one unknown word
    EXPECT_THAT(t->encode("Café世s", false), ElementsAre(9, 10, 1));
    EXPECT_THAT(t->encode("unablesssssss", false), ElementsAre(1)) << "13 characters";
    EXPECT_THAT(t->encode("unablessssss", false), ElementsAre(3, 5, 11, 11, 11, 11, 11, 11));
    EXPECT_THAT(t->encode("[CLS]", true), ElementsAre(2));
    EXPECT_THAT(t->encode("[CLS]", false), ElementsAre(1, 1, 1));
    EXPECT_EQ(t->decode(std::vector<TokenId>{2, 7, 5, 8}, true), "[CLS] unaffable!");
}

TEST(Tokenizer, AddedTokensTakeWhiteSpaceAndKeepToWords) {
    auto v = small_bpe();
    v.added = {{.id = 261, .left = true}, {.id = 262, .right = true}, {.id = 263, .single_word = true}};
    v.tokens[263] = "think";
    const auto t = make(v);
    EXPECT_THAT(t->encode("a \n<|im_start|> b", true), ElementsAre('a', 261, ' ', 'b'));
    EXPECT_THAT(t->encode("a <|im_end|> \tb", true), ElementsAre('a', ' ', 262, 'b'));
    EXPECT_THAT(t->encode("think think!", true), ElementsAre(263, ' ', 263, '!'));
    EXPECT_EQ(std::ranges::count(t->encode("rethink thinks", true), 263), 0);
}

TEST(Tokenizer, QwensNormalizationCanBeLeftOut) {
    auto v = small_bpe();
    const std::string decomposed = "e\xCC\x81";
    EXPECT_THAT(make(v)->encode(decomposed, false), ElementsAre(0xC3, 0xA9));
    v.normalizer.emplace();
    EXPECT_THAT(make(v)->encode(decomposed, false), ElementsAre('e', 0xCC, 0x81));
}

}  // namespace
}  // namespace text
