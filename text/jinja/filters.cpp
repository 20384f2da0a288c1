// Filters of numbers and of anything, and the way to all of them.
#include "text/jinja/filters.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace text::jinja {
namespace {

Value default_value(Evaluator&, const Value& v, const Arguments& a) {
    const bool missing = v.is_undefined() || (a.get(1, "boolean", false).truthy() && !v.truthy());
    return missing ? a.get(0, "default_value", "") : v;
}

Value tojson(Evaluator& e, const Value& v, const Arguments& a) {
    JsonStyle style;
    style.ascii = a.get(0, "ensure_ascii", false).truthy();
    const Value indent = a.get(1, "indent", nullptr), separators = a.get(2, "separators", nullptr);
    style.sort_keys = a.get(3, "sort_keys", false).truthy();
    if (indent.is_integral()) {
        const auto blanks = std::max<std::int64_t>(indent.integer(), 0);
        check_size(std::size_t(blanks));
        style.indent = int(blanks);
        style.indent_text.assign(std::size_t(style.indent), ' ');
    } else if (indent.is_string()) {
        style.indent = 0;
        style.indent_text = indent.string();
    }
    if (style.indent >= 0) style.item_separator = ",";
    if (separators.is_list() && separators.items().size() == 2) {
        style.item_separator = to_text(separators.items()[0]);
        style.key_separator = to_text(separators.items()[1]);
    }
    return e.made(to_json(v, style));
}

// An attribute, which a mapping's entries are not.
Value attr(Evaluator& e, const Value& v, const Arguments& a) {
    const std::string name = to_text(a.get(0, "name", ""));
    if (!v.is_dict()) return e.attribute(v, name);
    Value found = method(v, name);
    const bool none = found.is_undefined() && found.why().empty();
    return none ? Value::undefined("'dict object' has no attribute '" + name + "'") : found;
}

Value absolute(Evaluator&, const Value& v, const Arguments&) {
    if (v.is_float()) return std::fabs(v.number());
    if (!v.is_integral() || v.integer() == INT64_MIN) throw TemplateError("abs wants a number");
    return std::abs(v.integer());
}

Value whole_of(double d) {
    if (!(std::fabs(d) < 9e18)) throw TemplateError("an integer is too large");
    return std::int64_t(d);
}

// Python's int() of a text; nothing where it has none.
std::optional<std::int64_t> parsed_integer(std::string text, std::int64_t base) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.erase(0, 1);
    const char second = text.size() > 1 && text[0] == '0' ? char(text[1] | 0x20) : '\0';
    const int named = second == 'x' ? 16 : second == 'o' ? 8 : second == 'b' ? 2 : 0;
    const bool prefixed = named && (base == named || base == 0);
    if (prefixed) text.erase(0, 2);
    if (prefixed && text.starts_with('_')) text.erase(0, 1);
    if (base == 0 && !prefixed && text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string::npos) return std::nullopt;
    if (base == 0) base = prefixed ? named : 10;
    if (base < 2 || base > 36 || text.empty() || text.front() == '_' || text.back() == '_' || text.find("__") != std::string::npos) return std::nullopt;
    std::int64_t out = 0;
    bool over = false;
    for (const char c : text) {
        if (c == '_') continue;
        const int letter = (c | 0x20) - 'a', digit = c >= '0' && c <= '9' ? c - '0' : letter >= 0 && letter < 26 ? letter + 10 : 36;
        if (digit >= base) return std::nullopt;
        over = over || __builtin_mul_overflow(out, base, &out) || __builtin_sub_overflow(out, digit, &out);
    }
    if (over || (!negative && out == INT64_MIN)) throw TemplateError("an integer is too large");
    return negative ? out : -out;
}

// Python's float() of a text.
std::optional<double> parsed_real(std::string text) {
    for (std::size_t at; (at = text.find('_')) != std::string::npos; text.erase(at, 1)) {
        const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
        if (at == 0 || !digit(at - 1) || !digit(at + 1)) return std::nullopt;
    }
    const std::string plain = changed_case(text.substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0), false);
    if (plain != "inf" && plain != "infinity" && plain != "nan" && plain.find_first_not_of("0123456789+-.e") != std::string::npos) return std::nullopt;
    char* end = nullptr;
    const double d = std::strtod(text.c_str(), &end);
    return !text.empty() && !*end ? std::optional(d) : std::nullopt;
}

Value integer(Evaluator&, const Value& v, const Arguments& a) {
    const Value otherwise = a.get(0, "default", 0);
    if (v.is_integral()) return v.integer();
    if (v.is_float()) return std::isfinite(v.number()) ? whole_of(v.number()) : otherwise;
    if (!v.is_string()) return otherwise;
    const std::string text = strip(v.string(), nullptr, true, true);
    if (const auto n = parsed_integer(text, whole(a, 1, "base", 10, "int"))) return *n;
    const auto d = parsed_real(text);
    return d && std::isfinite(*d) ? whole_of(*d) : otherwise;
}

