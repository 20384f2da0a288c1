// What a GGUF leaves unsaid is told by name, and only where it can matter.
#include "engine/model/unsaid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <variant>

#include "engine/engine.h"
#include "engine/model/model_file.h"
#include "support/fixtures.h"
#include "support/gguf_writer.h"

using namespace engine;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

using Flags = std::vector<bool>;
using Values = std::map<std::string, std::variant<std::uint32_t, float, std::string, Flags>>;

void put(support::GgufWriter& w, const std::string& key, const Flags& flags) {
    w.text(key), w.u32(9), w.u32(7), w.u64(flags.size());
    for (const bool flag : flags) w.bytes += char(flag);
}
template <class T>
void put(support::GgufWriter& w, const std::string& key, const T& value) { w.value(key, value); }

// A file of these keys and an embedding, and a tensor of one value of each name.
std::vector<Unsaid> unsaid_of(const Values& values, const std::vector<std::string>& tensors = {}) {
    const support::TempDir folder;
    const std::uint64_t hidden = std::get<std::uint32_t>(values.at(std::get<std::string>(values.at("general.architecture")) + ".embedding_length"));
    support::GgufWriter w(1 + tensors.size(), values.size());
    for (const auto& [key, value] : values) std::visit([&, &key = key](const auto& v) { put(w, key, v); }, value);
    w.text("token_embd.weight"), w.u32(2), w.u64(hidden), w.u64(1), w.u32(0), w.u64(0);
    std::uint64_t at = hidden * sizeof(float);
    for (const std::string& name : tensors) {
        w.tensor(name, 1, 0, at);
        at += 32;
    }
    w.pad();
    w.bytes.resize(w.bytes.size() + at);
    const auto path = folder.path() / "m.gguf";
    std::ofstream(path, std::ios::binary) << w.bytes;
    const auto file = ModelFile::open(path);
    if (!file) throw std::runtime_error(file.error().message);
    const auto config = (*file)->config();
    if (!config) throw std::runtime_error(config.error().message);
    return (*file)->unsaid(*config);
}

std::vector<std::string> keys(const std::vector<Unsaid>& all) {
    std::vector<std::string> out;
    for (const Unsaid& one : all) {
        out.push_back(one.key);
        EXPECT_GT(one.taken.size(), 40u) << one.key;
        EXPECT_GT(one.remedy.size(), 20u) << one.key;
    }
    return out;
}

Values family(const std::string& name, std::uint32_t layers, std::uint32_t hidden) {
    return {{"general.architecture", name}, {"general.name", std::string("Some Model")}, {name + ".block_count", layers}, {name + ".embedding_length", hidden},
            {name + ".feed_forward_length", 14336u}, {name + ".attention.head_count", 8u}, {name + ".context_length", 32768u}, {name + ".rope.freq_base", 10000.0f}};
}

Values with(Values values, const Values& more) {
    for (const auto& [key, value] : more) values[key] = value;
    return values;
}

}  // namespace

TEST(Unsaid, MistralsWindow) {
    const Values by_shape = family("llama", 32, 4096), by_name = with(family("llama", 4, 64), {{"general.name", std::string("Mistral-7B-v0.1")}});
    for (const Values& values : {by_shape, by_name}) {
        const auto found = unsaid_of(values);
        ASSERT_THAT(keys(found), ElementsAre("llama.attention.sliding_window"));
        EXPECT_EQ(found[0].beyond, 4096);
        EXPECT_THAT(found[0].remedy, HasSubstr("a context of at most 4096"));
    }
    EXPECT_THAT(unsaid_of(family("llama", 4, 64)), testing::IsEmpty());
    EXPECT_THAT(unsaid_of(with(by_name, {{"llama.rope.freq_base", 1e6f}})), testing::IsEmpty()) << "later ones have no window";
    EXPECT_THAT(unsaid_of(with(by_name, {{"llama.attention.sliding_window", 4096u}, {"llama.attention.sliding_window_pattern", Flags(4, true)}})), testing::IsEmpty()) << "said";
}

