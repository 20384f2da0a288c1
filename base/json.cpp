#include "base/json.h"

#include <limits>

#include "base/utf8.h"

namespace base {
namespace {

// Refuses depth before the recursive destructor could overflow the stack.
template <class J>
Result<J> parse_bounded(std::string_view text, int max_depth) {
    bool too_deep = false;
    const typename J::parser_callback_t callback =
        [&](int depth, typename J::parse_event_t event, J&) {
            const bool opens = event == J::parse_event_t::object_start || event == J::parse_event_t::array_start;
            if (opens && depth >= max_depth) too_deep = true;
            return !too_deep;
        };
    try {
        J value = J::parse(text, callback);
        if (too_deep)
            return error(Code::invalid_argument, "JSON is nested deeper than " + std::to_string(max_depth));
        return value;
    } catch (const typename J::exception& e) {
        // "[json.exception.parse_error.101] parse error at line 1, …": the name in front is the library's.
        const std::string_view what = e.what();
        const auto end = what.rfind("[json.", 0) == 0 ? what.find("] ") : what.npos;
        return error(Code::invalid_argument, "not valid JSON: " + valid_utf8(end == what.npos ? what : what.substr(end + 2)));
    }
}

std::string shown(const Json& value) {
    std::string text = dump(value);
    if (text.size() > 80) text = std::string(beginning(text, 77)) + "...";
    return text;
}

Error wrong_type(std::string_view field, const Json& found, const char* expected) {
    return error(Code::invalid_argument,
                 "field '" + std::string(field) + "' must be " + expected + ", found " + shown(found));
}

Error missing(std::string_view field) {
    return error(Code::invalid_argument, "field '" + std::string(field) + "' is missing");
}

const Json* find(const Json& object, std::string_view field) {
    if (!object.is_object()) return nullptr;
    const auto it = object.find(std::string(field));
    return it == object.end() || it->is_null() ? nullptr : &*it;
}

std::optional<std::int64_t> as_integer(const Json& value) {
    if (value.is_number_unsigned()) {
        const auto u = value.get<std::uint64_t>();
        if (u > std::uint64_t(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
        return std::int64_t(u);
    }
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number_float()) {  // JSON has one number type: 3.0 is the integer 3
        const double d = value.get<double>();
        if (d >= -9007199254740992.0 && d <= 9007199254740992.0 && d == double(std::int64_t(d)))
            return std::int64_t(d);
    }
    return std::nullopt;
}

template <class T>
Result<T> required(Result<std::optional<T>> found, std::string_view field) {
    if (!found) return std::move(found).error();
    if (!*found) return missing(field);
    return std::move(**found);
}

}  // namespace

Result<Json> parse_json(std::string_view text, int max_depth) { return parse_bounded<Json>(text, max_depth); }

Result<OrderedJson> parse_ordered_json(std::string_view text, int max_depth) {
    return parse_bounded<OrderedJson>(text, max_depth);
}

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<std::optional<std::string>> optional_string(const Json& object, std::string_view field) {
    const Json* value = find(object, field);
    if (!value) return std::optional<std::string>{};
    if (!value->is_string()) return wrong_type(field, *value, "a string");
    return std::optional<std::string>{value->get<std::string>()};
}

Result<std::optional<std::int64_t>> optional_integer(const Json& object, std::string_view field) {
    const Json* value = find(object, field);
    if (!value) return std::optional<std::int64_t>{};
    const auto integer = as_integer(*value);
    if (!integer) return wrong_type(field, *value, "an integer");
    return integer;
}

Result<std::optional<double>> optional_number(const Json& object, std::string_view field) {
    const Json* value = find(object, field);
    if (!value) return std::optional<double>{};
    if (!value->is_number()) return wrong_type(field, *value, "a number");
    return std::optional<double>{value->get<double>()};
}

Result<std::optional<bool>> optional_bool(const Json& object, std::string_view field) {
    const Json* value = find(object, field);
    if (!value) return std::optional<bool>{};
    if (!value->is_boolean()) return wrong_type(field, *value, "true or false");
    return std::optional<bool>{value->get<bool>()};
}

Result<std::string> string_field(const Json& object, std::string_view field) {
    return required(optional_string(object, field), field);
}
Result<std::int64_t> integer_field(const Json& object, std::string_view field) {
    return required(optional_integer(object, field), field);
}
Result<double> number_field(const Json& object, std::string_view field) {
    return required(optional_number(object, field), field);
}

}  // namespace base
