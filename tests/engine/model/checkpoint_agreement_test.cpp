// What a checkpoint's configuration says and what its files hold: where the two disagree, or a part is missing, it is refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint_folder.h"
#include "engine/examine.h"

using namespace engine;
using testing::AllOf;
using testing::HasSubstr;
using namespace checkpoints;

namespace {

// Says that there is a layer less than the file holds.
void drop_a_layer(json& config) {
    config["num_hidden_layers"] = config["num_hidden_layers"].get<int>() - 1;
    if (config.contains("layer_types")) config["layer_types"].erase(config["layer_types"].size() - 1);
}

std::string notes(const fs::path& path) {
    const Examination e = examine({.path = path, .profile = Profile::exact, .threads = 1});
    std::string out = e.refused ? "refused: " + e.refused->message : "";
    for (const std::string& note : e.notes) out += note + "\n";
    return out;
}

// Of the folder as it is written now; where nothing is to be said it loads.
void expect_refusal(Folder& folder, const std::vector<std::string>& says) {
    folder.write_all();
    const std::string said = refusal(folder.path());
    EXPECT_EQ(said.empty(), says.empty()) << said;
    for (const std::string& part : says) EXPECT_THAT(said, HasSubstr(part));
}

}  // namespace

TEST(Checkpoint, LayersThatNothingCountsAreNeverLeftOutInSilence) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"llama3_rope", "gemma3_text", "gpt_oss", "deepseek_v3", "glm4_moe", "q_qwen3_awq"}) {
        SCOPED_TRACE(name);
        Folder folder(*golden / name);
        json& config = folder.config.contains("text_config") ? folder.config["text_config"] : folder.config;
        const int whole = config["num_hidden_layers"];
        drop_a_layer(config);
        folder.write_all();
        EXPECT_THAT(refusal(folder.path()), AllOf(HasSubstr("layers." + std::to_string(whole - 1) + "."), HasSubstr("num_hidden_layers"), HasSubstr("behind the " + std::to_string(whole - 1) + " "),
                                                  HasSubstr("holds " + std::to_string(whole))));
    }
    for (const auto& [name, key] : {std::pair{"llama3_rope", "llama.block_count"}, std::pair{"deepseek_v3", "deepseek2.block_count"}, std::pair{"gemma3_text", "gemma3.block_count"}}) {
        SCOPED_TRACE(name);
        support::TempDir dir;
        std::string bytes = support::read_text(*golden / name / "model-f16.gguf");
        char& count = bytes[bytes.find(key) + std::strlen(key) + 4];
        const int whole = count--;
        write(dir.path() / "m.gguf", bytes);
        EXPECT_THAT(refusal(dir.path() / "m.gguf"), AllOf(HasSubstr("'blk." + std::to_string(whole - 1) + "."), HasSubstr(key), HasSubstr("holds " + std::to_string(whole))));
    }
}

TEST(Checkpoint, BlocksForDraftingAreLeftOutAndSaid) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"deepseek_v3", "glm4_moe", "llama3_rope"})
        for (const bool by_name : {false, true}) {
            SCOPED_TRACE(name);
            Folder folder(*golden / name);
            drop_a_layer(folder.config);
            if (by_name) folder.header["model.layers.2.eh_proj.weight"] = folder.header["model.norm.weight"], folder.data["model.layers.2.eh_proj.weight"] = folder.data["model.norm.weight"];
            else folder.config["num_nextn_predict_layers"] = 1;
            folder.write_all();
            EXPECT_THAT(notes(folder.path()), AllOf(HasSubstr("has a head for drafting"), testing::Not(HasSubstr("refused"))));
            // A layer before it is none of the head's, whatever the configuration says.
            drop_a_layer(folder.config);
            folder.write_all();
            EXPECT_THAT(refusal(folder.path()), HasSubstr("model.layers." + std::string(by_name ? "1" : "2") + "."));
        }
    for (const char* name : {"qwen3_next", "qwen3_5", "q_qwen3_5_moe_ct_nvfp4"}) EXPECT_THAT(notes(*golden / name), AllOf(HasSubstr("has a head for drafting"), testing::Not(HasSubstr("refused"))));
}

