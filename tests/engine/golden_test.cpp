// All positions of the stories models against the float64 reference, through the public Engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/divergence.h"
#include "engine/engine.h"
#include "support/fixtures.h"
#include "support/vocabularies.h"

using namespace engine;
using nlohmann::json;

namespace {

std::unique_ptr<Engine> load(const std::filesystem::path& path, Profile profile, std::optional<KvFormat> kv_format = {}) {
    auto engine = Engine::load({.path = path, .profile = profile, .threads = 2, .kv_format = kv_format});
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

std::filesystem::path stories(const std::filesystem::path& vectors, const std::string& file) {
    const auto path = vectors / "models" / file;
    return std::filesystem::exists(path) ? path : vectors / "models/stories260K" / file;
}

double logprob(const float* logits, int v, TokenId id) {
    const float largest = *std::max_element(logits, logits + v);
    double total = 0;
    for (int i = 0; i < v; ++i) total += std::exp(double(logits[i]) - largest);
    return double(logits[id]) - largest - std::log(total);
}

}  // namespace

TEST(Golden, EveryPositionOfTheStoriesAgrees) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    int positions = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*vectors / "models/goldens")) {
        const json golden = json::parse(support::read_text(entry.path()));
        SCOPED_TRACE(golden["file"].get<std::string>());
        auto engine = load(stories(*vectors, golden["file"]), Profile::exact);
        const int v = engine->info().vocabulary;
        for (const auto& item : golden["cases"]) {
            const auto ids = item["prompt_ids"].get<std::vector<TokenId>>();
            const auto argmax = item["all_positions_argmax"].get<std::vector<TokenId>>();
            const auto expected = item["logprob_of_prompt"].get<std::vector<double>>();
            const auto logits = *engine->logits(ids);
            ASSERT_EQ(argmax.size(), ids.size());
            for (std::size_t p = 0; p < ids.size(); ++p, ++positions) {
                const float* row = logits.data() + p * std::size_t(v);
                const auto best = std::max_element(row, row + v);
                // Another token may lead only where the two are closer than the tolerance.
                EXPECT_LE(*best - row[argmax[p]], 1e-3) << "position " << p;
                if (p + 1 < ids.size() && p < expected.size()) {
                    EXPECT_NEAR(logprob(row, v, ids[p + 1]), expected[p], 1e-3);
                }
            }
        }
    }
    EXPECT_GT(positions, 100);
}

TEST(Golden, EqualExpertsAreTheDenseModel) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    auto dense = load(stories(*vectors, "stories260Ktok512.gguf"), Profile::exact);
    auto experts = load(stories(*vectors, "derived/stories260K-moe4x-identical.gguf"), Profile::exact);
    std::vector<TokenId> ids{1};
    for (int i = 0; i < 60; ++i) ids.push_back((i * 53 + 300) % 512);
    const auto a = *dense->logits(ids), b = *experts->logits(ids);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-4);
}

// Profile fast against exact by the same text: at most half as much again as was measured with AVX-512 when the bound was
// recorded (another target rounds elsewhere; of 250 tokens one is 0.4 %). Of the random checkpoints the MoE is the coarser one: a token whose router
// hesitates goes to another expert.
TEST(Golden, FastIsNearExact) {
    struct Bound {
        std::filesystem::path file;
        double mean_kl, top1;
    };
    std::vector<Bound> bounds = {{support::data_dir() / "models/llama_tied.gguf", 1.2e-4, 0.012}, {support::data_dir() / "models/qwen3_moe.gguf", 3.5e-3, 0.024}};
    if (const auto path = support::default_model()) bounds.push_back({*path, 2.5e-3, 0.012});
    for (const Bound& bound : bounds) {
        SCOPED_TRACE(bound.file.string());
        auto exact = load(bound.file, Profile::exact), fast = load(bound.file, Profile::fast);
        auto ids = exact->tokenizer()->encode(support::read_text(support::data_dir() / "../../LICENSE"), false);
        ids.resize(250);
        const auto d = divergence(*exact->logits(ids), *fast->logits(ids), exact->info().vocabulary);
        std::printf("%s: mean KL %.2e, another most likely token at %.2f %%\n", bound.file.filename().c_str(), d.mean_kl, 100 * d.top1_disagreement);
        EXPECT_GT(d.mean_kl, 0) << "both ran one profile";
        EXPECT_LE(d.mean_kl, bound.mean_kl);
        EXPECT_LE(d.top1_disagreement, bound.top1);
    }
}