TEST(Unsaid, LayersOfAWindow) {
    const Values windowed = with(family("llama", 4, 64), {{"llama.attention.sliding_window", 2048u}});
    EXPECT_THAT(keys(unsaid_of(windowed)), ElementsAre("llama.attention.sliding_window_pattern"));
    EXPECT_THAT(unsaid_of(with(windowed, {{"llama.attention.sliding_window_pattern", Flags(4, true)}})), testing::IsEmpty()) << "said";
    EXPECT_THAT(unsaid_of(with(windowed, {{"llama.attention.sliding_window", 32768u}})), testing::IsEmpty()) << "as long as what it was trained on";
    EXPECT_THAT(keys(unsaid_of(with(windowed, {{"general.name", std::string("Mistral-7B-v0.1")}}))), ElementsAre("llama.attention.sliding_window")) << "told once";
}

TEST(Unsaid, Llama3sAngles) {
    const Values of_31 = with(family("llama", 4, 64), {{"llama.rope.freq_base", 500000.0f}, {"llama.context_length", 131072u}});
    EXPECT_THAT(keys(unsaid_of(of_31)), ElementsAre("rope_freqs.weight"));
    EXPECT_THAT(unsaid_of(of_31, {"rope_freqs.weight"}), testing::IsEmpty());
    EXPECT_THAT(unsaid_of(with(of_31, {{"llama.context_length", 8192u}})), testing::IsEmpty()) << "3.0 scales nothing";
}

TEST(Unsaid, GptOssRamp) {
    const Values of_20b = with(family("gpt-oss", 24, 2880), {{"gpt-oss.attention.key_length", 64u}, {"gpt-oss.attention.sliding_window", 128u}, {"gpt-oss.rope.freq_base", 150000.0f},
                                                             {"gpt-oss.rope.scaling.type", std::string("yarn")}, {"gpt-oss.rope.scaling.factor", 32.0f},
                                                             {"gpt-oss.rope.scaling.original_context_length", 4096u}});
    EXPECT_THAT(keys(unsaid_of(of_20b)), ElementsAre("gpt-oss.rope.scaling.truncate"));
    EXPECT_THAT(unsaid_of(with(of_20b, {{"gpt-oss.rope.scaling.type", std::string("none")}})), testing::IsEmpty());
    // Both ends beyond the head's dimensions: rounding changes nothing.
    EXPECT_THAT(unsaid_of(with(of_20b, {{"gpt-oss.rope.scaling.yarn_beta_fast", 1e6f}, {"gpt-oss.rope.scaling.yarn_beta_slow", 1e-12f}})), testing::IsEmpty());
}

TEST(Unsaid, Gemma3sScaleLayersAndFactor) {
    const auto gemma3 = [](std::uint32_t layers, const Values& more = {}) { return with(with(family("gemma3", layers, 64), {{"gemma3.attention.sliding_window", 512u}}), more); };
    EXPECT_THAT(keys(unsaid_of(gemma3(7))), ElementsAre("gemma3.attention.scale", "gemma3.attention.sliding_window_pattern"));
    EXPECT_THAT(keys(unsaid_of(gemma3(7, {{"gemma3.attention.scale", 0.25f}}))), ElementsAre("gemma3.attention.sliding_window_pattern"));
    EXPECT_THAT(keys(unsaid_of(gemma3(7, {{"gemma3.attention.sliding_window_pattern", Flags(7, true)}}))), ElementsAre("gemma3.attention.scale"));
    EXPECT_THAT(unsaid_of(gemma3(26)), testing::IsEmpty());
    EXPECT_THAT(keys(unsaid_of(gemma3(48))), ElementsAre("gemma3.rope.scaling.type"));
    EXPECT_THAT(unsaid_of(gemma3(48, {{"gemma3.rope.scaling.type", std::string("linear")}, {"gemma3.rope.scaling.factor", 8.0f}})), testing::IsEmpty());
}

TEST(Unsaid, OlmoesEpsilon) {
    const auto olmoe = [](std::uint32_t layers, std::uint32_t hidden, float epsilon) {
        return with(family("olmoe", layers, hidden), {{"olmoe.expert_count", 64u}, {"olmoe.expert_used_count", 8u}, {"olmoe.attention.layer_norm_rms_epsilon", epsilon}});
    };
    EXPECT_THAT(keys(unsaid_of(olmoe(3, 64, 1e-5f))), ElementsAre("olmoe.attention.layer_norm_rms_epsilon"));
    EXPECT_THAT(unsaid_of(olmoe(3, 64, 1e-6f)), testing::IsEmpty()) << "said";
    EXPECT_THAT(unsaid_of(olmoe(16, 2048, 1e-5f)), testing::IsEmpty()) << "as published";
}