TEST(Checkpoint, APartOfAQuantisedModuleThatIsMissingIsNamed) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const std::string up = "model.layers.0.mlp.up_proj.", expert = "model.layers.0.mlp.experts.1.up_proj.";
    const std::pair<const char*, std::vector<std::string>> kCases[] = {
        {"q_qwen3_ct_w4a16_g32_asym", {up + "weight_zero_point", up + "weight_scale", up + "weight_packed"}},
        {"q_qwen3_ct_w4a16_g128", {up + "weight_scale", up + "weight_packed"}},
        {"q_qwen3_gptq_desc_act", {up + "g_idx", up + "qzeros", up + "scales", up + "qweight"}},
        {"q_qwen3_moe_gptq_desc_act", {expert + "g_idx"}},
        {"q_qwen3_awq", {up + "qzeros", up + "scales", up + "qweight"}},
        {"q_qwen3_fp8_block_native", {up + "weight_scale_inv", up + "weight"}},
        {"q_qwen3_ct_fp8_channel", {up + "weight_scale"}},
        {"q_qwen3_modelopt_nvfp4", {up + "weight_scale_2", up + "weight_scale", up + "weight"}},
        {"q_qwen3_moe_modelopt_nvfp4", {expert + "weight_scale_2"}},
        {"q_qwen3_ct_nvfp4", {up + "weight_global_scale", up + "weight_scale", up + "weight_packed"}},
        {"q_qwen3_ct_mxfp4", {up + "weight_scale", up + "weight_packed"}},
        {"gpt_oss_mxfp4", {"model.layers.0.mlp.experts.down_proj_scales", "model.layers.0.mlp.experts.gate_up_proj_scales", "model.layers.0.mlp.experts.down_proj_blocks", "model.layers.0.mlp.experts.gate_up_proj_blocks"}},
    };
    for (const auto& [name, tensors] : kCases)
        for (const std::string& tensor : tensors) {
            SCOPED_TRACE(std::string(name) + ": " + tensor);
            Folder folder(*golden / name);
            ASSERT_EQ(folder.header.erase(tensor), 1u);
            folder.write_all();
            EXPECT_THAT(refusal(folder.path()), HasSubstr("tensor '" + tensor + "' is missing"));
        }
}

TEST(Checkpoint, BitsAndGroupsThatTheConfigurationSaysOtherwiseAreRefused) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const auto weights = [](Folder& f) -> json& { return f.config["quantization_config"]["config_groups"]["group_0"]["weights"]; };
    const auto quantisation = [](Folder& f) -> json& { return f.config["quantization_config"]; };
    const struct {
        const char* folder;
        std::function<void(Folder&)> change;
        std::vector<std::string> says;
    } kCases[] = {
        {"q_qwen3_awq", [&](Folder& f) { quantisation(f)["group_size"] = 64; }, {".scales'", "groups of 128", "group_size 64"}},
        {"q_qwen3_gptq", [&](Folder& f) { quantisation(f)["group_size"] = 64; }, {".scales'", "groups of 128", "group_size 64"}},
        {"q_qwen3_gptq", [&](Folder& f) { quantisation(f)["group_size"] = -1; }, {".scales'", "groups of 128", "one group a row"}},
        {"q_qwen3_gptq", [&](Folder& f) { quantisation(f)["bits"] = 8; }, {".qweight'", "4 bits", "says 8"}},
        {"q_qwen3_gptq", [&](Folder& f) { quantisation(f)["bits"] = 8, quantisation(f)["dynamic"] = {{"+:.*", {{"bits", 4}}}}; }, {}},
        {"q_qwen3_ct_w4a16_g128", [&](Folder& f) { weights(f)["group_size"] = 64; }, {".weight_scale'", "groups of 128", "group_size 64"}},
        {"q_qwen3_ct_w4a16_g128", [&](Folder& f) { weights(f)["num_bits"] = 8; }, {".weight_packed'", "4 bits", "says 8"}},
        {"q_qwen3_ct_w4a16_g128", [&](Folder& f) { weights(f)["symmetric"] = false; }, {".weight_zero_point' is missing"}},
        {"q_qwen3_ct_w4a16_g128", [&](Folder& f) { weights(f)["actorder"] = "group"; }, {".weight_g_idx' is missing"}},
        {"q_qwen3_ct_w4a16_g128", [&](Folder& f) { weights(f)["actorder"] = "static"; }, {}},
        {"q_qwen3_ct_fp8_channel", [&](Folder& f) { weights(f)["num_bits"] = 4; }, {".weight'", "8 bits", "says 4"}},
        {"q_qwen3_ct_nvfp4", [&](Folder& f) { weights(f)["num_bits"] = 8; }, {".weight_packed'", "4 bits", "says 8"}},
        {"q_qwen3_ct_mxfp4", [&](Folder& f) { weights(f)["group_size"] = 16; }, {".weight_scale'", "groups of 32", "group_size 16"}},
        {"qwen3", [&](Folder& f) { quantisation(f) = {{"quant_method", "awq"}, {"bits", 4}, {"group_size", 32}}; }, {"_proj.weight'", "plain floats", "'awq'"}},
        {"qwen3", [&](Folder& f) { quantisation(f) = {{"quant_method", "gptq"}, {"bits", 4}, {"dynamic", {{"-:model", json::object()}}}}; }, {}},
        {"qwen3", [&](Folder& f) { quantisation(f) = {{"quant_method", "gptq"}, {"bits", 4}, {"modules_in_block_to_quantize", {{"self_attn.q_proj"}}}}; }, {"q_proj.weight'", "plain floats"}},
        {"gpt_oss", [&](Folder& f) { quantisation(f) = {{"quant_method", "mxfp4"}}; }, {"experts.", "plain floats", "'mxfp4'"}},
    };
    for (const auto& one : kCases) {
        Folder folder(*golden / one.folder);
        one.change(folder);
        SCOPED_TRACE(one.folder + folder.config.value("quantization_config", json()).dump());
        expect_refusal(folder, one.says);
    }
}