// The cache's formats by the same text, all else computed exactly: those of sixteen bits against floats, those of eight against
// BF16. Bounds as above.
TEST(Golden, FormatsOfTheCacheAreNearOnesOfMoreBits) {
    struct Bound {
        std::filesystem::path file;
        struct Of {
            KvFormat format;
            double kl, top1;
        } of[4];
    };
    using enum KvFormat;
    std::vector<Bound> bounds = {{support::data_dir() / "models/llama_tied.gguf", {{f16, 1.2e-6, 0}, {bf16, 8.3e-5, 0.006}, {int8, 6.4e-4, 0.018}, {fp8, 1.2e-2, 0.072}}},
                                 {support::data_dir() / "models/qwen3_moe.gguf", {{f16, 4.2e-7, 0}, {bf16, 5.7e-3, 0.036}, {int8, 1.6e-2, 0.048}, {fp8, 4.8e-2, 0.156}}}};
    if (const auto path = support::default_model()) bounds.push_back({*path, {{f16, 5.7e-6, 0.01}, {bf16, 4.7e-4, 0.01}, {int8, 1.9e-3, 0.042}, {fp8, 2.5e-2, 0.12}}});
    for (const Bound& bound : bounds) {
        SCOPED_TRACE(bound.file.string());
        auto floats = load(bound.file, Profile::exact);
        auto ids = floats->tokenizer()->encode(support::read_text(support::data_dir() / "../../LICENSE"), false);
        ids.resize(250);
        auto expected = *floats->logits(ids);
        double before = 0;
        for (const auto& [format, kl, top1] : bound.of) {
            SCOPED_TRACE(name(format));
            auto engine = load(bound.file, Profile::exact, format);
            EXPECT_EQ(engine->memory().kv_format, format);
            auto logits = *engine->logits(ids);
            const auto d = divergence(expected, logits, floats->info().vocabulary);
            std::printf("%s, %s: mean KL %.2e, another most likely token at %.2f %%\n", bound.file.filename().c_str(), std::string(name(format)).c_str(), d.mean_kl, 100 * d.top1_disagreement);
            EXPECT_GT(d.mean_kl, before) << "both kept one format";
            before = d.mean_kl;
            EXPECT_LE(d.mean_kl, kl);
            EXPECT_LE(d.top1_disagreement, top1);
            if (format == bf16) expected = std::move(logits);
        }
    }
}

// Latent keys, windows, sinks, heads of several sizes, layers without keys: the same by random checkpoints of such families.
TEST(Golden, FormatsOfTheCacheHoldForEveryKindOfAttention) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    struct Bound {
        const char* family;
        double int8_kl, fp8_kl;
    };
    for (const Bound& bound : {Bound{"deepseek_v3", 8.7e-2, 0.45}, {"mistral_swa", 1.2e-3, 2e-2}, {"gpt_oss", 3.9e-2, 0.16}, {"gemma4_dense", 1.4e-3, 2.5e-2}, {"qwen3_next", 3.4e-6, 4.6e-5}, {"granitemoehybrid", 4.1e-6, 2.1e-3}}) {
        SCOPED_TRACE(bound.family);
        const auto wide = load(*golden / bound.family, Profile::exact, KvFormat::bf16);
        std::vector<TokenId> ids;
        for (int i = 0; i < 200; ++i) ids.push_back((i * 53 + 30) % std::min(300, wide->info().vocabulary));
        const auto expected = *wide->logits(ids);
        for (const KvFormat format : {KvFormat::int8, KvFormat::fp8}) {
            const auto d = divergence(expected, *load(*golden / bound.family, Profile::exact, format)->logits(ids), wide->info().vocabulary);
            std::printf("%s, %s: mean KL %.2e, another most likely token at %.2f %%\n", bound.family, std::string(name(format)).c_str(), d.mean_kl, 100 * d.top1_disagreement);
            EXPECT_GT(d.mean_kl, 0);
            EXPECT_LE(d.mean_kl, format == KvFormat::int8 ? bound.int8_kl : bound.fp8_kl);
        }
    }
}

// The default model, where it lies on this machine: both profiles count, and mostly agree.
TEST(Golden, TheDefaultModelKnowsWhatFollows) {
    const auto path = support::default_model();
    if (!path) GTEST_SKIP() << "no default model; set HEARTH_MODEL";
    for (const Profile profile : {Profile::fast, Profile::exact}) {
        auto engine = load(*path, profile);
        Request r;
        r.prompt.emplace_back();
        r.prompt.back().tokens = engine->tokenizer()->encode("The capital of France is the city of", false);
        r.max_tokens = 3;
        auto session = *engine->start(r);
        std::string said;
        while (auto event = session->next()) said += event->text;
        EXPECT_NE(said.find("Paris"), std::string::npos) << said;
    }
}
