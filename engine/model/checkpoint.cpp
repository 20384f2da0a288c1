#include "engine/model/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/model/cache_scales.h"
#include "engine/model/checkpoint_tensors.h"
#include "engine/model/weights.h"
#include "text/json_node.h"
#include "text/sentence_piece.h"
#include "text/tiktoken.h"
#include "text/tokenizer_json.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;

fs::path folder_of(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored) ? path : path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// A token's id that is one number or the first of several.
std::vector<std::int64_t> ids(const text::JsonNode& node) {
    std::vector<std::int64_t> out;
    if (node.absent()) return out;
    if (!node.is_array()) return {node.integer(0, INT32_MAX)};
    for (const text::JsonNode& one : node.items()) out.push_back(one.integer(0, INT32_MAX));
    return out;
}

}  // namespace

bool Checkpoint::is_one(const fs::path& path) {
    std::error_code ignored;
    return path.extension() == ".safetensors" || path.extension() == ".json" || fs::is_directory(path, ignored);
}

base::Result<std::unique_ptr<ModelFile>> Checkpoint::open(const fs::path& path) {
    const fs::path folder = folder_of(path);
    std::unique_ptr<Checkpoint> out(new Checkpoint(path, CheckpointFiles::in(folder)));
    if (const char* const adapter = "adapter_config.json"; out->files_.has(adapter) && !out->files_.has("config.json"))
        return base::error(Code::unsupported, out->files_.shown(adapter) + ": the folder holds an adapter, which changes a model and is none itself", "name the folder of a model, or of one that the adapter was merged into");
    const bool weights = path.extension() == ".safetensors" || path.string().ends_with(".safetensors.index.json");
    auto opened = Safetensors::open(weights ? path : folder);
    if (!opened) return std::move(opened).error();
    out->weights_ = *std::move(opened);
    if (auto read = out->read_configs(); !read) return std::move(read).error();
    return std::unique_ptr<ModelFile>(std::move(out));
}

base::Result<std::unique_ptr<ModelFile>> Checkpoint::describe(const fs::path& path, CheckpointFiles files) {
    std::unique_ptr<Checkpoint> out(new Checkpoint(path, std::move(files)));
    if (auto read = out->read_configs(); !read) return std::move(read).error();
    return std::unique_ptr<ModelFile>(std::move(out));
}

base::Result<void> Checkpoint::read_configs() {
    if (!files_.has("config.json")) return base::error(Code::not_found, files_.shown("config.json") + " is missing", "name the folder of a model, or a GGUF");
    auto config = files_.json("config.json");
    if (!config) return std::move(config).error();
    raw_config_ = *std::move(config);
    auto checkpoint = read_checkpoint_config(raw_config_, files_.shown("config.json"));
    if (!checkpoint) return std::move(checkpoint).error();
    checkpoint_ = *std::move(checkpoint);
    auto generation = files_.json("generation_config.json"), quantised = files_.json("hf_quant_config.json");
    if (!generation) return std::move(generation).error();
    if (!quantised) return std::move(quantised).error();
    generation_ = *std::move(generation);
    auto quantisation = Quantisation::read(raw_config_, checkpoint_.file, *quantised, files_.shown("hf_quant_config.json"));
    if (!quantisation) return std::move(quantisation).error();
    quantisation_ = *std::move(quantisation);
    return {};
}

base::Error Checkpoint::error(std::string what, Code code) const {
    return base::error(code, path_.string() + ": " + std::move(what), code == Code::corrupt ? kFetchAgain : "");
}

base::Result<Config> Checkpoint::config() const {
    auto config = read_config(CheckpointKeys(checkpoint_));
    if (!config) return config;
    std::error_code ignored;
    const fs::path folder = folder_of(path_), whole = fs::canonical(folder, ignored);
    config->name = (whole.empty() ? folder : whole).filename().string();
    return config;
}

base::Result<text::Vocabulary> Checkpoint::read_tokenizer(const char* file) const {
    const auto text = files_.text(file);
    if (!text) return text.error();
    const std::string shown = files_.shown(file);
    if (std::string_view(file) == "tokenizer.json") return text::read_tokenizer_json(*text, shown);
    if (std::string_view(file) == "tokenizer.model") return text::read_sentence_piece(*text, shown);
    const auto config = files_.json("tokenizer_config.json");
    if (!config) return config.error();
    text::JsonProblem problem{files_.shown("tokenizer_config.json"), {}};
    const std::string called = text::JsonNode(&*config, "", problem)["tokenizer_class"].text("");
    if (problem.first) return *problem.first;
    return text::read_tiktoken(*text, called, shown);
}

