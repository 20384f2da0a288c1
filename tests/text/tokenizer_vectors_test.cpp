// Ids and texts of third-party tokenizers: llama.cpp's over its vocabularies, Hugging Face's over the files of
// real models and of the golden checkpoints.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/json.h"
#include "support/fixtures.h"
#include "support/vocabularies.h"
#include "text/tokenizer.h"

namespace text {
namespace {

std::shared_ptr<const Tokenizer> make(Vocabulary v) { return Tokenizer::create(std::move(v)).value(); }

struct Score {
    std::string name;
    int passed = 0, all = 0;
    void check(const std::vector<TokenId>& got, const std::vector<TokenId>& want, const std::string& text) {
        ++all;
        if (got == want)
            ++passed;
        else
            ADD_FAILURE() << name << " " << base::Json(text).dump(-1, ' ', false, base::Json::error_handler_t::replace).substr(0, 300)
                          << "\n  found    " << testing::PrintToString(got) << "\n  expected " << testing::PrintToString(want);
    }
    ~Score() { std::printf("%s: %d of %d\n", name.c_str(), passed, all); }
};

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

void check_llama_cpp(const Tokenizer& t, const std::filesystem::path& root, const std::string& name) {
    const auto stem = root / "llamacpp_vocab" / ("ggml-vocab-" + name + ".gguf");
    const auto texts = split_texts(support::read_text(stem.string() + ".inp"));
    std::ifstream expected(stem.string() + ".out");
    Score score{name};
    for (const std::string& text : texts) {
        std::string line;
        std::getline(expected, line);  // the last text is empty, and so is its line
        std::istringstream in(line);
        score.check(t.encode(text, false), {std::istream_iterator<TokenId>(in), {}}, text);
    }
    EXPECT_EQ(score.all, 47) << name;
}

std::filesystem::path hf_json(const std::filesystem::path& root, const std::string& name) {
    return root / "hf_tokenizer_json" / (name + ".tokenizer.json.xz");
}

TEST(TokenizerVectors, LlamaCppVocabularies) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    const auto root = *vectors / "tokenizers";
    for (const char* name : {"llama-spm", "phi-3", "gpt-2", "deepseek-coder", "deepseek-llm", "falcon", "mpt", "refact", "starcoder", "bert-bge"}) {
        const auto file = root / "llamacpp_vocab" / ("ggml-vocab-" + std::string(name) + ".gguf");
        check_llama_cpp(*make(support::read_gguf_vocabulary(file)), root, name);
    }
}

TEST(TokenizerVectors, DefaultModel) {
    const auto vectors = support::vectors_dir();
    const auto model = support::default_model();
    if (!vectors || !model) GTEST_SKIP() << "no vectors or no model: set HEARTH_VECTORS and HEARTH_MODEL";
    const auto vocabulary = support::read_gguf_vocabulary(*model);
    if (vocabulary.pre != "qwen2") GTEST_SKIP() << "HEARTH_MODEL is not of the qwen2 vocabulary";
    const auto t = make(vocabulary);
    for (const char* name : {"qwen2", "deepseek-r1-qwen"}) check_llama_cpp(*t, *vectors / "tokenizers", name);
}

std::vector<TokenId> framed(const Tokenizer& t, std::vector<TokenId> ids) {
    const Vocabulary& v = t.vocabulary();
    if (v.add_bos) ids.insert(ids.begin(), v.bos);
    if (v.add_eos) ids.push_back(v.eos);
    return ids;
}

void check_hf(const std::filesystem::path& root, const std::string& name, const std::vector<std::string>& llama_cpp_names) {
    const auto t = make(support::read_hf_vocabulary(hf_json(root, name)));
    std::istringstream lines(support::read_text(root / "hf_vectors" / (name + ".vectors.jsonl")));
    Score encoded{name + " encoded"};
    for (std::string line; std::getline(lines, line);) {
        const auto c = base::Json::parse(line);
        const auto text = c["text"].get<std::string>();
        const auto want = c["ids"].get<std::vector<TokenId>>();
        encoded.check(t->encode(text, true), want, text);
        EXPECT_EQ(t->decode(want, true), c["decoded"].get<std::string>()) << name << " " << c["id"];
        EXPECT_EQ(t->decode(want), c.value("decoded_skip_special", t->decode(want))) << name << " " << c["id"];
        EXPECT_EQ(framed(*t, want), c.value("ids_with_special", framed(*t, want))) << name << " " << c["id"];
    }
    EXPECT_EQ(encoded.all, 281) << name;
    for (const std::string& out : llama_cpp_names) check_llama_cpp(*t, root, out);
}

class HuggingFace : public testing::TestWithParam<std::pair<const char*, std::vector<std::string>>> {};

TEST_P(HuggingFace, GivesItsIdsAndTexts) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    check_hf(*vectors / "tokenizers", GetParam().first, GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(TokenizerVectors, HuggingFace,
                         testing::Values(std::pair{"qwen3", std::vector<std::string>{"qwen2", "deepseek-r1-qwen"}},
                                         std::pair{"llama3_1", std::vector<std::string>{"llama-bpe"}},
                                         std::pair{"deepseek_v3", std::vector<std::string>{}},
                                         std::pair{"gptoss", std::vector<std::string>{}},
                                         std::pair{"gemma3", std::vector<std::string>{}},
                                         std::pair{"mistral7b_v0_1", std::vector<std::string>{}}),
                         [](const auto& info) { return std::string(info.param.first); });

TEST(TokenizerVectors, UpstreamParity) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors: set HEARTH_VECTORS";
    const auto root = *vectors / "tokenizers";
    for (const auto& [json, prefix] : {std::pair{"qwen3", "sglang__qwen3-30b__"}, std::pair{"deepseek_v3", "sglang__deepseek-v3p2__"},
                                       std::pair{"gptoss", "sglang__gpt-oss-20b__"}}) {
        const auto t = make(support::read_hf_vocabulary(hf_json(root, json)));
        Score score{prefix};
        for (const char* shape : {"short", "long", "multi_turn_with_tools", "special_token_heavy"}) {
            const auto c = base::Json::parse(support::read_text(root / "upstream_parity" / (prefix + std::string(shape) + ".json")));
            score.check(t->encode(c["prompt_text"].get<std::string>(), true), c["expected_token_ids"], shape);
        }
    }
}

TEST(TokenizerGolden, EveryFamilyFromTokenizerJson) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints: set HEARTH_GOLDEN";
    int families = 0;
    for (const auto& folder : std::filesystem::directory_iterator(*golden)) {
        const auto expected = folder.path() / "golden_tokenizer.json";
        if (!std::filesystem::exists(expected)) continue;
        ++families;
        const auto t = make(support::read_hf_vocabulary(folder.path() / "tokenizer.json"));
        Score score{folder.path().filename().string()};
        const auto rows = base::Json::parse(support::read_text(expected));
        for (const auto& c : rows["texts"]) {
            const auto text = c["text"].get<std::string>();
            const auto want = c["ids"].get<std::vector<TokenId>>();
            // BERT's rows come with the tokens around the text, which the others' leave out.
            const bool around = t->vocabulary().kind == Vocabulary::Kind::word_piece;
            score.check(around ? framed(*t, t->encode(text, true)) : t->encode(text, true), want, text);
            EXPECT_EQ(t->decode(want, true), c["decoded"].get<std::string>()) << folder.path() << " " << c["text"];
        }
        EXPECT_GT(score.all, 10) << score.name;
    }
    EXPECT_GT(families, 20);
}

}  // namespace
}  // namespace text
