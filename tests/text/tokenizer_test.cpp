#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "support/fixtures.h"
#include "support/vocabularies.h"

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

std::vector<std::string> split_texts(const std::string& all) {
    const std::string mark = "\n__ggml_vocab_test__\n";
    std::vector<std::string> out;
    for (std::size_t at = 0, end; at <= all.size(); at = end + mark.size()) {
        end = std::min(all.find(mark, at), all.size());
        out.push_back(all.substr(at, end - at));
        if (end == all.size()) break;
    }
    return out;
}

int check_inp_out(const Tokenizer& t, const std::filesystem::path& stem, const std::string& name) {
    const auto texts = split_texts(support::read_text(stem.string() + ".inp"));
    std::ifstream expected(stem.string() + ".out");
    std::string line;
    int passed = 0, total = 0;
    for (; std::getline(expected, line) && std::size_t(total) < texts.size(); ++total) {
        std::istringstream in(line);
        const std::vector<TokenId> want{std::istream_iterator<TokenId>(in), {}};
        const auto got = t.encode(texts[std::size_t(total)], false);
        if (got == want)
            ++passed;
        else
            ADD_FAILURE() << name << " case " << total << " " << base::Json(texts[std::size_t(total)]).dump() << "\n  found    "
                          << ::testing::PrintToString(got) << "\n  expected " << ::testing::PrintToString(want);
    }
    std::printf("%s: %d of %d\n", name.c_str(), passed, total);
    return total;
}

TEST(TokenizerVectors, LlamaCppVocabularies) {
    const auto root = support::vectors_dir();
    if (!root) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    for (const char* name : {"llama-spm", "phi-3", "gpt-2", "deepseek-coder", "deepseek-llm", "falcon", "mpt", "refact", "starcoder"}) {
        const auto file = *root / "tokenizers/llamacpp_vocab" / ("ggml-vocab-" + std::string(name) + ".gguf");
        EXPECT_GT(check_inp_out(*make(support::read_gguf_vocabulary(file)), file, name), 40);
    }
}

TEST(TokenizerVectors, DefaultModel) {
    const auto root = support::vectors_dir();
    const auto model = support::default_model();
    if (!root || !model) GTEST_SKIP() << "no vectors or no model: set HEARTH_VECTORS and HEARTH_MODEL";
    const auto vocabulary = support::read_gguf_vocabulary(*model);
    if (vocabulary.pre != "qwen2") GTEST_SKIP() << "HEARTH_MODEL is not of the qwen2 vocabulary";
    const auto t = make(vocabulary);
    for (const char* name : {"qwen2", "deepseek-r1-qwen"}) {
        const auto stem = *root / "tokenizers/llamacpp_vocab" / ("ggml-vocab-" + std::string(name) + ".gguf");
        EXPECT_GT(check_inp_out(*t, stem, name), 40);
    }
}

void check_hf(const std::filesystem::path& root, const std::string& name, const std::string& pre, const std::string& out_name) {
    const auto t = make(support::read_hf_vocabulary(root / "hf_tokenizer_json" / (name + ".tokenizer.json.xz"), pre));
    std::istringstream lines(support::read_text(root / "hf_vectors" / (name + ".vectors.jsonl")));
    std::string line;
    int passed = 0, total = 0;
    for (; std::getline(lines, line); ++total) {
        const auto c = base::Json::parse(line);
        const auto got = t->encode(c["text"].get<std::string>(), true);
        const auto want = c["ids"].get<std::vector<TokenId>>();
        if (got == want)
            ++passed;
        else
            ADD_FAILURE() << name << " " << c["id"] << " " << c["text"].dump().substr(0, 300) << "\n  found    "
                          << ::testing::PrintToString(got) << "\n  expected " << ::testing::PrintToString(want);
        EXPECT_EQ(t->decode(want, true), c["decoded"].get<std::string>()) << c["id"];
    }
    std::printf("%s: %d of %d\n", name.c_str(), passed, total);
    EXPECT_GT(total, 200);
    if (!out_name.empty()) check_inp_out(*t, root / "llamacpp_vocab" / ("ggml-vocab-" + out_name + ".gguf"), out_name);
}

TEST(TokenizerVectors, HuggingFace) {
    const auto root = support::vectors_dir();
    if (!root) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    check_hf(*root / "tokenizers", "qwen3", "qwen2", "qwen2");
    check_hf(*root / "tokenizers", "llama3_1", "llama-bpe", "llama-bpe");
    check_hf(*root / "tokenizers", "deepseek_v3", "deepseek-v3", "");
    check_hf(*root / "tokenizers", "gptoss", "gpt-4o", "");
}

TEST(TokenizerVectors, AMegabyteIsLinear) {
    const auto model = support::default_model();
    if (!model) GTEST_SKIP() << "no model: set HEARTH_MODEL";
    const auto t = make(support::read_gguf_vocabulary(*model));
    for (const char* unit : {"The quick brown fox, 42 times; ", " ", "a", "\n\t ", "漢字かな", "!'s"}) {
        std::string text;
        while (text.size() < 1 << 20) text += unit;
        const auto start = std::chrono::steady_clock::now();
        const auto ids = t->encode(text, false);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        std::printf("1 MiB of %s: %zu tokens in %.2f s\n", base::Json(unit).dump().c_str(), ids.size(), seconds);
        EXPECT_EQ(t->decode(ids), text);
        EXPECT_LT(seconds, 20) << "a quadratic scan would take minutes";
    }
}

}  // namespace
}  // namespace text
