// Scales that a checkpoint has for its KV cache are left out and told by name; any other that nothing uses is refused.
#include "engine/model/cache_scales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_folder.h"
#include "support/fixtures.h"

using namespace engine;
using namespace checkpoints;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

Folder olmo2() { return Folder(support::data_dir() / "golden/olmo2"); }

void add(Folder& folder, const std::string& name, const std::string& like = {}) {
    const float one = 1;
    folder.header[name] = like.empty() ? json{{"dtype", "F32"}, {"shape", json::array()}} : folder.header.at(like);
    folder.data[name] = like.empty() ? std::string(reinterpret_cast<const char*>(&one), 4) : folder.data.at(like);
}

std::vector<std::string> keys(const std::vector<Unsaid>& all) {
    std::vector<std::string> out;
    for (const Unsaid& one : all) {
        EXPECT_TRUE(one.left_out) << one.key;
        EXPECT_THAT(one.taken, HasSubstr("left out"));
        out.push_back(one.key);
    }
    return out;
}

std::vector<std::string> told(const Folder& folder) {
    const auto info = Engine::inspect(folder.path());
    if (!info) throw std::runtime_error(info.error().text());
    return keys(info->unsaid);
}

struct Warnings final : base::Log {
    std::vector<std::string> lines;
    void write(base::Level level, std::string_view what, const base::Json& fields) override {
        if (level == base::Level::warn) lines.push_back(std::string(what) + ": " + fields.at("key").get<std::string>());
    }
};

// By vLLM, by modelopt, and for attention that is rounded whole.
const std::string kLayer = "model.layers.0.self_attn.", kOther = "model.layers.1.self_attn.";

}  // namespace

TEST(CacheScales, AreLeftOutAndToldByNameWhileTheWeightsStayWhatTheyAre) {
    Folder plain = olmo2(), folder = olmo2();
    for (const std::string& layer : {kLayer, kOther})
        for (const char* scale : {"k_scale", "v_scale", "k_proj.k_scale", "v_proj.v_scale"}) add(folder, layer + scale);
    for (const char* scale : {"q_scale", "attn.prob_scale", "prob_output_scale"}) add(folder, kLayer + scale);
    plain.write_all(), folder.write_all();
    EXPECT_THAT(told(plain), IsEmpty());
    EXPECT_THAT(told(folder), ElementsAre("model.layers.N.self_attn.attn.prob_scale", "model.layers.N.self_attn.k_proj.k_scale", "model.layers.N.self_attn.k_scale", "model.layers.N.self_attn.prob_output_scale",
                                          "model.layers.N.self_attn.q_scale", "model.layers.N.self_attn.v_proj.v_scale", "model.layers.N.self_attn.v_scale"));
    EXPECT_THAT(Engine::inspect(folder.path())->unsaid[2].taken, HasSubstr("(2 tensors)"));
    Warnings log;
    std::vector<float> logits[2];
    for (Folder* one : {&plain, &folder}) {
        const auto engine = Engine::load({.path = one->path(), .profile = Profile::exact, .threads = 1, .max_sequences = 1, .log = &log});
        ASSERT_TRUE(engine) << engine.error().message;
        logits[one == &folder] = *(*engine)->logits({5, 17, 99, 3, 240, 7});
        EXPECT_EQ(log.lines.size(), one == &folder ? 7u : 0u);
    }
    EXPECT_EQ(logits[0], logits[1]);
    EXPECT_EQ(log.lines[2], "the model's file says something that is not followed: model.layers.N.self_attn.k_scale");
}