TEST(Checkpoint, WhatCompressedTensorsSaysOtherwiseThanItsTensorsIsRefused) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const struct {
        const char* folder;
        std::function<void(json& all, json& group, json& weights)> change;
        std::vector<std::string> says;
    } kCases[] = {
        {"q_qwen3_ct_w4a16_g128", [](json& all, json&, json&) { all["transform_config"] = {{"config_groups", {{"R1", {{"type", "hadamard"}}}}}}; }, {"config.json", "quantization_config.transform_config", "hadamard", "no transforms"}},
        {"q_qwen3_ct_w4a16_g128", [](json& all, json&, json&) { all["transform_config"] = {{"config_groups", json::object()}}; }, {}},
        {"q_qwen3_ct_w4a16_g128", [](json& all, json&, json&) { all["sparsity_config"] = {{"format", "sparse-24-bitmask"}}; }, {"config.json", "quantization_config.sparsity_config", "sparse-24-bitmask", "dense"}},
        {"q_qwen3_ct_w4a16_g128", [](json& all, json&, json&) { all["sparsity_config"] = {{"format", "dense"}}, all["transform_config"] = json::object(); }, {}},
        {"q_qwen3_ct_w4a16_g128", [](json& all, json&, json&) { all["sparsity_config"] = json::object(); }, {}},
        {"q_qwen3_ct_w4a16_g32_asym", [](json&, json&, json& weights) { weights["symmetric"] = true; }, {".weight_zero_point'", "'symmetric'", "true"}},
        {"q_qwen3_ct_w4a16_g32_asym", [](json&, json&, json& weights) { weights.erase("symmetric"); }, {}},
        {"q_qwen3_ct_w4a16_g128", [](json&, json&, json& weights) { weights["type"] = "float"; }, {".weight_packed'", "packed integers", "config_groups.group_0.weights.type' is \"float\""}},
        {"q_qwen3_ct_fp8_channel", [](json&, json&, json& weights) { weights["type"] = "int"; }, {".weight'", "FP8", "config_groups.group_0.weights.type' is \"int\""}},
        {"q_qwen3_ct_w4a16_g128", [](json&, json&, json& weights) { weights["type"] = "posit"; }, {"weights.type' is \"posit\"", "int, float"}},
        {"q_qwen3_ct_w4a16_g128", [](json&, json& group, json&) { group["targets"] = {"re:.*q_proj"}; }, {"_proj.weight_packed'", "config_groups", "targets"}},
        {"q_qwen3_ct_w4a16_g128", [](json&, json& group, json&) { group["targets"] = {"re:.*_proj$"}; }, {}},
        {"q_qwen3_moe_ct_w4a16_g128", [](json&, json& group, json&) { group["targets"] = {"re:model[.]layers[.][0-9]+[.]self_attn[.].*", "re:.*experts[.][0-9]+[.].*_proj"}; }, {}},
        {"q_qwen3_ct_w4a16_g128", [](json& all, json& group, json&) { all["format"] = "dense", group["format"] = nullptr; }, {".weight_packed'", "quantization_config.format' is \"dense\""}},
        {"q_qwen3_ct_w4a16_g128", [](json& all, json&, json&) { all["format"] = "mixed-precision"; }, {}},
        {"q_qwen3_ct_nvfp4", [](json& all, json&, json&) { all["format"] = "mxfp4-pack-quantized"; }, {".weight_packed'", "NVFP4", "quantization_config.format' is \"mxfp4-pack-quantized\""}},
        {"q_qwen3_ct_w4a16_g128", [](json&, json& group, json&) { group["format"] = "marlin-24"; }, {"group_0.format' is \"marlin-24\"", "pack-quantized"}},
        {"q_qwen3_ct_nvfp4", [](json&, json& group, json&) { group["format"] = "mxfp4-pack-quantized"; }, {".weight_packed'", "NVFP4", "group_0.format' is \"mxfp4-pack-quantized\""}},
        {"q_qwen3_ct_mxfp4", [](json&, json& group, json&) { group["format"] = "nvfp4-pack-quantized"; }, {".weight_packed'", "MXFP4", "group_0.format' is \"nvfp4-pack-quantized\""}},
        {"q_qwen3_ct_fp8_channel", [](json&, json& group, json&) { group["format"] = "naive-quantized"; }, {}},
        {"q_qwen3_ct_fp8_channel", [](json&, json&, json& weights) { weights["strategy"] = "tensor"; }, {".weight_scale'", "a scale a row", "'strategy'", "'tensor'"}},
        {"q_qwen3_ct_fp8_channel", [](json&, json&, json& weights) { weights["strategy"] = "block"; }, {".weight_scale'", "a scale a row", "'block'"}},
        {"q_qwen3_ct_fp8_block", [](json&, json&, json& weights) { weights["strategy"] = "channel"; }, {".weight_scale'", "'strategy'", "'channel'"}},
    };
    for (const auto& one : kCases) {
        Folder folder(*golden / one.folder);
        json& all = folder.config["quantization_config"];
        json& group = all["config_groups"]["group_0"];
        one.change(all, group, group["weights"]);
        SCOPED_TRACE(one.folder + all.dump());
        expect_refusal(folder, one.says);
    }
}

