// Calls written as <function=NAME> with one <parameter=KEY> a value.
#include <algorithm>

#include "text/call_dialects.h"

namespace text {
namespace {

using namespace calls;
using State = Attempt::State;

constexpr std::string_view tag = "<tool_call>", close_tag = "</tool_call>";
constexpr std::string_view function_open = "<function=", function_close = "</function>";
constexpr std::string_view parameter_open = "<parameter=", parameter_close = "</parameter>";

const base::OrderedJson* parameters_of(const base::OrderedJson& tools, std::string_view tool) {
    if (!tools.is_array()) return nullptr;
    for (const auto& entry : tools) {
        const auto& f = entry.is_object() && entry.contains("function") ? entry["function"] : entry;
        if (f.is_object() && f.contains("name") && f["name"] == tool && f.contains("parameters") && f["parameters"].is_object()) return &f["parameters"];
    }
    return nullptr;
}

base::OrderedJson argument(const std::string& text, const base::OrderedJson& tools, std::string_view tool, const std::string& name) {
    const base::OrderedJson* parameters = parameters_of(tools, tool);
    if (!parameters || !parameters->contains("properties")) return text;
    const auto& properties = (*parameters)["properties"];
    return properties.is_object() && properties.contains(name) ? parse_argument(text, properties[name], *parameters) : base::OrderedJson(text);
}

void collect_types(const base::OrderedJson& schema, const base::OrderedJson& root, int depth, std::vector<std::string>& out) {
    constexpr int max_depth = 8;
    if (!schema.is_object() || depth > max_depth) return;
    const auto add = [&](const std::string& type) {
        if (std::find(out.begin(), out.end(), type) == out.end()) out.push_back(type);
    };
    const auto add_value = [&](const base::OrderedJson& v) { add(v.is_number_integer() ? "integer" : v.is_number() ? "number" : v.type_name()); };
    if (const auto type = schema.find("type"); type != schema.end()) {
        for (const auto& t : type->is_array() ? *type : base::OrderedJson::array({*type}))
            if (t.is_string()) add(t.get<std::string>());
        return;
    }
    if (schema.contains("const")) add_value(schema["const"]);
    if (schema.contains("enum") && schema["enum"].is_array())
        for (const auto& v : schema["enum"]) add_value(v);
    for (const char* key : {"anyOf", "oneOf", "allOf"})
        if (schema.contains(key) && schema[key].is_array())
            for (const auto& s : schema[key]) collect_types(s, root, depth + 1, out);
    if (const auto ref = schema.find("$ref"); ref != schema.end() && ref->is_string()) {
        const std::string target = *ref;
        try {
            if (target.starts_with("#/")) collect_types(root.at(base::OrderedJson::json_pointer(target.substr(1))), root, depth + 1, out);
        } catch (const base::OrderedJson::exception&) {  // it leads nowhere
        }
    }
}

std::string without_line_ends(std::string_view s) {
    if (s.starts_with('\n')) s.remove_prefix(1);
    if (s.ends_with('\n')) s.remove_suffix(1);
    return std::string(s);
}

class FunctionReader final : public CallReader {
public:
    explicit FunctionReader(const ParserOptions& options) : options_(options) {}

    Attempt step(std::string_view text, bool final) override {
        Attempt out;
        while (out.state == State::more && advance(text, final, out)) {}
        return out;
    }

private:
    enum class Place { opener, name, between, key, value, closing };

    // One stretch further; false when it must wait for more text.
    bool advance(std::string_view s, bool final, Attempt& out) {
        switch (place_) {
            case Place::opener: return open(s, final, out);
            case Place::name: return name(s, final, out);
            case Place::between: return between(s, final, out);
            case Place::key: return key(s, final, out);
            case Place::value: return value(s, final, out);
            case Place::closing: return close(s, final, out);
        }
        return false;
    }

    bool open(std::string_view s, bool final, Attempt& out) {
        const bool tagged = s.starts_with(tag);
        const std::size_t at = tagged ? past_blank(s, tag.size()) : 0;
        if (begins(s, at, function_open)) return go(Place::name, at + function_open.size());
        if (final || !may_become(s, at, function_open)) out = refused(tagged ? tag.size() : 1);
        return false;
    }