TEST(CacheScales, AConfigurationThatQuantisesTheCacheIsTold) {
    Folder folder = olmo2();
    folder.config["quantization_config"] = {{"quant_method", "compressed-tensors"}, {"kv_cache_scheme", {{"num_bits", 8}, {"type", "float"}}}};
    folder.write_all();
    EXPECT_THAT(told(folder), ElementsAre("quantization_config.kv_cache_scheme"));
    folder.config["quantization_config"]["kv_cache_scheme"] = nullptr;
    folder.write_all();
    EXPECT_THAT(told(folder), IsEmpty());
    folder.config.erase("quantization_config");
    folder.write_all();
    write(folder.path() / "hf_quant_config.json", R"({"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["*"]}})");
    EXPECT_THAT(told(folder), ElementsAre("quantization.kv_cache_quant_algo"));
}

// A projection's scale of its outputs is the cache's where there is one to quantise; else nothing here would use it.
TEST(CacheScales, AScaleOfOutputsIsOneOnlyWhereTheCacheIsQuantised) {
    Folder folder = olmo2();
    add(folder, kLayer + "k_proj.output_scale");
    folder.write_all();
    EXPECT_THAT(refusal(folder.path()), AllOf(HasSubstr(kLayer + "k_proj.output_scale"), HasSubstr("used by nothing")));
    folder.config["quantization_config"] = {{"quant_method", "compressed-tensors"}, {"kv_cache_scheme", {{"num_bits", 8}}}};
    folder.write_all();
    EXPECT_EQ(refusal(folder.path()), "");
    EXPECT_THAT(told(folder), ElementsAre("quantization_config.kv_cache_scheme", "model.layers.N.self_attn.k_proj.output_scale"));
}

TEST(CacheScales, ElsewhereThanInAttentionTheyAreRefusedByName) {
    for (const char* name : {"k_scale", "model.k_scale", "model.layers.0.k_scale", "model.layers.0.mlp.k_scale", "model.layers.0.self_attn.o_proj.k_scale", "model.layers.0.self_attn.k_scale_inv",
                             "model.layers.0.self_attn.k_zero_point", "model.layers.0.self_attn.x.k_scale", "model.layers.0.self_attn.qk_scale", "model.layers.0.self_attn.k_norm.k_scale"}) {
        Folder folder = olmo2();
        add(folder, name);
        folder.write_all();
        EXPECT_THAT(refusal(folder.path()), AllOf(HasSubstr(std::string("'") + name + "'"), HasSubstr("used by nothing"))) << name;
    }
    Folder folder = olmo2();
    add(folder, "model.layers.99.self_attn.k_scale");
    folder.write_all();
    EXPECT_THAT(refusal(folder.path()), HasSubstr("model.layers.99.self_attn.k_scale")) << "of a layer that is not";
}

// Every tensor that says how a weight is quantised, of every quantised golden checkpoint: under another name it is missed, or refused.
TEST(CacheScales, AnyOtherScaleThatNothingUsesIsRefusedByName) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const std::string module = kLayer + "q_proj.";
    int parts = 0;
    for (const auto& entry : fs::directory_iterator(*golden)) {
        if (!entry.path().filename().string().starts_with("q_qwen3_") || entry.path().filename().string().starts_with("q_qwen3_5")) continue;
        const Folder whole(entry.path());
        for (const auto& [name, ignored] : whole.header.items()) {
            if (!name.starts_with(module) || name == module + "weight" || name.ends_with("qweight") || name.ends_with("weight_packed") || name.ends_with("bias")) continue;
            const std::string part = name.substr(module.size());
            SCOPED_TRACE(entry.path().filename().string() + " " + part);
            ++parts;
            Folder renamed(entry.path()), beside(entry.path());
            add(renamed, module + "other_" + part, name);
            renamed.header.erase(name), renamed.data.erase(name);
            renamed.write_all();
            EXPECT_THAT(refusal(renamed.path()), HasSubstr(module));
            add(beside, kLayer + part, name);
            beside.write_all();
            EXPECT_THAT(refusal(beside.path()), AllOf(HasSubstr("'" + kLayer + part + "'"), HasSubstr("used by nothing")));
        }
    }
    EXPECT_GE(parts, 20);
}
