// Checkpoints in Hugging Face's form, by the folder: whole ones, in shards, and damaged ones.
#include "engine/model/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "checkpoint_folder.h"
#include "engine/engine.h"
#include "engine/model/draft.h"
#include "text/either_template.h"

using namespace engine;
using testing::AllOf;
using testing::HasSubstr;
using namespace checkpoints;

namespace {

// Of ids below `known` only.
std::vector<TokenId> greedy(Engine& engine, const std::vector<TokenId>& prompt, int n, int known) {
    Request r;
    for (int id = known; id < engine.info().vocabulary; ++id) r.sampling.logit_bias.emplace(id, -INFINITY);
    r.prompt.emplace_back();
    r.prompt.back().tokens = prompt;
    r.max_tokens = n;
    r.sampling.temperature = 0;
    r.ignore_eos = true;
    auto session = engine.start(r);
    if (!session) throw std::runtime_error(session.error().message);
    std::vector<TokenId> out;
    while (auto event = (*session)->next())
        if (event->id >= 0) out.push_back(event->id);
    return out;
}

// Greedy text by the golden's prompts, of the tokens that the folder's tokenizer has: a GGUF fills the vocabulary up.
std::vector<std::vector<TokenId>> texts(const fs::path& path, const fs::path& folder) {
    SCOPED_TRACE(path.string());
    auto engine = Engine::load({.path = path, .profile = Profile::exact, .threads = 2});
    std::vector<std::vector<TokenId>> out;
    EXPECT_TRUE(engine) << engine.error().message;
    if (!engine) return out;
    const json golden = json::parse(support::read_text(folder / "golden.json"));
    const int known = text::Tokenizer::create(*(*ModelFile::open(folder))->vocabulary()).value()->size();
    for (const auto& prompt : golden["prompts"]) out.push_back(greedy(**engine, prompt["ids"], 24, known));
    return out;
}

}  // namespace

TEST(Checkpoint, GeneratesByTheFolderItsConfigItsWeightsOrTheirIndex) {
    const auto from = golden_folder("llama3_rope");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    const auto expected = texts(*from / "model-f16.gguf", *from);
    ASSERT_EQ(expected.size(), 4u);
    EXPECT_EQ(expected[0].size(), 24u);
    for (const char* file : {"", "config.json", "model.safetensors"}) EXPECT_EQ(texts(*file ? *from / file : *from, *from), expected);
    Folder folder(*from);
    folder.write_shards();
    EXPECT_EQ(texts(folder.path(), *from), expected);
    EXPECT_EQ(texts(folder.path() / "model.safetensors.index.json", *from), expected);
}

TEST(Checkpoint, SaysWhatItIs) {
    const auto from = golden_folder("qwen3_moe");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    const auto info = Engine::inspect(*from), twin = Engine::inspect(*from / "model-f16.gguf");
    ASSERT_TRUE(info) << info.error().message;
    ASSERT_TRUE(twin) << twin.error().message;
    EXPECT_EQ(info->name, "qwen3_moe");
    EXPECT_EQ(info->architecture, twin->architecture);
    EXPECT_EQ(info->format, "BF16");
    EXPECT_EQ(info->parameters, twin->parameters);
    EXPECT_EQ(info->active_parameters, twin->active_parameters);
    EXPECT_EQ(info->experts, twin->experts);
    EXPECT_EQ(info->trained_context, twin->trained_context);
    EXPECT_EQ(info->eos_token, "<|eos|>");
    EXPECT_EQ(info->file_bytes, fs::file_size(*from / "model.safetensors"));
    const auto quantised = Engine::inspect(from->parent_path() / "q_qwen3_awq");
    ASSERT_TRUE(quantised) << quantised.error().message;
    EXPECT_EQ(quantised->format, "INT4 (awq)");
}

