// JSON values and typed reads of their fields with errors that name field, value and expectation.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // keeps the order of keys: schemas and tool arguments

// Parses UTF-8 text. Depth is bounded (default 256), duplicate keys keep the last value.
Result<Json> parse_json(std::string_view text, int max_depth = 256);
Result<OrderedJson> parse_ordered_json(std::string_view text, int max_depth = 256);

// Never throws: invalid UTF-8 is replaced.
std::string dump(const Json& value);

// A field that must be there and of that type.
Result<std::string> string_field(const Json& object, std::string_view field);
Result<std::int64_t> integer_field(const Json& object, std::string_view field);
Result<double> number_field(const Json& object, std::string_view field);

// A field that may be absent or null; a value of another type is an error.
Result<std::optional<std::string>> optional_string(const Json& object, std::string_view field);
Result<std::optional<std::int64_t>> optional_integer(const Json& object, std::string_view field);
Result<std::optional<double>> optional_number(const Json& object, std::string_view field);
Result<std::optional<bool>> optional_bool(const Json& object, std::string_view field);

}  // namespace base
