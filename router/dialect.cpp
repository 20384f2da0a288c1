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

base::Result<void> only_text(const ModelRequest& request, const Dialect& dialect) {
    for (std::size_t i = 0; i < request.messages.size(); ++i)
        for (const auto& part : request.messages[i].parts)
            if (part.kind != Part::Kind::text)
                return base::error(base::Code::unsupported, "messages[" + std::to_string(i) + "] holds " + (part.kind == Part::Kind::image ? "an image" : "audio") +
                                                                ", and upstreams of the dialect '" + dialect.name + "' are sent text only", "describe it in words");
    return {};
}

}  // namespace router
