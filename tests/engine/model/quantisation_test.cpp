// What lists of left-out modules say, held against how the modules are stored.
#include "engine/model/quantisation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_folder.h"

using namespace engine;
using base::Json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Optional;
using Kind = Linear::Kind;

namespace {

// Of a checkpoint whose config.json has a configuration too, or none.
Quantisation of(const std::vector<std::string>& excluded, bool said_twice) {
    const Json config = said_twice ? Json::parse(R"({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ["lm_head"]}})") : Json::object();
    Json beside = Json::parse(R"({"quantization": {"quant_algo": "NVFP4", "group_size": 16}})");
    beside["quantization"]["exclude_modules"] = excluded;
    auto out = Quantisation::read(config, "m/config.json", beside, "m/hf_quant_config.json");
    if (!out) throw std::runtime_error(out.error().message);
    return *std::move(out);
}

}  // namespace

TEST(Quantisation, ModulesThatModeloptExcludesArePlainAndNoOthers) {
    const std::string layer = "model.layers.1.", q = layer + "self_attn.q_proj", up = layer + "mlp.experts.3.up_proj";
    const struct {
        std::vector<std::string> excluded;
        std::string module;
        bool plain;
    } kCases[] = {
        {{}, q, false},
        {{}, up, false},
        {{}, layer + "linear_attn.out_proj", false},
        {{}, layer + "self_attn.kv_b_proj", false},
        {{q}, q, true},
        {{q}, layer + "self_attn.k_proj", false},
        {{layer + "self_attn"}, q, true},
        {{layer + "self_attn*"}, q, true},
        {{"model.layers.1*"}, up, true},
        {{"model.layers.11*"}, up, false},
        {{"*.q_proj"}, q, true},
        {{layer + "mlp.gate"}, layer + "mlp.gate_proj", false},
        {{"mtp*", "mtp.layers.1*", "mtp.layers.1.self_attn.q_proj", "model.visual*"}, up, false},
    };
    for (const bool said_twice : {false, true})
        for (const auto& [excluded, module, plain] : kCases) {
            SCOPED_TRACE(module + (said_twice ? " twice, " : ", ") + testing::PrintToString(excluded));
            const Quantisation quantisation = of(excluded, said_twice);
            if (excluded.size() < 2) {  // names of another part are read generously where a module is plain
                EXPECT_EQ(!quantisation.contradiction(module, Kind::plain), plain);
            }
            EXPECT_EQ(!quantisation.contradiction(module, Kind::nvfp4), !plain);
            if (plain) {
                EXPECT_THAT(quantisation.contradiction(module, Kind::nvfp4), Optional(AllOf(HasSubstr("is stored as NVFP4"), HasSubstr("key 'exclude_modules' of m/hf_quant_config.json leaves it out by '" + excluded[0] + "'"))));
            } else if (excluded.size() < 2) {
                EXPECT_THAT(quantisation.contradiction(module, Kind::plain), Optional(AllOf(HasSubstr("plain floats"), HasSubstr("does not leave the module out"))));
            }
        }
    for (const char* module : {"lm_head", "model.embed_tokens", "model.layers.1.mlp.gate", "model.layers.1.mlp.shared_expert_gate", "model.layers.1.router.proj", "mtp.layers.0.self_attn.q_proj"})
        EXPECT_FALSE(of({}, false).contradiction(module, Kind::plain)) << module;
}

TEST(Quantisation, ACacheThatTheFileBesideQuantisesIsTold) {
    const Json config = Json::parse(R"({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}})");
    const auto read = [&](const char* cache) {
        return Quantisation::read(config, "m/config.json", Json::parse(R"({"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": )" + std::string(cache) + "}}"), "m/hf_quant_config.json");
    };
    EXPECT_EQ(read("\"FP8\"")->cache_key(), "quantization.kv_cache_quant_algo");
    EXPECT_EQ(read("null")->cache_key(), "");
}

TEST(Quantisation, AFolderThatContradictsItsFileBesideIsRefusedByName) {
    using namespace checkpoints;
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"q_qwen3_modelopt_nvfp4", "q_qwen3_moe_modelopt_nvfp4", "q_qwen3_5_moe_modelopt_nvfp4"})
        for (const bool said_twice : {true, false}) {
            SCOPED_TRACE(std::string(name) + (said_twice ? ", by both" : ", by the file beside"));
            Folder folder(*golden / name);
            json beside = json::parse(support::read_text(folder.path() / "hf_quant_config.json"));
            if (!said_twice) folder.config.erase("quantization_config");
            folder.write_all();
            EXPECT_EQ(refusal(folder.path()), "");
            json& excluded = beside["quantization"]["exclude_modules"];
            excluded.push_back("*.layers.0.self_attn*"), excluded.push_back("*.layers.0.linear_attn*");
            write(folder.path() / "hf_quant_config.json", beside.dump());
            EXPECT_THAT(refusal(folder.path()), AllOf(HasSubstr("layers.0."), HasSubstr("is stored as NVFP4"), HasSubstr("hf_quant_config.json leaves it out by '*.layers.0.")));
        }
    // A module that neither leaves out.
    Folder folder(*golden / "q_qwen3_modelopt_nvfp4");
    const std::string up = "model.layers.0.mlp.up_proj.";
    const json plain = folder.header[up + "weight"];
    const std::uint64_t rows = plain["shape"][0], cols = 2 * plain["shape"][1].get<std::uint64_t>();
    folder.header[up + "weight"] = {{"dtype", "BF16"}, {"shape", {rows, cols}}};
    folder.data[up + "weight"] = std::string(rows * cols * 2, '\0');
    for (const char* part : {"weight_scale", "weight_scale_2", "input_scale"}) folder.header.erase(up + part);
    folder.write_all();
    EXPECT_THAT(refusal(folder.path()), AllOf(HasSubstr("'" + up + "weight' is stored as plain floats"), HasSubstr("does not leave the module out")));
    json beside = json::parse(support::read_text(folder.path() / "hf_quant_config.json"));
    beside["quantization"]["exclude_modules"].push_back("model.layers.0.mlp.up*");
    write(folder.path() / "hf_quant_config.json", beside.dump());
    EXPECT_EQ(refusal(folder.path()), "");
}

// As writers spell them.
TEST(Quantisation, OneFormMayHaveTwoNames) {
    const auto refused = [](const char* said) {
        const auto out = Quantisation::read(Json{{"quantization_config", Json::parse(said)}}, "m/config.json", Json(), "");
        return out ? "" : out.error().message;
    };
    for (const char* version : {"gemm", "GEMM"}) EXPECT_EQ(refused((R"({"quant_method": "awq", "bits": 4, "group_size": 32, "version": ")" + std::string(version) + "\"}").c_str()), "");
    for (const char* form : {"e4m3", "float8_e4m3fn"}) EXPECT_EQ(refused((R"({"quant_method": "fp8", "fmt": ")" + std::string(form) + "\"}").c_str()), "");
    EXPECT_THAT(refused(R"({"quant_method": "awq", "bits": 4, "group_size": 32, "version": "gemv"})"), AllOf(HasSubstr("quantization_config.version"), HasSubstr("gemv"), HasSubstr("gemm or GEMM")));
    EXPECT_THAT(refused(R"({"quant_method": "fp8", "fmt": "float8_e5m2"})"), AllOf(HasSubstr("quantization_config.fmt"), HasSubstr("float8_e5m2"), HasSubstr("e4m3 or float8_e4m3fn")));
}
