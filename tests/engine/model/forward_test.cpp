// Logits against independent implementations: golden checkpoints (transformers) and the stories
// models (float64 numpy), on every target whose arithmetic is the exact profile's.
#include "engine/model/forward.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "one_sequence.h"
#include "support/fixtures.h"
#include "support/golden_record.h"
#include "support/safetensors.h"

using namespace engine;
using nlohmann::json;

namespace {

// `file`: the folder itself, or its GGUF.
void check_golden(const std::filesystem::path& folder, const std::filesystem::path& file, const Target& target) {
    SCOPED_TRACE(file.string() + " on " + target.name);
    const json golden = json::parse(support::read_text(folder / "golden.json"));
    const auto tensors = support::read_safetensors(folder / "golden.safetensors");
    // 20 × the float32–float64 difference of the golden's own implementation.
    const double tolerance = golden["suggested_tolerance_logits_fp32"];
    OneSequence runner(file, *target.ops);
    support::GoldenRecord record(folder, file, target.name);
    for (const auto& prompt : golden["prompts"]) {
        const auto ids = prompt["ids"].get<std::vector<std::int32_t>>();
        const auto greedy = runner.greedy(ids, int(prompt["greedy"].size()));
        EXPECT_EQ(greedy, prompt["greedy"].get<std::vector<std::int32_t>>());
        record.greedy(greedy == prompt["greedy"]);
        const auto whole = runner.feed(ids, 0);
        const std::string name = "logits_" + std::to_string(ids.size());
        if (const auto it = tensors.find(name); it != tensors.end()) {
            EXPECT_LE(record.difference("logits", largest_difference(whole, it->second.values), tolerance), tolerance) << name;
        }
        if (const auto it = tensors.find(name + "_tail8"); it != tensors.end()) {
            const std::vector<float> tail(whole.end() - 8 * runner.vocabulary(), whole.end());
            EXPECT_LE(record.difference("logits", largest_difference(tail, it->second.values), tolerance), tolerance) << name;
        }
    }
}

}  // namespace

// Of each target by itself, so that they run beside each other.
struct ForwardOn : testing::TestWithParam<Target> {
    void SetUp() override {
        if (!GetParam().available) GTEST_SKIP() << GetParam().reason;
    }
};

INSTANTIATE_TEST_SUITE_P(Exact, ForwardOn, testing::ValuesIn(targets(true)), [](const auto& info) { return info.param.name; });

// The checkpoints that every clone has: tests/data/golden.
TEST_P(ForwardOn, OwnGoldenCheckpointsAgree) {
    int folders = 0;
    for (const auto& entry : std::filesystem::directory_iterator(support::data_dir() / "golden")) {
        if (!std::filesystem::exists(entry.path() / "golden.json")) continue;
        ++folders;
        for (const auto& file : {entry.path() / "model-f16.gguf", entry.path()}) check_golden(entry.path(), file, GetParam());
    }
    EXPECT_GE(folders, 4);
}

TEST_P(ForwardOn, GoldenCheckpointsAgree) {
    if (!support::golden_dir()) GTEST_SKIP() << "no golden checkpoints";
    const auto golden = *support::golden_dir();
    for (const char* name : {"llama3_rope", "llama_tied", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "qwen3_omni_thinker", "mixtral", "olmoe", "granitemoe",
                             "gemma3_text", "gemma4_dense", "gemma4_moe", "gemma4_ple_shared", "gpt_oss_truncate", "gpt_oss_mxfp4", "glm4_moe", "lfm2",
                             "granitemoehybrid", "qwen3_next", "qwen3_5", "qwen3_5_moe", "deepseek_v3", "gguf_mixed_types", "q_qwen3_ct_nvfp4",
                             "q_qwen3_modelopt_nvfp4", "q_qwen3_moe_modelopt_nvfp4"})
        check_golden(golden / name, golden / name / (std::filesystem::exists(golden / name / "model-f16.gguf") ? "model-f16.gguf" : "model.gguf"), GetParam());
}

