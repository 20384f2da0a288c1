#include "router/dialect.h"

#include <array>

namespace router {
namespace {

constexpr std::array kDialects = {&kOpenai, &kAnthropic, &kOllama};

}  // namespace

const Dialect* find_dialect(std::string_view name) {
    for (const Dialect* dialect : kDialects)
        if (name == dialect->name) return dialect;
    return nullptr;
}

std::string dialect_names() {
    std::string out;
    for (const Dialect* dialect : kDialects) out += (out.empty() ? "" : ", ") + std::string(dialect->name);
    return out;
}

void add_sampling(base::OrderedJson& body, const SamplingRequest& sampling, const char* repetition) {
    const auto add = [&body](const char* field, const auto& value) {
        if (value) body[field] = *value;
    };
    add("temperature", sampling.temperature);
    add("top_p", sampling.top_p);
    add("min_p", sampling.min_p);
    add("top_k", sampling.top_k);
    add(repetition, sampling.repetition_penalty);
    add("presence_penalty", sampling.presence_penalty);
    add("frequency_penalty", sampling.frequency_penalty);
    add("seed", sampling.seed);
}

base::Result<void> only_text(const ModelRequest& request, const Dialect& dialect) {
    for (std::size_t i = 0; i < request.messages.size(); ++i)
        for (const auto& part : request.messages[i].parts)
            if (part.kind != Part::Kind::text)
                return base::error(base::Code::unsupported, "messages[" + std::to_string(i) + "] holds " + (part.kind == Part::Kind::image ? "an image" : "audio") +
                                                                ", and upstreams of the dialect '" + dialect.name + "' are sent text only", "describe it in words");
    return {};
}

base::Result<void> only_schemas(const ModelRequest& request, const Dialect& dialect) {
    if (!request.response_rules) return {};
    return base::error(base::Code::unsupported, std::string("response_format: upstreams of the dialect '") + dialect.name + "' are asked for JSON by a schema, and for no regular expression, grammar or choice",
                       "use a model that runs here, or a JSON Schema");
}

}  // namespace router