TEST(Checkpoint, WhatOtherMethodsSayOtherwiseThanTheirTensorsIsRefused) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const auto beside = [](Folder& f, const char* key, json value) {
        json whole = json::parse(support::read_text(f.path() / "hf_quant_config.json"));
        whole["quantization"][key] = std::move(value);
        write(f.path() / "hf_quant_config.json", whole.dump());
    };
    const auto quantisation = [](Folder& f) -> json& { return f.config["quantization_config"]; };
    const struct {
        const char* folder;
        std::function<void(Folder&)> change;
        std::vector<std::string> says;
    } kCases[] = {
        {"q_qwen3_modelopt_nvfp4", [&](Folder& f) { quantisation(f)["quant_algo"] = "FP8", fs::remove(f.path() / "hf_quant_config.json"); }, {".weight'", "NVFP4", "quant_algo' is \"FP8\""}},
        {"q_qwen3_modelopt_nvfp4", [&](Folder& f) { beside(f, "quant_algo", "FP8"); }, {"hf_quant_config.json", "quantization.quant_algo' is \"FP8\"", "\"NVFP4\"", "quantization_config.quant_algo"}},
        {"q_qwen3_modelopt_nvfp4", [&](Folder& f) { beside(f, "group_size", 32); }, {"hf_quant_config.json", "quantization.group_size' is 32", "16"}},
        {"q_qwen3_modelopt_nvfp4", [&](Folder& f) { beside(f, "quant_algo", "FP8"), quantisation(f).erase("quant_algo"); }, {".weight'", "NVFP4", "quantization.quant_algo' is \"FP8\""}},
        {"q_qwen3_fp8_block_native", [&](Folder& f) { quantisation(f).erase("weight_block_size"); }, {".weight_scale_inv'", "a scale a tile", "'weight_block_size'"}},
        {"q_qwen3_awq", [&](Folder& f) { quantisation(f)["zero_point"] = false; }, {".qzeros'", "'zero_point'", "false"}},
        {"q_qwen3_gptq", [&](Folder& f) { quantisation(f)["checkpoint_format"] = "marlin"; }, {"config.json", "checkpoint_format' is \"marlin\"", "gptq or gptq_v2"}},
        {"q_qwen3_gptq", [&](Folder& f) { quantisation(f)["is_marlin_format"] = true; }, {"config.json", "is_marlin_format' is true"}},
        {"q_qwen3_gptq_desc_act", [&](Folder& f) { quantisation(f)["desc_act"] = false; }, {".g_idx'", "'desc_act'", "false"}},
        {"q_qwen3_gptq_desc_act", [&](Folder& f) { quantisation(f).erase("desc_act"); }, {}},
        {"gpt_oss_mxfp4", [&](Folder& f) { quantisation(f)["modules_to_not_convert"].push_back("model.layers.*.mlp.experts"); }, {"experts.", "_blocks'", "MXFP4", "model.layers.*.mlp.experts"}},
    };
    for (const auto& one : kCases) {
        Folder folder(*golden / one.folder);
        one.change(folder);
        SCOPED_TRACE(one.folder + folder.config["quantization_config"].dump());
        expect_refusal(folder, one.says);
    }
}