// Every folder of safetensors: also those that no GGUF can say, and every form of quantised module.
TEST_P(ForwardOn, GoldenFoldersAgree) {
    if (!support::golden_dir()) GTEST_SKIP() << "no golden checkpoints";
#ifdef __SANITIZE_ADDRESS__
    if (GetParam().name == "ref") GTEST_SKIP() << "slow under a sanitizer, which sees these operations in the other checkpoints";
#endif
    int folders = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*support::golden_dir())) {
        if (!std::filesystem::exists(entry.path() / "config.json") || entry.path().filename() == "bert_minilm") continue;
        ++folders;
        try {
            check_golden(entry.path(), entry.path(), GetParam());
        } catch (const std::exception& e) {
            ADD_FAILURE() << e.what();
        }
    }
    EXPECT_GE(folders, 52);
}

TEST(Forward, StoriesModelsAgreeWithTheFloat64Reference) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    for (const auto& entry : std::filesystem::directory_iterator(*vectors / "models/goldens")) {
        const json golden = json::parse(support::read_text(entry.path()));
        const std::string file = golden["file"];
        SCOPED_TRACE(file);
        const auto path = std::filesystem::exists(*vectors / "models" / file) ? *vectors / "models" / file
                                                                               : *vectors / "models/stories260K" / file;
        OneSequence runner(path, ref_ops());
        for (const auto& item : golden["cases"]) {
            const auto ids = item["prompt_ids"].get<std::vector<std::int32_t>>();
            const auto logits = runner.feed(ids, 0);
            const std::vector<float> last(logits.end() - runner.vocabulary(), logits.end());
            EXPECT_LE(largest_difference(last, item["last_logits"].get<std::vector<float>>()), 1e-3);
        }
    }
}

#ifdef __SANITIZE_ADDRESS__
constexpr bool kSlow = true;
#else
constexpr bool kSlow = false;
#endif

// Cut in two at any place: within windows and pages, and wherever a state was left.
TEST_P(ForwardOn, ResultsDoNotDependOnTheChunk) {
    for (const auto& entry : std::filesystem::directory_iterator(*support::golden_dir())) {
        const std::string name = entry.path().filename();
        if (!std::filesystem::exists(entry.path() / "config.json") || name == "bert_minilm" || name.starts_with("q_")) continue;
        SCOPED_TRACE(name);
        OneSequence runner(entry.path(), *GetParam().ops);
        std::vector<std::int32_t> ids;
        for (int i = 0; i < 70; ++i) ids.push_back((i * 37 + 5) % runner.vocabulary());
        const auto whole = runner.feed(ids, 0);
        for (int cut = 1; cut < int(ids.size()); cut += kSlow || GetParam().name == "ref" ? 17 : 1) {
            auto parts = runner.feed({ids.begin(), ids.begin() + cut}, 0);
            const auto rest = runner.feed({ids.begin() + cut, ids.end()}, cut);
            parts.insert(parts.end(), rest.begin(), rest.end());
            ASSERT_EQ(whole, parts) << "cut at " << cut;  // bitwise
        }
        std::vector<float> parts;
        for (int at = 0, n = 1; at < 70; at += n, n = n * 2 + 1) {
            const auto part = runner.feed({ids.begin() + at, ids.begin() + std::min(70, at + n)}, at);
            parts.insert(parts.end(), part.begin(), part.end());
        }
        EXPECT_EQ(whole, parts);
    }
}

// The last layer computes no other rows; what comes after finds all keys.
TEST_P(ForwardOn, LogitsOfSomeRowsAreThoseAmongAll) {
    for (const auto& entry : std::filesystem::directory_iterator(support::data_dir() / "golden")) {
        if (!std::filesystem::exists(entry.path() / "config.json")) continue;
        SCOPED_TRACE(entry.path());
        OneSequence runner(entry.path(), *GetParam().ops);
        std::vector<std::int32_t> ids;
        for (int i = 0; i < 40; ++i) ids.push_back((i * 37 + 5) % runner.vocabulary());
        const auto whole = runner.feed(ids, 0);
        for (const int wanted : {1, 34, 3, 0}) {
            const auto some = runner.feed({ids.begin(), ids.end() - 1}, 0, wanted);
            const auto end = whole.end() - runner.vocabulary();
            EXPECT_EQ(some, std::vector<float>(end - wanted * runner.vocabulary(), end));  // bitwise
            EXPECT_EQ(runner.feed({ids.back()}, 39), std::vector<float>(whole.end() - runner.vocabulary(), whole.end()));
        }
    }
}
