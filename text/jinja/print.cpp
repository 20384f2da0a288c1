// Python's str(), repr() and json.dumps().
#include <algorithm>
#include <charconv>
#include <cmath>

#include "text/jinja/value.h"
#include "text/unicode.h"

namespace text::jinja {
namespace {

std::string float_text(double d) {
    if (std::isnan(d)) return "nan";
    if (std::isinf(d)) return d < 0 ? "-inf" : "inf";
    char buffer[64];
    auto end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific).ptr;
    const std::string scientific(buffer, end);
    const std::size_t e = scientific.find('e');
    const int exponent = std::atoi(scientific.c_str() + e + 1);
    if (exponent < -4 || exponent >= 16) return scientific;  // Python writes e+16 and e-05 like to_chars
    end = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed).ptr;
    std::string fixed(buffer, end);
    return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

std::string hex(const char* prefix, unsigned value, int width) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%0*x", width, value);
    return std::string(prefix) + buffer;
}

// Python shows what str.isprintable() takes, and escapes the rest.
bool is_shown(char32_t c) {
    using base::Category;
    switch (category(c)) {
        case Category::unassigned: case Category::Cc: case Category::Cf: case Category::Cs: case Category::Co: case Category::Zl: case Category::Zp: return false;
        case Category::Zs: return c == ' ';
        default: return true;
    }
}

std::string string_repr(const std::string& s) {
    const char quote = s.find('\'') != std::string::npos && s.find('"') == std::string::npos ? '"' : '\'';
    std::string out(1, quote);
    for (std::size_t i = 0; i < s.size();) {
        int n = 1;
        const char c = s[i];
        const char32_t point = decode_utf8(s, i, n);
        if (c == quote || c == '\\') out += '\\', out += c;
        else if (c == '\n') out += "\\n";
        else if (c == '\r') out += "\\r";
        else if (c == '\t') out += "\\t";
        else if (point == no_char || is_shown(point)) out.append(s, i, std::size_t(n));
        else if (point < 0x100) out += hex("\\x", unsigned(point), 2);
        else out += point < 0x10000 ? hex("\\u", unsigned(point), 4) : hex("\\U", unsigned(point), 8);
        i += std::size_t(n);
        check_size(out.size());
    }
    return out + quote;
}

void append_json_string(std::string& out, const std::string& s, bool ascii) {
    out += '"';
    for (std::size_t i = 0; i < s.size();) {
        const char c = s[i];
        int length = 1;
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\f': out += "\\f"; break;
            case '\b': out += "\\b"; break;
            default: {
                char32_t point = std::uint8_t(c);
                if (point >= 0x80) point = decode_utf8(s, i, length);
                if (point < 0x20 || (ascii && point >= 0x7f && point < 0x10000)) {
                    out += point == 0x7f ? std::string("\x7f") : hex("\\u", unsigned(point), 4);
                } else if (ascii && point >= 0x10000 && point != no_char) {
                    out += hex("\\u", unsigned(0xD800 + ((point - 0x10000) >> 10)), 4);
                    out += hex("\\u", unsigned(0xDC00 + ((point - 0x10000) & 0x3ff)), 4);
                } else {
                    out.append(s, i, std::size_t(length));
                }
            }
        }
        i += std::size_t(length);
        check_size(out.size());
    }
    out += '"';
}

std::string json_number(double d) {
    if (std::isnan(d)) return "NaN";
    if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
    return float_text(d);
}

class JsonWriter {
public:
    explicit JsonWriter(const JsonStyle& style) : style_(style) {}

    void write(const Value& v, int level) {
        if (v.is_none())
            out += "null";
        else if (v.is_bool())
            out += v.boolean() ? "true" : "false";
        else if (v.is_int())
            out += std::to_string(v.integer());
        else if (v.is_float())
            out += json_number(v.number());
        else if (v.is_string())
            append_json_string(out, v.string(), style_.ascii);
        else if (v.is_list() && !v.as_range())
            array(v, level);
        else if (v.is_dict())
            object(v, level);
        else
            throw TemplateError(std::string("Object of type ") + v.type_name() + " is not JSON serializable");
        check_size(out.size());
    }
    std::string out;

private:
    bool lines() const { return style_.indent >= 0; }
    void new_line(int level) {
        if (!lines()) return;
        check_size(out.size() + std::size_t(level) * style_.indent_text.size());
        out += '\n';
        for (int i = 0; i < level; ++i) out += style_.indent_text;
    }
    void array(const Value& v, int level) {
        if (v.items().empty()) return void(out += "[]");
        out += '[';
        for (std::size_t i = 0; i < v.items().size(); ++i) {
            if (i) out += style_.item_separator;
            new_line(level + 1);
            write(v.items()[i], level + 1);
        }
        new_line(level);
        out += ']';
    }
    std::string key_text(const Value& key) const {
        if (key.is_string()) return key.string();
        if (key.is_none()) return "null";
        if (key.is_bool()) return key.boolean() ? "true" : "false";
        if (key.is_number()) return to_text(key);
        throw TemplateError(std::string("keys must be str, int, float, bool or None, not ") + key.type_name());
    }
    void object(const Value& v, int level) {
        if (v.pairs().empty()) return void(out += "{}");
        Vector<const std::pair<Value, Value>*> order;
        for (const auto& pair : v.pairs()) order.push_back(&pair);
        if (style_.sort_keys)
            std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return less(a->first, b->first); });
        out += '{';
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (i) out += style_.item_separator;
            new_line(level + 1);
            append_json_string(out, key_text(order[i]->first), style_.ascii);
            out += style_.key_separator;
            write(order[i]->second, level + 1);
        }
        new_line(level);
        out += '}';
    }
    const JsonStyle& style_;
};

std::string repr_of_one(const Value& v) {
    if (v.is_undefined()) return "Undefined";
    if (v.is_none()) return "None";
    if (v.is_bool()) return v.boolean() ? "True" : "False";
    if (v.is_int()) return std::to_string(v.integer());
    if (v.is_float()) return float_text(v.number());
    if (v.is_string()) return v.is_safe() ? "Markup(" + string_repr(v.string()) + ")" : string_repr(v.string());
    return std::string("<") + v.type_name() + ">";
}

void append_repr(std::string& out, const Value& v) {
    auto separate = [&out, first = true]() mutable { out += std::exchange(first, false) ? "" : ", "; };
    if (const Range* r = v.as_range()) {
        out += "range(" + std::to_string(r->from) + ", " + std::to_string(r->to) + (r->by == 1 ? "" : ", " + std::to_string(r->by)) + ")";
    } else if (v.is_list()) {
        out += v.is_tuple() ? '(' : '[';
        for (const Value& item : v.items()) separate(), append_repr(out, item);
        out += !v.is_tuple() ? "]" : v.items().size() == 1 ? ",)" : ")";
    } else if (v.is_dict()) {
        out += '{';
        for (const auto& [key, value] : v.pairs()) separate(), append_repr(out, key), out += ": ", append_repr(out, value);
        out += '}';
    } else {
        const std::string one = repr_of_one(v);
        check_size(out.size() + one.size());
        out += one;
    }
    check_size(out.size());
}

}  // namespace

std::string to_text(const Value& v) {
    if (v.is_undefined()) return "";
    return v.is_string() ? v.string() : repr(v);
}

std::string repr(const Value& v) {
    std::string out;
    append_repr(out, v);
    return out;
}

std::string to_json(const Value& value, const JsonStyle& style) {
    JsonWriter writer(style);
    writer.write(value, 0);
    return std::move(writer.out);
}

}  // namespace text::jinja
