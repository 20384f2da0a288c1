#include "engine/model/checkpoint.h"

#include <algorithm>
#include <utility>

#include "engine/model/checkpoint_tensors.h"
#include "engine/model/weights.h"
#include "text/json_node.h"
#include "text/tokenizer_json.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;

constexpr std::size_t kMostText = 200'000'000;  // bytes of a file beside the weights

base::Result<std::string> read_text(const fs::path& path) {
    auto file = MappedFile::open(path);
    if (!file) return std::move(file).error();
    const auto bytes = (*file)->bytes();
    if (bytes.size() > kMostText)
        return base::error(Code::corrupt, path.string() + ": has " + std::to_string(bytes.size()) + " bytes, at most " + std::to_string(kMostText) + " allowed");
    return std::string(bytes.begin(), bytes.end());
}

// Python writes infinities and NaN as JSON does not: each becomes an object, as newer versions of it have them.
std::string as_json(const std::string& text) {
    std::string out;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') quoted = !quoted;
        if (!quoted)
            for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
                if (std::string_view(text).substr(i).starts_with(word)) {
                    out += "{\"__float__\": \"" + std::string(word) + "\"}";
                    i += word.size();
                    break;
                }
        if (i >= text.size()) break;
        out += text[i];
        if (quoted && text[i] == '\\' && i + 1 < text.size()) out += text[++i];
    }
    return out;
}

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
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
    std::unique_ptr<Checkpoint> out(new Checkpoint);
    std::error_code ignored;
    out->path_ = path;
    out->folder_ = fs::is_directory(path, ignored) ? path : path.has_parent_path() ? path.parent_path() : fs::path(".");
    const bool weights = path.extension() == ".safetensors" || path.string().ends_with(".safetensors.index.json");
    auto opened = Safetensors::open(weights ? path : out->folder_);
    if (!opened) return std::move(opened).error();
    out->weights_ = *std::move(opened);
    if (auto read = out->read_configs(); !read) return std::move(read).error();
    return std::unique_ptr<ModelFile>(std::move(out));
}

base::Result<Json> Checkpoint::json(const char* name) const {
    if (!is_there(beside(name))) return Json();
    auto text = read_text(beside(name));
    if (!text) return std::move(text).error();
    auto parsed = base::parse_json(as_json(*text));
    if (!parsed) return base::error(Code::corrupt, beside(name).string() + ": " + parsed.error().message, kFetchAgain);
    return parsed;
}

base::Result<void> Checkpoint::read_configs() {
    if (!is_there(beside("config.json")))
        return base::error(Code::not_found, beside("config.json").string() + " is missing", "name the folder of a model, or a GGUF");
    auto config = json("config.json");
    if (!config) return std::move(config).error();
    raw_config_ = *std::move(config);
    auto checkpoint = read_checkpoint_config(raw_config_, beside("config.json").string());
    if (!checkpoint) return std::move(checkpoint).error();
    checkpoint_ = *std::move(checkpoint);
    auto generation = json("generation_config.json"), quantised = json("hf_quant_config.json");
    if (!generation) return std::move(generation).error();
    if (!quantised) return std::move(quantised).error();
    generation_ = *std::move(generation);
    auto quantisation = Quantisation::read(raw_config_, checkpoint_.file, *quantised, beside("hf_quant_config.json").string());
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
    const fs::path whole = fs::canonical(folder_, ignored);
    config->name = (whole.empty() ? folder_ : whole).filename().string();
    return config;
}

base::Result<text::Vocabulary> Checkpoint::vocabulary() const {
    const fs::path file = beside("tokenizer.json");
    if (!is_there(file)) return base::error(Code::not_found, file.string() + " is missing", "fetch it too: other forms of a tokenizer are not read");
    auto text = read_text(file);
    if (!text) return std::move(text).error();
    auto v = text::read_tokenizer_json(*text, file.string());
    if (!v) return v;
    if (const fs::path small = beside("tokenizer_config.json"); is_there(small)) {
        auto said = read_text(small);
        if (!said) return std::move(said).error();
        if (auto applied = text::apply_tokenizer_config(*v, *said, small.string()); !applied) return std::move(applied).error();
    }
    text::JsonProblem problem{beside("generation_config.json").string(), {}};
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
    text::JsonProblem problem{beside("generation_config.json").string(), {}};
    const text::JsonNode node(&generation_, "", problem);
    const auto real = [&](const char* key, float& field) {
        if (!node[key].absent()) field = float(node[key].number());
    };
    real("temperature", out.temperature);
    real("top_p", out.top_p);
    real("min_p", out.min_p);
    real("repetition_penalty", out.repetition_penalty);
    out.top_k = int(node["top_k"].integer(0, INT32_MAX, out.top_k));
    if (problem.first) return *problem.first;
    return out;
}

base::Result<std::string> Checkpoint::chat_template() const {
    if (is_there(beside("chat_template.jinja"))) return read_text(beside("chat_template.jinja"));
    for (const char* file : {"chat_template.json", "tokenizer_config.json"}) {
        auto config = json(file);
        if (!config) return std::move(config).error();
        text::JsonProblem problem{beside(file).string(), {}};
        const text::JsonNode node = text::JsonNode(&*config, "", problem)["chat_template"];
        if (node.absent()) continue;
        std::string out;
        if (!node.is_array()) out = node.text();
        else  // several by name
            for (const text::JsonNode& one : node.items())
                if (out.empty() || one["name"].text() == "default") out = one["template"].text();
        if (problem.first) return *problem.first;
        return out;
    }
    return std::string();
}

std::unique_ptr<TensorSource> Checkpoint::tensors(const Config& config) const {
    return std::make_unique<CheckpointTensors>(*weights_, checkpoint_, quantisation_, config);
}

base::Result<ModelFile::Sizes> Checkpoint::sizes(const Config& config) const {
    auto measured = measure_model(*this, config, ref_ops());
    if (!measured) return std::move(measured).error();
    const auto most = std::ranges::max_element(measured->values);
    Sizes out{info(Format(most - measured->values.begin())).name, measured->parameters, measured->active_parameters, measured->bytes_per_token};
    if (!quantisation_.method().empty()) out.format += " (" + quantisation_.method() + ")";
    return out;
}

}  // namespace engine