TEST(Checkpoint, TakesSamplingEndsAndTemplateFromTheFilesBesideIt) {
    const auto from = golden_folder("qwen3");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    Folder folder(*from);
    folder.write_all();
    write(folder.path() / "generation_config.json", R"({"eos_token_id": [3, 5], "temperature": 0.25, "top_k": 7, "top_p": 0.5, "repetition_penalty": 1.5, "suppress_tokens": [7, 250]})");
    json tokenizer = json::parse(support::read_text(folder.path() / "tokenizer_config.json"));
    tokenizer["chat_template"] = "old";
    write(folder.path() / "tokenizer_config.json", tokenizer.dump());
    const auto info = Engine::inspect(folder.path());
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->default_sampling.temperature, 0.25f);
    EXPECT_EQ(info->default_sampling.top_k, 7);
    EXPECT_EQ(info->default_sampling.top_p, 0.5f);
    EXPECT_EQ(info->default_sampling.repetition_penalty, 1.5f);
    EXPECT_EQ(info->default_sampling.logit_bias, (std::map<TokenId, float>{{7, -INFINITY}, {250, -INFINITY}}));
    EXPECT_EQ(info->chat_template, "old");
    tokenizer["chat_template"] = json::parse(R"([{"name": "tool_use", "template": "with"}, {"name": "rag", "template": "other"}, {"name": "default", "template": "without"}])");
    write(folder.path() / "tokenizer_config.json", tokenizer.dump());
    EXPECT_EQ(Engine::inspect(folder.path())->chat_template, text::either_template("without", "with"));
    write(folder.path() / "chat_template.jinja", "new");
    EXPECT_EQ(Engine::inspect(folder.path())->chat_template, "new");
    const auto vocabulary = (*Checkpoint::open(folder.path()))->vocabulary();
    ASSERT_TRUE(vocabulary) << vocabulary.error().message;
    EXPECT_THAT(vocabulary->end_of_generation, testing::ElementsAre(3, 5, 1));
}

TEST(Checkpoint, EveryFoldersOwnTokenizerGivesItsIds) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    int folders = 0, texts = 0;
    for (const auto& entry : fs::directory_iterator(*golden)) {
        const fs::path cases = entry.path() / "golden_tokenizer.json";
        if (!fs::exists(cases) || !fs::exists(entry.path() / "model.safetensors") || entry.path().filename() == "bert_minilm") continue;
        SCOPED_TRACE(entry.path().filename());
        auto file = ModelFile::open(entry.path());
        ASSERT_TRUE(file) << file.error().message;
        auto vocabulary = (*file)->vocabulary();
        ASSERT_TRUE(vocabulary) << vocabulary.error().message;
        const auto tokenizer = text::Tokenizer::create(*std::move(vocabulary));
        ASSERT_TRUE(tokenizer) << tokenizer.error().message;
        ++folders;
        const json recorded = json::parse(support::read_text(cases));
        for (const auto& item : recorded["texts"]) {
            ++texts;
            const std::string given = item["text"];
            EXPECT_EQ((*tokenizer)->encode(given, true), item["ids"].get<std::vector<TokenId>>()) << given;
        }
    }
    EXPECT_GE(folders, 52);
    EXPECT_GE(texts, 500);
}

namespace {

// Puts a part of the modules of a layer's experts into one tensor, the expert first; `turned`: outputs come last.
void fuse(Folder& f, const std::string& layer, const std::vector<std::string>& modules, const std::string& part, const std::string& to, bool turned = false) {
    const json& config = f.config.contains("text_config") ? f.config["text_config"] : f.config;
    const int experts = config.contains("num_experts") ? config["num_experts"] : config["num_local_experts"];
    std::string bytes;
    json all;
    for (int e = 0; e < experts; ++e) {
        std::string one;
        std::uint64_t rows = 0;
        for (const std::string& module : modules) {
            const std::string name = layer + std::to_string(e) + "." + module + "." + part;
            ASSERT_TRUE(f.header.contains(name)) << name;
            all = f.header[name];
            rows += all["shape"].empty() ? 1 : all["shape"][0].get<std::uint64_t>();
            one += f.data.at(name);
            f.header.erase(name);
        }
        if (!all["shape"].empty()) all["shape"][0] = rows;
        if (turned) {
            const std::size_t cols = all["shape"][1], size = one.size() / rows / cols;
            std::string other(one.size(), '\0');
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t c = 0; c < cols; ++c) std::memcpy(&other[(c * rows + r) * size], &one[(r * cols + c) * size], size);
            one = other;
            all["shape"] = {cols, rows};
        }
        bytes += one;
    }
    all["shape"].insert(all["shape"].begin(), experts);
    f.header[layer.substr(0, layer.size() - 1) + "." + to] = all;
    f.data[layer.substr(0, layer.size() - 1) + "." + to] = bytes;
}

