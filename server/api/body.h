// What most requests have as a body: a JSON object, of which some fields are known.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace server::api {

inline base::Result<base::Json> object_of(const std::string& body) {
    auto json = base::parse_json(body);
    if (json && !json->is_object()) return base::error(base::Code::invalid_argument, "the body must be a JSON object");
    return json;
}

// The names of the other fields, which are ignored (name_ignored()).
inline std::vector<std::string> fields_beside(std::span<const char* const> known, const base::Json& object) {
    std::vector<std::string> out;
    for (const auto& [field, value] : object.items())
        if (std::find(known.begin(), known.end(), field) == known.end()) out.push_back(field);
    return out;
}
inline std::vector<std::string> fields_beside(std::initializer_list<const char*> known, const base::Json& object) {
    return fields_beside(std::span(known.begin(), known.size()), object);
}

}  // namespace server::api
