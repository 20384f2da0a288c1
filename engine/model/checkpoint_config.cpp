#include "engine/model/checkpoint_config.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/model/checkpoint_keys.h"

namespace engine {
namespace {

using base::Code;
using base::Json;

const Json* activation(const Json& text) {
    for (const char* key : {"hidden_act", "hidden_activation"})
        if (const auto it = text.find(key); it != text.end() && !it->is_null()) return &*it;
    return nullptr;
}

const char* name_of(Activation activation) {
    return activation == Activation::gelu_tanh ? "gelu_pytorch_tanh" : "silu";
}

// transformers 5 moved the key, and both may be there.
void check_theta(const text::JsonNode& own) {
    const text::JsonNode all = own[own["rope_parameters"].absent() ? "rope_scaling" : "rope_parameters"];
    const text::JsonNode inside = (all["full_attention"].absent() ? all : all["full_attention"])["rope_theta"], beside = own["rope_theta"];
    if (!inside.absent() && !beside.absent() && inside.number() != beside.number()) beside.wrong(inside.shown() + ", as key '" + inside.path() + "' says");
}

void check_layer_kinds(const text::JsonNode& types, const std::vector<const char*>& kinds) {
    if (types.absent()) return;
    std::string known;
    for (const char* kind : kinds) known += (known.empty() ? "" : ", ") + std::string(kind);
    for (const text::JsonNode& type : types.items())
        if (const std::string name = type.text(); std::ranges::none_of(kinds, [&](const char* kind) { return name == kind; })) return type.refuse(known + " in this family");
}

// A decoder's rows see none behind them; gemma4 says of whose rows they do, which its reader looks at.
void check_causal(const text::JsonNode& part) {
    if (part["is_causal"].value() == false) part["is_causal"].refuse("true: each token sees those before it only");
    if (part["use_bidirectional_attention"].value() == true) part["use_bidirectional_attention"].refuse("false: each token sees those before it only");
}

// What the class says where the file says nothing. The angles have two spellings, and null is nothing there.
Json with_defaults(const Json& text, const char* defaults) {
    Json out = Json::parse(defaults);
    for (const char* key : {"rope_parameters", "rope_scaling"})
        if (const auto said = text.find(key); said != text.end() && !said->is_null()) out.erase("rope_parameters");
    for (const auto& [key, value] : text.items())
        if (!value.is_null() || key != "rope_parameters") out[key] = value;
    return out;
}

void read_parts(const text::JsonNode& text, CheckpointConfig& out) {
    for (const auto& [key, said] : {std::pair{"attention_bias", &out.attention_bias}, std::pair{"qkv_bias", &out.attention_bias},
                                    std::pair{"attention_bias", &out.output_bias}, std::pair{"attention_out_bias", &out.output_bias}, std::pair{"mlp_bias", &out.ffn_bias},
                                    std::pair{"mamba_conv_bias", &out.scan_bias}, std::pair{"use_qk_norm", &out.query_norm},
                                    std::pair{"use_routing_bias", &out.choice_bias}})
        if (const Json value = text[key].value(); value.is_boolean()) *said = {key, value.get<bool>()};
    if (text["topk_method"].value() == "noaux_tc") out.choice_bias = {"topk_method", true, "\"noaux_tc\""};
}

}  // namespace

std::vector<const Json*> text_parts(const Json& config) {
    std::vector<const Json*> out{&config};
    for (const char* part : {"thinker_config", "text_config"}) {
        const auto it = out.back()->find(part);
        if (it != out.back()->end() && it->is_object()) out.push_back(&*it);
    }
    return out;
}

int blocks_for_drafting(const std::vector<const Json*>& parts) {
    std::int64_t most = 0;
    for (const Json* part : parts)
        for (const char* key : {"num_nextn_predict_layers", "mtp_num_hidden_layers", "mtp_num_layers", "num_mtp_modules"})
            if (const auto it = part->find(key); it != part->end() && it->is_number_integer()) most = std::max(most, it->get<std::int64_t>());
    return int(std::clamp<std::int64_t>(most, 0, 1 << 12));
}

base::Result<void> check_class(const Json& config, const std::string& file) {
    constexpr std::string_view kScoring[] = {"Classification", "QuestionAnswering", "MultipleChoice", "NextSentencePrediction", "Reward"};
    const auto classes = config.find("architectures");
    if (classes == config.end() || !classes->is_array()) return {};
    for (const Json& one : *classes) {
        if (!one.is_string()) continue;
        const std::string name = one.get<std::string>();
        if (std::ranges::any_of(kScoring, [&](std::string_view part) { return name.find(part) != name.npos; }))
            return base::error(Code::unsupported, file + ": key 'architectures' says " + name + ", a model that gives labels or scores and neither text nor vectors",
                               "use the model that it was made from, or another whose class writes text (ForCausalLM)");
    }
    return {};
}

base::Result<CheckpointConfig> read_checkpoint_config(const Json& config, const std::string& file) {
    if (!config.is_object()) return base::error(Code::corrupt, file + ": is no object", kFetchAgain);
    if (auto known = check_class(config, file); !known) return std::move(known).error();
    const std::vector<const Json*> parts = text_parts(config);
    const Json& text = *parts.back();
    text::JsonProblem problem{file, {}};
    const text::JsonNode node(&text, "", problem);
    std::string type = node["model_type"].text("");
    if (type.empty() && parts.size() > 1) type = text::JsonNode(&config, "", problem)["model_type"].text("") + "_text";
    if (problem.first) return *problem.first;
    if (type.empty()) return base::error(Code::corrupt, file + ": key 'model_type' is missing: this is not a model", kFetchAgain);
    const CheckpointFamily* family = nullptr;
    std::string known;
    for (const CheckpointFamily& one : checkpoint_families()) {
        if (type == one.model_type) family = &one;
        known += (known.empty() ? "" : ", ") + std::string(one.model_type);
    }
    if (!family) return base::error(Code::unsupported, file + ": has the model_type '" + type + "'; this engine runs " + known + ", and bert, roberta and xlm-roberta for embeddings");

    CheckpointConfig out;
    out.file = file;
    out.architecture = family->architecture;
    out.names = family->names;
    out.keys = out.shown = Json::object();
    out.keys["general.architecture"] = family->architecture;
    const Json whole = with_defaults(text, family->defaults);
    const text::JsonNode all(&whole, "", problem);
    Translation t(all, family->architecture, out);
    for (const Json* part : parts) check_causal(text::JsonNode(part, "", problem));
    check_theta(node);
    check_layer_kinds(all["layer_types"], family->kinds);
    t.common();
    if (family->read) family->read(t);
    const Family* runs = nullptr;
    for (const Family& one : families())
        if (std::string_view(one.name) == family->architecture) runs = &one;
    if (const Json* const found = activation(text)) {
        const std::string expected = name_of(runs->activation);
        if (*found != expected && !(expected == "silu" && *found == "swish"))
            problem.tell(Code::unsupported, "has the activation " + base::dump(*found) + ", expected '" + expected + "'");
    }
    if (problem.first) return *problem.first;
    for (const Json* part : parts)
        if (const auto it = part->find("tie_word_embeddings"); it != part->end() && it->is_boolean()) out.tied = it->get<bool>();
    out.drafting = blocks_for_drafting(parts);
    read_parts(all, out);
    return out;
}

base::Error CheckpointKeys::error(std::string what, Code code) const {
    return base::error(code, config_.file + ": " + std::move(what), code == Code::corrupt ? kFetchAgain : "");
}

std::string CheckpointKeys::shown(const std::string& key) const {
    const auto it = config_.shown.find(key);
    return it == config_.shown.end() ? key : it->get<std::string>();
}

base::Error CheckpointKeys::wrong(const std::string& key, const char* expected) const {
    return error("key '" + shown(key) + "' is " + base::dump(config_.keys.at(key)).substr(0, 100) + ", expected " + expected, Code::corrupt);
}

base::Result<std::optional<std::string>> CheckpointKeys::text(const std::string& key) const {
    if (!has(key)) return std::optional<std::string>{};
    const Json& value = config_.keys.at(key);
    if (!value.is_string()) return wrong(key, "text");
    return std::optional<std::string>{value.get<std::string>()};
}

base::Result<std::optional<std::int64_t>> CheckpointKeys::integer(const std::string& key) const {
    if (!has(key)) return std::optional<std::int64_t>{};
    const Json& value = config_.keys.at(key);
    if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t(INT64_MAX)))
        return wrong(key, "an integer below 2^63");
    return std::optional<std::int64_t>{value.get<std::int64_t>()};
}