base::Result<text::Vocabulary> Checkpoint::vocabulary() const {
    const char* file = "tokenizer.json";
    for (const char* other : {"tokenizer.model", "tiktoken.model"})
        if (!files_.has(file) && files_.has(other)) file = other;
    if (!files_.has(file)) return base::error(Code::not_found, files_.shown(file) + " is missing", "fetch it, tokenizer.model or tiktoken.model, too: other forms of a tokenizer are not read");
    auto v = read_tokenizer(file);
    if (!v) return v;
    if (files_.has("tokenizer_config.json")) {
        auto said = files_.text("tokenizer_config.json");
        if (!said) return std::move(said).error();
        if (auto applied = text::apply_tokenizer_config(*v, *said, files_.shown("tokenizer_config.json")); !applied) return std::move(applied).error();
    }
    text::JsonProblem problem{files_.shown("generation_config.json"), {}};
    const text::JsonNode generation(&generation_, "", problem), config(&raw_config_, "", problem);
    const auto known = [&](std::int64_t id) { return id < std::int64_t(v->tokens.size()); };
    for (const auto& [key, field] : {std::pair{"bos_token_id", &v->bos}, std::pair{"eos_token_id", &v->eos}})
        for (const text::JsonNode& node : {generation[key], config[key]})
            if (const auto found = ids(node); *field < 0 && !found.empty() && known(found[0])) *field = text::TokenId(found[0]);
    // Where the checkpoint says what ends a reply, nothing else does.
    for (const std::int64_t id : ids(generation["eos_token_id"]))
        if (known(id)) v->end_of_generation.push_back(text::TokenId(id));
    if (!v->end_of_generation.empty() && v->eos >= 0 && std::ranges::count(v->end_of_generation, v->eos) == 0) v->end_of_generation.push_back(v->eos);
    if (problem.first) return *problem.first;
    return v;
}

base::Result<Sampling> Checkpoint::sampling() const {
    Sampling out;
    text::JsonProblem problem{files_.shown("generation_config.json"), {}};
    const text::JsonNode node(&generation_, "", problem);
    const auto real = [&](const char* key, float& field) {
        if (!node[key].absent()) field = float(node[key].number());
    };
    real("temperature", out.temperature);
    real("top_p", out.top_p);
    real("min_p", out.min_p);
    real("repetition_penalty", out.repetition_penalty);
    out.top_k = int(node["top_k"].integer(0, INT32_MAX, out.top_k));
    if (const text::JsonNode never = node["suppress_tokens"]; !never.absent()) {
        const auto vocabulary = CheckpointKeys(checkpoint_).vocabulary(0);
        if (!vocabulary) return vocabulary.error();
        for (const text::JsonNode& id : never.items()) out.logit_bias[TokenId(id.integer(0, *vocabulary - 1))] = -INFINITY;
    }
    if (problem.first) return *problem.first;
    return out;
}

// The files of templates count and no configuration beside them, but for a "default" that they lack.
base::Result<ChatTemplates> Checkpoint::chat_templates() const {
    ChatTemplates out;
    const auto whole = [&] { return out.plain() == "default"; };
    for (const auto& [name, file] : files_.templates()) {
        auto source = files_.text(file.c_str());
        if (!source) return std::move(source).error();
        out.add(name, *std::move(source));
    }
    for (const char* file : {"chat_template.json", "tokenizer_config.json"}) {
        if (whole()) break;
        auto config = files_.json(file);
        if (!config) return std::move(config).error();
        text::JsonProblem problem{files_.shown(file), {}};
        const text::JsonNode node = text::JsonNode(&*config, "", problem)["chat_template"];
        const bool first = out.empty();
        const auto add = [&](const std::string& name, std::string source) {
            if (first || name == "default") out.add(name, std::move(source));
        };
        if (node.is_array())
            for (const text::JsonNode& one : node.items()) add(one["name"].text(), one["template"].text());
        else if (node.is_object())
            for (const auto& [name, ignored] : node.members().items()) add(name, node[name].text());
        else if (!node.absent()) add("default", node.text());
        if (problem.first) return *problem.first;
    }
    return out;
}

std::unique_ptr<TensorSource> Checkpoint::tensors(const Config& config) const {
    return std::make_unique<CheckpointTensors>(*weights_, checkpoint_, quantisation_, config);
}

std::vector<Unsaid> Checkpoint::unsaid(const Config& config) const {
    const std::string prefix = weights_ ? text_prefix_of(*weights_).layers : "";
    return CacheScales(prefix + "layers.", config.layers, quantisation_.cache_key()).left_out(weights_.get());
}

base::Result<ModelFile::Sizes> Checkpoint::sizes(const Config& config) const {
    auto measured = measure_model(*this, config, ref_ops());
    if (!measured) return std::move(measured).error();
    const auto most = std::ranges::max_element(measured->values);
    const std::uint64_t integers = measured->values[std::size_t(Format::int4)];
    const bool eight = *most == integers && 2 * measured->eight_bits > integers;
    Sizes out{eight ? "INT8" : shown_name(Format(most - measured->values.begin())), measured->parameters, measured->active_parameters, measured->bytes_per_token};
    if (!quantisation_.method().empty()) out.format += " (" + quantisation_.method() + ")";
    return out;
}

}  // namespace engine