TEST(Unsaid, DeepseeksScoresAndScale) {
    const Values v3 = with(family("deepseek2", 3, 64), {{"deepseek2.expert_count", 8u}, {"deepseek2.expert_used_count", 2u}, {"deepseek2.attention.kv_lora_rank", 32u},
                                                        {"deepseek2.attention.value_length_mla", 32u}, {"deepseek2.attention.key_length_mla", 48u}, {"deepseek2.attention.key_length", 48u},
                                                        {"deepseek2.rope.dimension_count", 16u}, {"deepseek2.rope.scaling.type", std::string("yarn")}, {"deepseek2.rope.scaling.factor", 40.0f},
                                                        {"deepseek2.rope.scaling.original_context_length", 4096u}});
    EXPECT_THAT(keys(unsaid_of(v3)), ElementsAre("deepseek2.expert_gating_func", "deepseek2.rope.scaling.yarn_log_multiplier"));
    EXPECT_THAT(keys(unsaid_of(v3, {"blk.1.exp_probs_b.bias"})), ElementsAre("deepseek2.rope.scaling.yarn_log_multiplier"));
    EXPECT_THAT(unsaid_of(with(v3, {{"deepseek2.expert_gating_func", 2u}, {"deepseek2.rope.scaling.yarn_log_multiplier", 0.1f}})), testing::IsEmpty());
}

// Every golden checkpoint: what is told of its GGUF, and that the folder it was made from leaves nothing open.
TEST(Unsaid, OfTheGoldenCheckpoints) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const std::map<std::string, std::vector<std::string>> told = {
        {"gpt_oss_truncate", {"gpt-oss.rope.scaling.truncate"}},
        {"gpt_oss_mxfp4", {"gpt-oss.rope.scaling.truncate"}},
        {"gemma3_text", {"gemma3.attention.scale", "gemma3.attention.sliding_window_pattern"}},
        {"olmoe", {"olmoe.attention.layer_norm_rms_epsilon"}},
    };
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*golden))
        for (const char* name : {"", "model-f16.gguf", "model.gguf"}) {
            const auto path = *name ? entry.path() / name : entry.path();
            if (entry.path().filename() == "bert_minilm" || !std::filesystem::exists(*name ? path : path / "config.json")) continue;
            SCOPED_TRACE(path.string());
            const auto file = ModelFile::open(path);
            ASSERT_TRUE(file) << file.error().message;
            const auto config = (*file)->config();
            ASSERT_TRUE(config) << config.error().message;
            const auto expected = told.find(*name ? entry.path().filename() : "");
            EXPECT_EQ(keys((*file)->unsaid(*config)), expected == told.end() ? std::vector<std::string>{} : expected->second);
            ++files;
        }
    EXPECT_GE(files, 70);
}

// A load warns once of what shows in the context that it was given; a look at the file, of what shows in the trained one.
TEST(Unsaid, ALoadWarnsOfWhatShowsInItsContext) {
    std::string bytes = support::read_text(support::data_dir() / "models/llama_tied.gguf");
    const auto replace = [&](const std::string& key, std::size_t after, const std::string& value) {
        const std::size_t at = bytes.find(key);
        ASSERT_NE(at, bytes.npos) << key;
        bytes.replace(at + key.size() + after, value.size(), value);
    };
    replace("general.name", 12, "Mistral_7b");                                  // a type, a length, ten letters
    replace("llama.context_length", 4, std::string("\x00\x20\x00\x00", 4));  // a type, 8192
    const support::TempDir folder;
    const auto path = folder.path() / "m.gguf";
    std::ofstream(path, std::ios::binary) << bytes;

    struct Warnings final : base::Log {
        std::vector<std::string> keys;
        void write(base::Level level, std::string_view, const base::Json& fields) override {
            if (level == base::Level::warn) keys.push_back(fields.at("key"));
        }
    };
    for (const auto& [context, expected] : {std::pair{8192, 1u}, std::pair{4096, 0u}}) {
        Warnings log;
        const auto engine = Engine::load({.path = path, .threads = 1, .context = context, .max_sequences = 1, .log = &log});
        ASSERT_TRUE(engine) << engine.error().message;
        EXPECT_EQ((*engine)->info().unsaid.size(), expected) << context;
        EXPECT_EQ(log.keys, std::vector<std::string>(expected, "llama.attention.sliding_window")) << context;
    }
    EXPECT_THAT(keys(Engine::inspect(path)->unsaid), ElementsAre("llama.attention.sliding_window"));
}