base::Result<std::optional<double>> CheckpointKeys::real(const std::string& key) const {
    if (!has(key)) return std::optional<double>{};
    if (!config_.keys.at(key).is_number()) return wrong(key, "a number");
    return std::optional<double>{config_.keys.at(key).get<double>()};
}

base::Result<std::optional<bool>> CheckpointKeys::boolean(const std::string& key) const {
    if (!has(key)) return std::optional<bool>{};
    if (!config_.keys.at(key).is_boolean()) return wrong(key, "true or false");
    return std::optional<bool>{config_.keys.at(key).get<bool>()};
}

base::Result<std::optional<std::vector<std::int64_t>>> CheckpointKeys::integers(const std::string& key) const {
    if (!has(key)) return std::optional<std::vector<std::int64_t>>{};
    std::vector<std::int64_t> out;
    for (const Json& value : config_.keys.at(key)) {
        if (!value.is_number_integer()) return wrong(key, "integers");
        out.push_back(value.get<std::int64_t>());
    }
    return std::optional{std::move(out)};
}

std::optional<std::vector<bool>> CheckpointKeys::flags(const std::string& key) const {
    if (!is_array(key)) return std::nullopt;
    std::vector<bool> out;
    for (const Json& value : config_.keys.at(key)) {
        if (!value.is_boolean()) return std::nullopt;
        out.push_back(value.get<bool>());
    }
    return out;
}

bool CheckpointKeys::has_experts(int layer) const {
    const auto layers = flags(std::string(config_.architecture) + ".expert_layers");
    return !layers || std::size_t(layer) >= layers->size() || (*layers)[std::size_t(layer)];
}

base::Result<int> CheckpointKeys::vocabulary(int) const {
    const std::string key = std::string(config_.architecture) + ".vocab_size";
    auto size = integer(key);
    if (!size) return std::move(size).error();
    if (!*size) return error("key 'vocab_size' is missing", Code::corrupt);
    if (**size < 1 || **size > INT32_MAX) return wrong(key, "1 to 2147483647");
    return int(**size);
}

}  // namespace engine