TEST(Checkpoint, BiasesAndGatesAreThoseOfTheConfigurationAndOfEveryLayer) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const std::string q = "model.layers.1.self_attn.q_proj.bias", down = "model.layers.0.mlp.down_proj.bias";
    const struct {
        const char* folder;
        std::function<void(Folder&)> change;
        std::vector<std::string> says;
    } kCases[] = {
        {"llama3_rope", [](Folder& f) { f.config["attention_bias"] = true; }, {"config.json", "attention_bias", "model.layers.0.self_attn.q_proj.bias"}},
        {"llama3_rope", [](Folder& f) { f.config["mlp_bias"] = true; }, {"config.json", "mlp_bias", down}},
        {"glm4_moe", [](Folder& f) { for (const char* part : {"q", "k", "v"}) f.header.erase("model.layers.1.self_attn." + std::string(part) + "_proj.bias"); }, {q}},
        {"glm4_moe", [](Folder& f) { f.config["attention_bias"] = false; }, {"attention_bias", "q_proj.bias", "false"}},
        {"glm4_moe", [](Folder& f) { f.header.erase("model.layers.2.mlp.gate.e_score_correction_bias"); }, {"model.layers.2.mlp.gate.e_score_correction_bias", "missing"}},
        {"qwen2_moe", [](Folder& f) { f.header.erase("model.layers.1.mlp.shared_expert_gate.weight"); }, {"model.layers.1.mlp.shared_expert_gate.weight", "missing"}},
        {"granitemoehybrid", [](Folder& f) { f.config["mamba_conv_bias"] = false; }, {"mamba.conv1d.bias", "mamba_conv_bias", "false"}},
        {"granitemoehybrid", [](Folder& f) { for (int i : {0, 1, 3}) f.header.erase("model.layers." + std::to_string(i) + ".mamba.conv1d.bias"); }, {"config.json", "mamba_conv_bias", "true", "model.layers.0.mamba.conv1d.bias"}},
        {"granitemoehybrid", [](Folder& f) { f.config["mamba_proj_bias"] = true; }, {"config.json", "mamba_proj_bias", "true"}},
        {"lfm2", [](Folder& f) { f.config["conv_bias"] = true; }, {"config.json", "conv_bias", "true"}},
        {"deepseek_v3", [](Folder& f) { for (int i : {1, 2}) f.header.erase("model.layers." + std::to_string(i) + ".mlp.gate.e_score_correction_bias"); },
         {"config.json", "topk_method", "noaux_tc", "model.layers.1.mlp.gate.e_score_correction_bias"}},
        {"gpt_oss", [](Folder& f) { f.header.erase("model.layers.2.self_attn.o_proj.bias"); }, {"model.layers.2.self_attn.o_proj.bias", "missing"}},
    };
    for (const auto& one : kCases) {
        Folder folder(*golden / one.folder);
        one.change(folder);
        SCOPED_TRACE(one.folder + one.says.back());
        folder.write_all();
        for (const std::string& part : one.says) EXPECT_THAT(refusal(folder.path()), HasSubstr(part));
    }
}