    bool name(std::string_view s, bool final, Attempt& out) {
        std::size_t end = s.find_first_of(">\n", at_);
        if (end == npos && !final) return false;
        end = std::min({end, s.find(function_close.substr(0, function_close.size() - 1), at_), s.size()});
        name_ = s.substr(at_, end - at_);
        out.pieces.push_back({true, name_});
        return go(Place::between, end);
    }

    // The first of two markers from the place on; npos while neither is there.
    std::size_t first_of(std::string_view s, std::string_view a, std::string_view b) {
        const std::size_t hit = std::min(s.find(a, searched_), s.find(b, searched_));
        const std::size_t longest = std::max(a.size(), b.size());
        if (hit == npos) searched_ = std::max(searched_, s.size() > longest ? s.size() - longest : 0);
        return hit;
    }

    bool between(std::string_view s, bool final, Attempt& out) {
        const std::size_t hit = first_of(s, parameter_open, function_close);
        if (hit == npos && !final) return false;
        if (hit != npos && begins(s, hit, parameter_open)) return go(Place::key, hit + parameter_open.size());
        return end(hit == npos ? s.size() : hit + function_close.size(), out);
    }

    bool key(std::string_view s, bool final, Attempt& out) {
        const std::size_t stop = s.find('>', at_);
        if (stop == npos) return final && end(s.size(), out);
        key_ = s.substr(at_, stop - at_);
        const bool cut = key_.find(function_close.substr(0, function_close.size() - 1)) != npos;
        return cut ? end(stop + 1, out) : go(Place::value, stop + 1);
    }

    bool value(std::string_view s, bool final, Attempt& out) {
        std::size_t hit = std::min(first_of(s, parameter_close, parameter_open), s.find(function_close, value_searched_));
        if (hit == npos && !final) return value_searched_ = searched_, false;
        hit = std::min(hit, s.size());
        const auto value = argument(without_line_ends(s.substr(at_, hit - at_)), options_.tools, name_, key_);
        out.pieces.push_back({false, (arguments_++ ? "," : "{") + json_text(key_) + ":" + json_text(value)});
        return go(Place::between, hit);
    }

    bool end(std::size_t after, Attempt& out) {
        out.pieces.push_back({false, arguments_ ? "}" : "{}"});
        return go(Place::closing, after);
    }

    bool close(std::string_view s, bool final, Attempt& out) {
        std::size_t after = at_;
        if (!take_closing(s, after, close_tag, final)) return false;
        out.state = State::done;
        out.consumed = after;
        return true;
    }

    bool go(Place place, std::size_t at) {
        place_ = place;
        at_ = searched_ = value_searched_ = at;
        return true;
    }

    const ParserOptions& options_;
    Place place_ = Place::opener;
    std::size_t at_ = 0;                               // where the place begins
    std::size_t searched_ = 0, value_searched_ = 0;    // no marker begins before
    int arguments_ = 0;
    std::string name_, key_;
};

}  // namespace

std::vector<std::string> argument_types(const base::OrderedJson& schema, const base::OrderedJson& root) {
    std::vector<std::string> out;
    collect_types(schema, root, 0, out);
    return out;
}

// Python's words are read as JSON's.
base::OrderedJson parse_argument(const std::string& text, const base::OrderedJson& schema, const base::OrderedJson& root) {
    const std::vector<std::string> types = argument_types(schema, root);
    const auto allows = [&](const char* t) { return std::find(types.begin(), types.end(), t) != types.end(); };
    if (types.empty() || (types.size() == 1 && types[0] == "string")) return text;
    if (allows("boolean") && (text == "True" || text == "False")) return text == "True";
    if (text == "None") return nullptr;
    auto parsed = base::parse_ordered_json(text);
    if (!parsed) return text;
    const bool wanted = (parsed->is_object() && allows("object")) || (parsed->is_array() && allows("array")) ||
                        (parsed->is_boolean() && allows("boolean")) || parsed->is_null() ||
                        (parsed->is_number() && (allows("number") || allows("integer")));
    return wanted || !allows("string") ? std::move(*parsed) : base::OrderedJson(text);
}

std::unique_ptr<CallReader> function_reader(const ParserOptions& options) { return std::make_unique<FunctionReader>(options); }

}  // namespace text
