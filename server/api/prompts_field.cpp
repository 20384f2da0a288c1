#include "server/api/prompts_field.h"

#include <climits>

#include "server/failure.h"

namespace server::api {

base::Result<std::map<std::string, int>> read_prompts(const base::Json& body) {
    std::map<std::string, int> out;
    const auto field = body.find("prompts");
    if (field == body.end() || field->is_null()) return out;
    const auto wrong = [](const base::Json& found) {
        return base::error(base::Code::invalid_argument, "prompts must be an object of names to versions, as {\"recompose\": 3}, found " + base::dump(found));
    };
    if (!field->is_object()) return wrong(*field);
    for (const auto& [name, version] : field->items()) {
        if (!version.is_number_integer() || version < 1 || version > INT_MAX) return wrong(*field);
        out[name] = version.get<int>();
    }
    return out;
}

std::optional<Response> refused_prompts(const std::map<std::string, int>& prompts, const Caller& caller) {
    if (prompts.empty() || caller.may(Access::admin)) return std::nullopt;
    return error_response(403, "prompts tries out versions that are not live, which needs a key with the scope admin", "forbidden", "prompts");
}

}  // namespace server::api