Value real(Evaluator&, const Value& v, const Arguments& a) {
    if (v.is_number()) return v.number();
    const auto d = v.is_string() ? parsed_real(strip(v.string(), nullptr, true, true)) : std::nullopt;
    return d ? Value(*d) : a.get(0, "default", 0.0);
}

// To the nearest, and of two that are as near to the even one; the digits are those of the decimal fraction that `v` is.
double rounded(double v, std::int64_t digits) {
    constexpr int most = 323;  // digits of the smallest double
    if (!std::isfinite(v) || digits > most) return v;
    if (digits < -308) return std::copysign(0.0, v);
    if (digits < 0) {
        const double scale = std::pow(10.0, double(-digits));
        return std::nearbyint(v / scale) * scale;
    }
    char text[700];
    std::snprintf(text, sizeof text, "%.*f", int(digits), v);
    return std::strtod(text, nullptr);
}

std::int64_t rounded(std::int64_t v, std::int64_t digits) {
    if (digits >= 0) return v;
    if (digits < -18) return 0;
    std::int64_t unit = 1;
    for (; digits < 0; ++digits) unit *= 10;
    const std::int64_t over = (v % unit + unit) % unit;
    std::int64_t out = 0;
    bool failed = __builtin_sub_overflow(v, over, &out);
    const bool up = over > unit - over || (over == unit - over && out / unit % 2 != 0);
    failed = failed || (up && __builtin_add_overflow(out, unit, &out));
    if (failed) throw TemplateError("an integer is too large");
    return out;
}

Value round(Evaluator&, const Value& v, const Arguments& a) {
    const std::string how = to_text(a.get(1, "method", "common"));
    if (how != "common" && how != "ceil" && how != "floor") throw TemplateError("method must be common, ceil or floor");
    if (!v.is_number()) throw TemplateError("round wants a number");
    if (how == "common" && a.get(0, "precision", 0).is_none()) return v.is_integral() ? Value(v.integer()) : whole_of(rounded(v.number(), 0));
    const std::int64_t digits = whole(a, 0, "precision", 0, "round");
    if (how == "common") return v.is_integral() ? Value(rounded(v.integer(), digits)) : Value(rounded(v.number(), digits));
    const double scale = std::pow(10.0, double(digits)), x = v.number() * scale;
    if (!std::isfinite(x)) throw TemplateError("round: a number is too large");
    return ((how == "ceil" ? std::ceil(x) : std::floor(x)) + 0.0) / scale;  // of a whole number, which has no -0
}

Value filesizeformat(Evaluator& e, const Value& v, const Arguments& a) {
    const auto parsed = v.is_number() ? std::optional(v.number()) : v.is_string() ? parsed_real(strip(v.string(), nullptr, true, true)) : std::nullopt;
    if (!parsed) throw TemplateError("filesizeformat wants a number of bytes, found " + repr(v));
    const double bytes = *parsed;
    const bool binary = a.get(0, "binary", false).truthy();
    const int base = binary ? 1024 : 1000;
    if (bytes == 1) return e.made("1 Byte");
    char text[400];
    std::snprintf(text, sizeof text, "%.0f Bytes", std::trunc(bytes) + 0.0);  // which has no -0
    if (bytes < base) return e.made(text);
    const std::string letters = binary ? "KMGTPEZY" : "kMGTPEZY";
    long double unit = base;  // exact, as Python's whole numbers are
    std::size_t i = 0;
    for (unit *= base; i + 1 < letters.size() && !(bytes < unit); unit *= base) ++i;
    std::snprintf(text, sizeof text, "%.1f %c%s", base * bytes / double(unit), letters[i], binary ? "iB" : "B");
    return e.made(text);
}

Value pprint(Evaluator& e, const Value& v, const Arguments&) { return e.made(pretty(e, v)); }

const FilterRow rows[] = {{"abs", absolute}, {"attr", attr}, {"d", default_value}, {"default", default_value}, {"filesizeformat", filesizeformat}, {"float", real}, {"int", integer}, {"pprint", pprint},
                          {"round", round}, {"tojson", tojson}};

const FilterRow* find(std::string_view name) {
    for (const auto& family : {value_filters(), text_filters(), sequence_filters()})
        for (const FilterRow& row : family)
            if (row.name == name) return &row;
    return nullptr;
}

}  // namespace

std::span<const FilterRow> value_filters() { return rows; }

std::int64_t whole(const Arguments& a, std::size_t position, std::string_view name, std::int64_t otherwise, const char* what) {
    const Value* const found = a.find(position, name);
    if (found && !found->is_integral()) throw TemplateError(std::string(what) + " wants a whole number as " + std::string(name) + ", found " + found->type_name());
    return found ? found->integer() : otherwise;
}

bool filter_exists(std::string_view name) { return find(name) != nullptr; }

Value Evaluator::filter(const std::string& name, const Value& value, const Arguments& a) {
    step();
    const FilterRow* row = find(name);
    if (!row) throw TemplateError("No filter named '" + name + "'.");
    return row->run(*this, value, a);
}

}  // namespace text::jinja