TEST(Checkpoint, AFolderThatLacksAFileSaysWhich) {
    const auto from = golden_folder("qwen3");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    const auto error = [](const fs::path& path) { return Engine::plan({.path = path, .profile = Profile::exact, .threads = 1}).error(); };
    Folder folder(*from);
    folder.write_shards();
    EXPECT_EQ(refusal(folder.path() / Folder::kFirst), "");  // by one of its files, as by its index
    fs::remove(folder.path() / Folder::kSecond);
    for (const char* named : {"", Folder::kFirst}) {
        const auto e = error(*named ? folder.path() / named : folder.path());
        EXPECT_THAT(e.message, AllOf(HasSubstr(Folder::kSecond), HasSubstr("is missing")));
        EXPECT_THAT(e.remedy, HasSubstr("fetch all of them"));
    }
    fs::remove(folder.path() / "model.safetensors.index.json");
    EXPECT_THAT(error(folder.path() / Folder::kFirst).message, HasSubstr("model.safetensors.index.json is missing"));
    EXPECT_THAT(error(folder.path()).remedy, HasSubstr("model.safetensors.index.json"));
    support::TempDir parts;
    for (const char* part : {"m-00002-of-00002.gguf", "m-00001-of-00002.gguf"}) write(parts.path() / part, "GGUF");
    EXPECT_THAT(error(parts.path()).remedy, HasSubstr((parts.path() / "m-00001-of-00002.gguf").string()));
}

TEST(Checkpoint, AConversionForMlxIsRefusedWhereItsNormsAreOthers) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"qwen3_next", "qwen3_5", "qwen3_5_moe"}) {
        SCOPED_TRACE(name);
        Folder folder(*golden / name);
        for (auto&& [tensor, entry] : folder.header.items())
            if (tensor.ends_with("conv1d.weight")) std::swap(entry["shape"][1], entry["shape"][2]);
        expect_refusal(folder, {"conv1d.weight", "a conversion for MLX"});
    }
    Folder other(*golden / "lfm2");  // whose norms MLX leaves as they are
    for (auto&& [tensor, entry] : other.header.items())
        if (tensor.ends_with("conv.conv.weight")) std::swap(entry["shape"][1], entry["shape"][2]);
    expect_refusal(other, {});
}

TEST(Checkpoint, AFolderOfAnAdapterSaysWhatItIs) {
    Folder folder(support::data_dir() / "models/llama_tied");
    folder.write_all();
    fs::rename(folder.path() / "model.safetensors", folder.path() / "adapter_model.safetensors");
    fs::rename(folder.path() / "config.json", folder.path() / "adapter_config.json");
    for (const char* named : {"", "adapter_model.safetensors"})
        EXPECT_THAT(refusal(*named ? folder.path() / named : folder.path()), AllOf(HasSubstr("adapter_config.json: the folder holds an adapter"), HasSubstr("none itself")));
}

TEST(Checkpoint, LatentAttentionHasOneHeadOfKeysInEveryContainer) {
    const auto from = golden_folder("deepseek_v3");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    for (const fs::path& path : {*from, *from / "model-f16.gguf"}) EXPECT_EQ(examine({.path = path, .profile = Profile::exact, .threads = 1}).file.kv_heads, 1) << path;
}
