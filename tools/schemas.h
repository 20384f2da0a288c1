// JSON Schemas of what tools take and give, as their rows are written.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace tools::schemas {

inline base::OrderedJson text(const char* what) { return {{"type", "string"}, {"description", what}}; }
inline base::OrderedJson flag(const char* what) { return {{"type", "boolean"}, {"description", what}}; }
inline base::OrderedJson whole(const char* what, int low, int high) { return {{"type", "integer"}, {"minimum", low}, {"maximum", high}, {"description", what}}; }

inline base::OrderedJson object(base::OrderedJson properties, std::vector<std::string> required = {}) {
    return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}, {"additionalProperties", false}};
}

// Facts of the result: all required, further ones allowed.
inline base::OrderedJson facts(const std::vector<std::pair<const char*, const char*>>& fields) {
    base::OrderedJson properties = base::OrderedJson::object(), required = base::OrderedJson::array();
    for (const auto& [name, type] : fields) properties[name] = {{"type", type}}, required.push_back(name);
    return {{"type", "object"}, {"properties", properties}, {"required", required}};
}

}  // namespace tools::schemas
