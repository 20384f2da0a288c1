#include "engine/inspect.h"

namespace engine {

base::Result<Head> read_head(const ModelFile& file) {
    auto config = file.config();
    if (!config) return std::move(config).error();
    auto vocabulary = file.vocabulary();
    if (!vocabulary) return std::move(vocabulary).error();
    if (auto usable = text::Tokenizer::check(*vocabulary); !usable) {
        base::Error error = file.error(usable.error().message, usable.error().code);
        if (error.remedy.empty()) error.remedy = usable.error().remedy;
        return error;
    }
    if (vocabulary->tokens.size() > std::size_t(config->vocabulary))
        return file.error("has a tokenizer of " + std::to_string(vocabulary->tokens.size()) + " tokens but embeddings of only " + std::to_string(config->vocabulary));
    return Head{*std::move(config), *std::move(vocabulary)};
}

void keep_telling(std::vector<Unsaid>& unsaid, int context) {
    std::erase_if(unsaid, [&](const Unsaid& one) { return one.beyond > 0 && context <= one.beyond; });
}

base::Result<ModelInfo> describe(const ModelFile& file, const Config& config, const text::Vocabulary& vocabulary) {
    ModelInfo out;
    out.name = config.name;
    out.architecture = config.architecture;
    auto sizes = file.sizes(config);
    if (!sizes) return std::move(sizes).error();
    out.format = sizes->format;
    out.parameters = sizes->parameters;
    out.active_parameters = sizes->active_parameters;
    out.weight_bytes_per_token = sizes->bytes_per_token;
    out.file_bytes = file.file_bytes();
    out.layers = config.layers;
    out.hidden = config.hidden;
    out.vocabulary = config.vocabulary;
    out.experts = config.experts;
    out.experts_used = config.experts_used;
    out.trained_context = config.trained_context;
    out.pooling = config.pooling ? engine::name(*config.pooling) : "";
    out.unsaid = file.unsaid(config);
    keep_telling(out.unsaid, config.trained_context);
    auto sampling = file.sampling();
    if (!sampling) return std::move(sampling).error();
    out.default_sampling = *std::move(sampling);
    const auto templates = file.chat_templates();
    if (!templates) return templates.error();
    out.chat_template = templates->text();
    out.templates = {templates->names(), templates->plain(), templates->with_tools()};
    if (vocabulary.bos >= 0) out.bos_token = vocabulary.tokens[std::size_t(vocabulary.bos)];
    if (vocabulary.eos >= 0) out.eos_token = vocabulary.tokens[std::size_t(vocabulary.eos)];
    return out;
}

}  // namespace engine