std::vector<float> logits(const fs::path& path) {
    auto engine = Engine::load({.path = path, .profile = Profile::exact, .threads = 2});
    EXPECT_TRUE(engine) << engine.error().message;
    if (!engine) return {};
    std::vector<TokenId> ids;
    for (int i = 0; i < 40; ++i) ids.push_back((i * 37 + 5) % 300);
    return *(*engine)->logits(ids);
}

const std::string kLayer0 = "model.layers.0.mlp.experts.";

}  // namespace

TEST(Checkpoint, ExpertsInOneTensorAreWhatTheirModulesAre) {
    const auto from = golden_folder("qwen3_moe");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    const auto expected = logits(*from);
    for (const bool turned : {false, true}) {
        Folder folder(*from);
        for (int layer = 0; layer < folder.config["num_hidden_layers"]; ++layer) {
            const std::string name = "model.layers." + std::to_string(layer) + ".mlp.experts.";
            fuse(folder, name, {"gate_proj", "up_proj"}, "weight", "gate_up_proj");  // of as many outputs as inputs
            fuse(folder, name, {"down_proj"}, "weight", "down_proj", turned);
        }
        folder.write_all();
        EXPECT_EQ(logits(folder.path()), expected) << turned;
    }
}

// What the shape does not tell, the family does: as many outputs as inputs.
TEST(Checkpoint, Qwen3VlHasInputsAsRows) {
    const auto from = golden_folder("qwen3_omni_thinker");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    const auto expected = logits(*from);
    Folder folder(*from);
    json config = folder.config["thinker_config"]["text_config"], header = json::object();
    ASSERT_EQ(2 * config["moe_intermediate_size"].get<int>(), config["hidden_size"].get<int>());
    config["model_type"] = "qwen3_vl_moe_text";
    folder.config = {{"model_type", "qwen3_vl_moe"}, {"text_config", config}, {"tie_word_embeddings", false}};
    std::map<std::string, std::string> data;
    for (const auto& [name, tensor] : folder.header.items()) {
        std::string theirs = name.substr(std::strlen("thinker."));
        if (theirs.starts_with("audio_tower")) continue;
        if (theirs.starts_with("visual")) theirs = "model." + theirs;
        if (theirs.starts_with("model.layers") || theirs.starts_with("model.embed") || theirs.starts_with("model.norm")) theirs.insert(std::strlen("model."), "language_model.");
        header[theirs] = tensor;
        data[theirs] = folder.data.at(name);
    }
    folder.header = header, folder.data = data;
    for (int layer = 0; layer < config["num_hidden_layers"]; ++layer) {
        const std::string name = "model.language_model.layers." + std::to_string(layer) + ".mlp.experts.";
        fuse(folder, name, {"gate_proj", "up_proj"}, "weight", "gate_up_proj", true);
        fuse(folder, name, {"down_proj"}, "weight", "down_proj", true);
    }
    folder.write_all();
    EXPECT_EQ(logits(folder.path()), expected);
}

