#include "engine/inspect.h"

#include <map>

namespace engine {
namespace {

// general.file_type of the formats that this engine runs.
const char* file_type_name(std::int64_t type) {
    switch (type) {
        case 0: return "F32";
        case 1: return "F16";
        case 2: return "Q4_0";
        case 3: return "Q4_1";
        case 7: return "Q8_0";
        case 8: return "Q5_0";
        case 14: return "Q4_K_S";
        case 15: return "Q4_K_M";
        case 16: return "Q5_K_S";
        case 17: return "Q5_K_M";
        case 18: return "Q6_K";
        case 32: return "BF16";
        default: return nullptr;
    }
}

// The format of most of the weights.
std::string main_format(const Gguf& gguf) {
    std::map<Format, std::uint64_t> values;
    for (const auto& tensor : gguf.tensors()) values[tensor.format] += tensor.values();
    Format most = Format::f32;
    for (const auto& [format, n] : values)
        if (n > values[most]) most = format;
    return info(most).name;
}

}  // namespace

base::Result<Head> read_head(const Gguf& gguf) {
    auto config = read_config(gguf);
    if (!config) return std::move(config).error();
    auto vocabulary = read_vocabulary(gguf);
    if (!vocabulary) return std::move(vocabulary).error();
    if (auto usable = text::Tokenizer::check(*vocabulary); !usable) {
        base::Error error = gguf.error(usable.error().message, usable.error().code);
        if (error.remedy.empty()) error.remedy = usable.error().remedy;
        return error;
    }
    if (vocabulary->tokens.size() > std::size_t(config->vocabulary))
        return gguf.error("has a tokenizer of " + std::to_string(vocabulary->tokens.size()) + " tokens but embeddings of only " + std::to_string(config->vocabulary));
    return Head{*std::move(config), *std::move(vocabulary)};
}

base::Result<ModelInfo> describe(const Gguf& gguf, const Config& config, const text::Vocabulary& vocabulary) {
    ModelInfo out;
    out.name = config.name.empty() ? gguf.path().stem().string() : config.name;
    out.architecture = config.architecture;
    auto type = gguf.integer("general.file_type");
    if (!type) return std::move(type).error();
    const char* named = *type ? file_type_name(**type) : nullptr;
    out.format = named ? named : main_format(gguf);
    out.file_bytes = gguf.file_bytes();
    std::uint64_t expert_values = 0, expert_bytes = 0, bytes = 0;
    for (const auto& tensor : gguf.tensors()) {
        out.parameters += tensor.values();
        const bool embedding = tensor.name == "token_embd.weight" && gguf.tensor("output.weight");
        if (!embedding) bytes += tensor.data.size();
        if (tensor.name.find("_exps.") == std::string::npos) continue;
        expert_values += tensor.values();
        expert_bytes += tensor.data.size();
    }
    const auto unused = [&](std::uint64_t n) {
        return config.experts ? n / std::uint64_t(config.experts) * std::uint64_t(config.experts - config.experts_used) : 0;
    };
    out.active_parameters = out.parameters - unused(expert_values);
    out.weight_bytes_per_token = bytes - unused(expert_bytes);
    out.layers = config.layers;
    out.hidden = config.hidden;
    out.vocabulary = config.vocabulary;
    out.experts = config.experts;
    out.experts_used = config.experts_used;
    out.trained_context = config.trained_context;
    auto sampling = read_sampling(gguf);
    if (!sampling) return std::move(sampling).error();
    out.default_sampling = *std::move(sampling);
    auto chat_template = gguf.text("tokenizer.chat_template");
    if (!chat_template) return std::move(chat_template).error();
    out.chat_template = chat_template->value_or("");
    if (vocabulary.bos >= 0) out.bos_token = vocabulary.tokens[std::size_t(vocabulary.bos)];
    if (vocabulary.eos >= 0) out.eos_token = vocabulary.tokens[std::size_t(vocabulary.eos)];
    return out;
}

}  // namespace engine