TEST(Checkpoint, QuantisedExpertsInOneTensorAreWhatTheirModulesAre) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const std::vector<std::string> both = {"gate_proj", "up_proj"}, down = {"down_proj"};
    const struct {
        const char* folder;
        std::function<void(Folder&)> change;
    } kCases[] = {
        {"q_qwen3_moe_ct_fp8_channel", [&](Folder& f) {
             fuse(f, kLayer0, both, "weight", "gate_up_proj"), fuse(f, kLayer0, both, "weight_scale", "gate_up_proj_scale_inv");
             fuse(f, kLayer0, down, "weight", "down_proj"), fuse(f, kLayer0, down, "weight_scale", "down_proj_scale_inv");
         }},
        {"q_qwen3_moe_fp8_block_native", [&](Folder& f) {
             fuse(f, kLayer0, both, "weight", "gate_up_proj"), fuse(f, kLayer0, both, "weight_scale_inv", "gate_up_proj_scale_inv");
             fuse(f, kLayer0, down, "weight", "down_proj"), fuse(f, kLayer0, down, "weight_scale_inv", "down_proj_scale_inv");
         }},
        {"q_qwen3_moe_modelopt_nvfp4", [&](Folder& f) {
             fuse(f, kLayer0, down, "weight", "down_proj"), fuse(f, kLayer0, down, "weight_scale", "down_proj_weight_scale");
             fuse(f, kLayer0, down, "weight_scale_2", "down_proj_weight_scale_2"), fuse(f, kLayer0, down, "input_scale", "down_proj_input_scale");
         }},
        {"q_qwen3_moe_ct_w4a16_g128", [&](Folder& f) {
             fuse(f, kLayer0, both, "weight_packed", "gate_up_proj.weight_packed"), fuse(f, kLayer0, both, "weight_scale", "gate_up_proj.weight_scale");
             fuse(f, kLayer0, down, "weight_packed", "down_proj.weight_packed"), fuse(f, kLayer0, down, "weight_scale", "down_proj.weight_scale");
             for (auto it = f.header.begin(); it != f.header.end();) it = it.key().find(".experts.") != std::string::npos && it.key().ends_with("weight_shape") ? f.header.erase(it) : std::next(it);
         }},
    };
    for (const auto& one : kCases) {
        SCOPED_TRACE(one.folder);
        const auto expected = logits(*golden / one.folder);
        Folder folder(*golden / one.folder);
        one.change(folder);
        folder.write_all();
        EXPECT_EQ(logits(folder.path()), expected);
        const std::string scale = kLayer0 + (folder.header.contains(kLayer0 + "down_proj_scale_inv") ? "down_proj_scale_inv" : std::string(one.folder).ends_with("nvfp4") ? "down_proj_weight_scale" : "down_proj.weight_scale");
        folder.header[scale]["shape"].insert(folder.header[scale]["shape"].begin(), 1);
        folder.write_all();
        EXPECT_THAT(refusal(folder.path()), AllOf(HasSubstr("scale"), HasSubstr("experts first")));
        folder.header.erase(scale);
        folder.write_all();
        EXPECT_THAT(refusal(folder.path()), AllOf(HasSubstr("weight_scale"), HasSubstr("is missing, and '" + kLayer0 + "down_proj")));
    }
}

TEST(Checkpoint, TakesTokenizerModelWhereThereIsNoTokenizerJson) {
    Folder folder(support::data_dir() / "golden/olmo2");
    folder.write_all();
    fs::remove(folder.path() / "tokenizer.json");
    const auto none = (*ModelFile::open(folder.path()))->vocabulary();
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().remedy, testing::HasSubstr("tokenizer.model"));
    fs::copy_file(support::data_dir() / "tokenizers/bpe.model", folder.path() / "tokenizer.model");
    const auto vocabulary = (*ModelFile::open(folder.path()))->vocabulary();
    ASSERT_TRUE(vocabulary) << vocabulary.error().message;
    EXPECT_EQ(vocabulary->kind, text::Vocabulary::Kind::spm);
    EXPECT_EQ(vocabulary->eos, 2);
    write(folder.path() / "tokenizer.model", "none");
    EXPECT_FALSE((*ModelFile::open(folder.path()))->vocabulary());
}

TEST(Checkpoint, TakesTiktokenModelWhereItsClassIsKnown) {
    Folder folder(support::data_dir() / "golden/olmo2");
    folder.write_all();
    fs::remove(folder.path() / "tokenizer.json");
    fs::copy_file(support::data_dir() / "tokenizers/tiktoken.model", folder.path() / "tiktoken.model");
    write(folder.path() / "tokenizer_config.json", R"({"tokenizer_class": "TikTokenTokenizer"})");
    const auto vocabulary = (*ModelFile::open(folder.path()))->vocabulary();
    ASSERT_TRUE(vocabulary) << vocabulary.error().message;
    EXPECT_EQ(vocabulary->tokens.size(), 700u);
    write(folder.path() / "tokenizer_config.json", "{}");
    const auto unknown = (*ModelFile::open(folder.path()))->vocabulary();
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message, AllOf(HasSubstr("tiktoken.model"), HasSubstr("TikTokenTokenizer")));
}

TEST(Checkpoint, KimiK2IsDeepseekV3ByAnotherName) {
    const auto from = golden_folder("deepseek_v3");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    Folder folder(*from);
    folder.config["model_type"] = "kimi_k2";
    folder.write_all();
    EXPECT_EQ(logits(folder.path()), logits(*from));
}

TEST(Checkpoint, DamagedFoldersAreRefusedByName) {
    const auto from = golden_folder("qwen3");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    const std::string q = "model.layers.1.self_attn.q_proj.weight";
    const struct {
        const char* what;
        std::function<void(Folder&)> damage;
        std::vector<std::string> says;
    } kCases[] = {
        {"no damage", [](Folder& f) { f.write_all(); }, {}},
        {"numbers as Python writes them", [](Folder& f) { f.write_all(), write(f.path() / "config.json", R"({"limits": [0.0, Infinity, -Infinity, NaN, "a \" Infinity"], )" + f.config.dump().substr(1)); }, {}},
        {"a missing shard", [](Folder& f) { f.write_shards(), fs::remove(f.path() / Folder::kSecond); }, {Folder::kSecond}},
        {"no config", [](Folder& f) { f.write_all(), fs::remove(f.path() / "config.json"); }, {"config.json is missing"}},
        {"no tokenizer", [](Folder& f) { f.write_all(), fs::remove(f.path() / "tokenizer.json"); }, {"tokenizer.json is missing"}},
        {"a truncated header", [](Folder& f) { f.write_all(), fs::resize_file(f.path() / "model.safetensors", 100); }, {"model.safetensors", "header"}},
        {"truncated tensors", [](Folder& f) { f.write_all(), fs::resize_file(f.path() / "model.safetensors", fs::file_size(f.path() / "model.safetensors") - 2); }, {"model.safetensors"}},
        {"a missing tensor", [&](Folder& f) { f.header.erase(q), f.write_all(); }, {q, "missing"}},
        {"a missing norm", [](Folder& f) { f.header.erase("model.layers.0.self_attn.k_norm.weight"), f.write_all(); }, {"model.layers.0.self_attn.k_norm.weight", "missing"}},
        {"a tensor that nothing uses", [](Folder& f) { f.header["model.layers.0.mlp.extra.weight"] = f.header["model.norm.weight"], f.data["model.layers.0.mlp.extra.weight"] = f.data["model.norm.weight"], f.write_all(); },
         {"model.layers.0.mlp.extra.weight", "used by nothing"}},
        {"a scale that nothing uses", [](Folder& f) { f.header["model.layers.0.mlp.up_proj.weight_scale"] = f.header["model.norm.weight"], f.data["model.layers.0.mlp.up_proj.weight_scale"] = f.data["model.norm.weight"], f.write_all(); },
         {"model.layers.0.mlp.up_proj.weight_scale", "used by nothing"}},
        {"a wrong shape", [&](Folder& f) { f.header[q]["shape"] = {64, 128}, f.write_all(); }, {q, "[64, 128]", "expected [128, 64]"}},
        {"an unknown family", [](Folder& f) { f.config["model_type"] = "mamba9", f.write_all(); }, {"config.json", "'mamba9'", "this engine runs llama, mistral"}},
        {"a token that is never to come and does not exist", [](Folder& f) { f.write_all(), write(f.path() / "generation_config.json", R"({"suppress_tokens": [384]})"); }, {"generation_config.json", "suppress_tokens", "384"}},
        {"an unknown quantisation", [](Folder& f) { f.config["quantization_config"] = {{"quant_method", "squeeze"}}, f.write_all(); }, {"config.json", "'squeeze'", "this engine runs fp8"}},
        {"no number of layers", [](Folder& f) { f.config.erase("num_hidden_layers"), f.write_all(); }, {"config.json", "num_hidden_layers", "missing"}},
        {"no output where it is not tied", [](Folder& f) { f.config["tie_word_embeddings"] = false, f.write_all(); }, {"lm_head.weight", "missing"}},
        {"another activation", [](Folder& f) { f.config["hidden_act"] = "relu", f.write_all(); }, {"config.json", "relu", "silu"}},
        {"another rope scaling", [](Folder& f) { f.config["rope_scaling"] = {{"rope_type", "longrope"}, {"factor", 4.0}}, f.write_all(); }, {"config.json", "longrope"}},
        {"4096 layers and more", [](Folder& f) { f.config["num_hidden_layers"] = 1000000, f.write_all(); }, {"config.json", "num_hidden_layers", "1000000"}},
        {"a config that is no object", [](Folder& f) { f.write_all(), write(f.path() / "config.json", "[]"); }, {"config.json"}},
        {"a config that is no JSON", [](Folder& f) { f.write_all(), write(f.path() / "config.json", "{"); }, {"config.json"}},
    };
    for (const auto& one : kCases) {
        SCOPED_TRACE(one.what);
        Folder folder(*from);
        one.damage(folder);
        const std::string said = refusal(folder.path());
        EXPECT_EQ(said.empty(), one.says.empty()) << said;
        for (const std::string& part : one.says) EXPECT_THAT(said, HasSubstr(part));
    }
}

TEST(Checkpoint, QuantisationThatContradictsItsConfigurationIsRefusedByName) {
    const auto from = golden_folder("q_qwen3_fp8_block_native");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    const struct {
        const char* what;
        std::function<void(Folder&)> damage;
        std::vector<std::string> says;
    } kCases[] = {
        {"no damage", [](Folder&) {}, {}},
        {"no configuration of it", [](Folder& f) { f.config.erase("quantization_config"); }, {"names no quantisation", "FP8"}},
        {"another method", [](Folder& f) { f.config["quantization_config"] = {{"quant_method", "awq"}}; }, {"'awq'", "FP8"}},
        {"a module that is left out", [](Folder& f) { f.config["quantization_config"]["modules_to_not_convert"].push_back("model.layers.1.mlp.up_proj"); }, {"model.layers.1.mlp.up_proj.weight", "leaves it out"}},
        {"one left out by a glob", [](Folder& f) { f.config["quantization_config"]["modules_to_not_convert"].push_back("model.layers.0*"); }, {"model.layers.0.", "model.layers.0*"}},
        {"one left out by an expression", [](Folder& f) { f.config["quantization_config"]["ignore"] = {"re:.*down_proj$"}; }, {"down_proj.weight", "re:.*down_proj$"}},
        {"a broken expression", [](Folder& f) { f.config["quantization_config"]["ignore"] = {"re:(("}; }, {"config.json", "ignore"}},
        {"a missing scale", [](Folder& f) { f.header.erase("model.layers.0.mlp.up_proj.weight_scale_inv"); }, {"model.layers.0.mlp.up_proj.weight", "weight_scale"}},
        {"a second scale", [](Folder& f) { f.header["model.layers.0.mlp.up_proj.weight_scale"] = f.header["model.layers.0.mlp.up_proj.weight_scale_inv"], f.data["model.layers.0.mlp.up_proj.weight_scale"] = f.data["model.layers.0.mlp.up_proj.weight_scale_inv"]; },
         {"model.layers.0.mlp.up_proj.weight_scale_inv", "used by nothing"}},
        {"plain floats", [](Folder& f) {
             Folder plain(golden_folder("qwen3").value());
             const json said = f.config["quantization_config"];
             f.config = plain.config, f.header = plain.header, f.data = plain.data, f.config["quantization_config"] = said;
         }, {"model.layers.0.self_attn.q_proj.weight", "plain floats", "'fp8'"}},
        {"plain floats that are left out", [](Folder& f) {
             Folder plain(golden_folder("qwen3").value());
             f.config = plain.config, f.header = plain.header, f.data = plain.data, f.config["quantization_config"] = {{"quant_method", "fp8"}, {"modules_to_not_convert", {"self_attn", "language_model.layers.0.mlp", "model.layers.1*", "re:.*layers[.]2"}}};
         }, {}},
        {"other tiles", [](Folder& f) { f.config["quantization_config"]["weight_block_size"] = {32, 32}; }, {"weight_scale_inv", "expected"}},
    };
    for (const auto& one : kCases) {
        SCOPED_TRACE(one.what);
        Folder folder(*from);
        one.damage(folder);
        folder.write_all();
        const std::string said = refusal(folder.path());
        EXPECT_EQ(said.empty(), one.says.empty()) << said;
        for (const std::string& part : one.says) EXPECT_THAT(said, HasSubstr(part));
    }
}

// kv_b's keys are wanted turned, which no block survives: they become floats, and its values stay as they are.
TEST(Checkpoint, LatentKeysOfAQuantisedModuleAreItsValues) {
    const auto from = golden_folder("deepseek_v3_noqlora");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    Folder quantised(*from), plain(*from);
    const float scale = 0.25f;
    for (const auto& [name, tensor] : plain.header.items()) {
        if (!name.ends_with("kv_b_proj.weight")) continue;
        const std::size_t n = plain.data[name].size() / 2;
        std::string codes, values;
        for (std::size_t i = 0; i < n; ++i) {
            // 1 to 1.875 by steps of 1/8, of either sign: exponent 7, three bits of mantissa
            const int mantissa = int(i * 5 % 8), sign = int(i / 3 % 2);
            codes += char(sign << 7 | 7 << 3 | mantissa);
            const float value = (sign ? -scale : scale) * (1 + float(mantissa) / 8);
            values.append(reinterpret_cast<const char*>(&value), 4);
        }
        plain.header[name]["dtype"] = "F32", plain.data[name] = values;
        quantised.header[name]["dtype"] = "F8_E4M3", quantised.data[name] = codes;
        quantised.header[name + "_scale_inv"] = {{"dtype", "F32"}, {"shape", {1, 1}}};
        quantised.data[name + "_scale_inv"] = std::string(reinterpret_cast<const char*>(&scale), 4);
    }
    quantised.config["quantization_config"] = {{"quant_method", "fp8"}, {"weight_block_size", {128, 128}}, {"modules_to_not_convert", {"q_proj", "o_proj", "mlp"}}};
    std::vector<float> logits[2];
    for (Folder* folder : {&quantised, &plain}) {
        folder->write_all();
        auto engine = Engine::load({.path = folder->path(), .profile = Profile::exact, .threads = 1});
        ASSERT_TRUE(engine) << engine.error().message;
        logits[folder == &plain] = *(*engine)->logits({5, 17, 99, 3, 240, 7});
    }
    ASSERT_EQ(logits[0].size(), logits[1].size());
    for (std::size_t i = 0; i < logits[0].size(); ++i) ASSERT_NEAR(logits[0][i], logits[1][i], 1e-3) << i;
}

// What is wrong with a head that drafts is said by name when it is asked for, and never keeps the model from loading.
TEST(Checkpoint, AHeadThatDraftsIsReadWholeOrRefused) {
    const auto from = golden_folder("qwen3_5");
    if (!from) GTEST_SKIP() << "no golden checkpoints";
    struct {
        const char* what;
        std::function<void(Folder&)> damage;
        std::vector<std::string> says;
    } kCases[] = {
        {"no damage", [](Folder&) {}, {}},
        {"a missing norm", [](Folder& f) { f.header.erase("mtp.norm.weight"); }, {"mtp.norm.weight", "missing"}},
        {"a projection of the state alone", [](Folder& f) { f.header["mtp.fc.weight"] = f.header["mtp.layers.0.self_attn.k_proj.weight"], f.data["mtp.fc.weight"] = f.data["mtp.layers.0.self_attn.k_proj.weight"]; },
         {"mtp.fc.weight", "expected [64, 128]"}},
        {"an embedding of its own", [](Folder& f) { f.header["mtp.embed_tokens.weight"] = f.header["mtp.norm.weight"], f.data["mtp.embed_tokens.weight"] = f.data["mtp.norm.weight"]; },
         {"mtp.embed_tokens.weight", "used by nothing"}},
    };
    Pool pool(1);
    for (const auto& one : kCases) {
        SCOPED_TRACE(one.what);
        Folder folder(*from);
        one.damage(folder);
        folder.write_all();
        auto file = ModelFile::open(folder.path());
        ASSERT_TRUE(file) << file.error().message;
        const Config config = *(*file)->config();
        const auto measured = measure_draft_head(**file, config, ref_ops());
        auto model = load_model(*std::move(file), config, ref_ops(), pool, {});
        ASSERT_TRUE(model) << model.error().message;
        const auto head = load_draft_head(**model, pool);
        ASSERT_EQ(head.ok(), one.says.empty());
        EXPECT_EQ(measured.ok(), head.ok());
        for (const std::string& part : one.says) EXPECT_THAT(head.error().message, HasSubstr(part));
    }
}
