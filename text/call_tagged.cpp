// Calls whose arguments stand between tags, one by one, for example:
//   <tool_call>\n<function=NAME>\n<parameter=P>\nVALUE\n</parameter>\n</function>\n</tool_call>
// A text stands there as it is, anything else as JSON; so a text ends where one of the tags that the
// parser looks for begins, and must hold none of them.
#include "text/call_tagged.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/json_schema.h"
#include "base/trim.h"
#include "text/call_dialects.h"
#include "text/grammar.h"
#include "text/grammar_rules.h"
#include "text/schema_rules.h"
#include "text/unicode.h"

namespace text {
namespace {

using Json = base::OrderedJson;
using Stops = std::vector<std::string_view>;
// Keywords that may leave out some texts.
constexpr std::string_view text_keywords[] = {"const", "enum", "pattern", "minLength", "maxLength", "oneOf", "not", "if", "$dynamicRef", "$recursiveRef"};
// JSON and Python words that the parser reads as values where more than text is allowed.
constexpr std::string_view value_words[] = {"true", "false", "null", "True", "False", "None"};

base::Error refused(const std::string& parameter, const std::string& what) {
    return base::error(base::Code::unsupported, "parameter '" + parameter + "': " + what);
}

// The longest end of `text` with which a stop begins; npos when `text` ends with a whole stop.
std::size_t stop_prefix(std::string_view text, const Stops& stops) {
    for (std::size_t n = text.size(); n > 0; --n)
        for (std::string_view stop : stops)
            if (stop.starts_with(text.substr(text.size() - n))) return n == stop.size() ? std::string_view::npos : n;
    return 0;
}

std::string char_class(const std::set<std::string>& chars) {
    std::string out;
    for (const std::string& c : chars) (out += c == "-" || c == "]" || c == "^" || c == "\\" ? "\\" : "") += c;
    return out;
}

// Rules raw-N: the rest of a text that holds no stop, behind the N-th beginning of one. raw-0: all of it.
std::string raw_rules(const Stops& stops) {
    std::map<std::string, int> number = {{"", 0}};
    std::vector<std::string> open = {""};
    std::string out;
    for (std::size_t i = 0; i < open.size(); ++i) {
        const std::string prefix = open[i];
        std::set<std::string> special = {"<"};
        for (std::string_view stop : stops) {
            if (!stop.starts_with(prefix)) continue;
            int length = 1;
            decode_utf8(stop, prefix.size(), length);
            special.emplace(stop.substr(prefix.size(), std::size_t(length)));
        }
        std::string rule = "raw-" + std::to_string(number[prefix]) + " ::= ( ";
        for (const std::string& c : special) {
            const std::string text = prefix + c;
            const std::size_t n = stop_prefix(text, stops);
            if (n == std::string_view::npos) continue;
            const std::string next = text.substr(text.size() - n);
            if (number.try_emplace(next, int(number.size())).second) open.push_back(next);
            rule += "[" + char_class({c}) + "] raw-" + std::to_string(number[next]) + " | ";
        }
        out += rule + "[^" + char_class(special) + "] raw-0 )?\n";
    }
    return out;
}

// Texts that the parser takes for nothing but text, for parameters that may also be something else.
std::string only_text(const std::string& rule, const std::set<std::string>& words, std::size_t depth, std::string& rules) {
    std::map<char, std::set<std::string>> next;
    bool may_end = true;
    for (const std::string& w : words) {
        if (w.size() == depth)
            may_end = false;
        else
            next[w[depth]].insert(w);
    }
    std::set<std::string> special = {"<"};
    std::string out;
    for (const auto& [c, those] : next) {
        special.emplace(1, c);
        const std::string inner = rule + c;
        out += std::string("[") + c + "] " + only_text(inner, those, depth + 1, rules) + " | ";
    }
    std::string others = char_class(special);
    if (depth == 0) others += "0-9\\-{\\[\\\" \\t\\r\\n\\U0000FEFF";
    if (!may_end) others += " \\t\\r\\n";
    out += "[^" + others + "] raw-0";
    if (may_end) out = "( " + out + " )?";
    rules += rule + " ::= " + out + "\n";
    return rule;
}

bool only_string(const std::vector<std::string>& types) {
    return types.empty() || std::all_of(types.begin(), types.end(), [](const std::string& t) { return t == "string"; });
}

const Json* resolve(const std::string& target, const Json& root) {
    try {
        return target.starts_with("#") ? &root.at(Json::json_pointer(target.substr(1))) : nullptr;
    } catch (const Json::exception&) {  // it leads nowhere
        return nullptr;
    }
}

// Every text satisfies the schema.
bool any_text(const Json& schema, const Json& root, int depth = 0) {
    constexpr int max_depth = 8;
    if (schema.is_boolean()) return schema.get<bool>();
    if (depth > max_depth || !schema.is_object()) return false;
    const auto part = [&](const Json& s) { return any_text(s, root, depth + 1); };
    const Json said = constraints(schema);
    for (const auto& [key, value] : said.items()) {
        bool free = true;
        if (key == "type")
            free = value == "string" || (value.is_array() && std::find(value.begin(), value.end(), Json("string")) != value.end());
        else if (key == "anyOf")
            free = std::any_of(value.begin(), value.end(), part);
        else if (key == "allOf")
            free = std::all_of(value.begin(), value.end(), part);
        else if (key == "$ref")
            free = resolve(value.get<std::string>(), root) && part(*resolve(value.get<std::string>(), root));
        else
            free = std::find(std::begin(text_keywords), std::end(text_keywords), key) == std::end(text_keywords);
        if (!free) return false;
    }
    return true;
}

// What may stand between the tags of one parameter, as expressions; empty where there is none.
struct Between {
    std::string text, json;
};

// The values themselves, as far as they can be written between tags and read again.
base::Result<Between> values_of(const std::string& name, const Json& schema, const Json& root, const Stops& stops) {
    const auto checked = base::Schema::parse(base::Json(schema));
    if (!checked) return refused(name, checked.error().message);
    Between out;
    for (const Json& v : schema.contains("const") ? Json::array({schema["const"]}) : schema["enum"]) {
        const std::string text = v.is_string() ? v.get<std::string>() : v.dump();
        const bool stopped = std::any_of(stops.begin(), stops.end(), [&](std::string_view stop) { return text.find(stop) != text.npos; });
        if (stopped || !checked->validate(base::Json(v)) || parse_argument(text, schema, root) != v) continue;
        std::string& to = v.is_string() ? out.text : out.json;
        to += (to.empty() ? "" : " | ") + (text.empty() ? std::string("\"\"") : ebnf_literal(text));
    }
    if (out.text.empty() && out.json.empty()) return refused(name, "no value of it can be written between tags");
    return out;
}

base::Result<Between> value_of(const std::string& name, const Json& schema, const Json& root, const std::string& rule, const Stops& stops, std::string& rules) {
    if (schema == false) return refused(name, "it can have no value");
    const Json plain = schema.is_object() ? schema : Json::object();
    if (plain.contains("enum") || plain.contains("const")) return values_of(name, plain, root, stops);
    const std::vector<std::string> types = argument_types(plain, root);
    const bool with_text = types.empty() || std::find(types.begin(), types.end(), "string") != types.end();
    if (with_text && !any_text(plain, root)) return refused(name, "what is said of a text between tags has no grammar");
    if (only_string(types)) return Between{"raw-0", ""};
    Json json = plain;
    for (const char* kept : {"$defs", "definitions", "$schema"})
        if (root.contains(kept)) json[kept] = root[kept];
    if (with_text) {
        Json others = Json::array();
        for (const std::string& t : types)
            if (t != "string") others.push_back(t);
        json["type"] = others;
    }
    SchemaOptions options;
    options.plain_less_than = false;
    auto source = Grammar::schema_to_ebnf(json, rule, options);
    if (!source) return refused(name, source.error().message);
    rules += *source + "\n";
    return Between{with_text ? "text-only" : "", rule};
}

// The whole parameter.
std::string parameter(const std::string& name, const Between& value, const TagStyle& style) {
    const auto one = [&](std::string_view opened, const std::string& expression) {
        return ebnf_literal(std::string(style.open) + name + std::string(opened)) + " ( " + expression + " ) " + ebnf_literal(std::string(style.close));
    };
    if (value.text.empty() || value.json.empty() || style.opened_json.empty())
        return one(value.text.empty() && !style.opened_json.empty() ? style.opened_json : style.opened,
                   value.text + (value.text.empty() || value.json.empty() ? "" : " | ") + value.json);
    return "( " + one(style.opened, value.text) + " | " + one(style.opened_json, value.json) + " )";
}

}  // namespace

std::string tagged_common_rules(const TagStyle& style) {
    std::string rules = raw_rules(style.stops);
    only_text("text-only", {std::begin(value_words), std::end(value_words)}, 0, rules);
    return rules;
}

base::Result<std::string> tagged_arguments(const Json& parameters, const std::string& rule, const TagStyle& style) try {
    std::string rules, body;
    const Json none = Json::object();
    if (parameters.contains("type") && parameters["type"] != "object") return base::error(base::Code::unsupported, "parameters are an object, found the type " + parameters["type"].dump());
    for (const char* keyword : {"$ref", "const", "enum", "allOf", "anyOf", "oneOf", "not", "if", "patternProperties", "minProperties", "maxProperties",
                                "propertyNames", "unevaluatedProperties", "dependentRequired", "dependentSchemas", "dependencies"})
        if (parameters.contains(keyword)) return base::error(base::Code::unsupported, std::string("\"") + keyword + "\" has no grammar between tags");
    const Json& properties = parameters.contains("properties") ? parameters["properties"] : none;
    const Json others = parameters.contains("additionalProperties") ? parameters["additionalProperties"] : Json(true);
    if (!parameters.contains("properties") && !parameters.contains("required") && others != false) {
        if (others != true && others != none) return base::error(base::Code::unsupported, "\"additionalProperties\" that are described have no grammar between tags");
        return rule + " ::= ( " + ebnf_literal(std::string(style.open)) + " [^<>\"\n]+ " + ebnf_literal(std::string(style.opened)) + " raw-0 " +
               ebnf_literal(std::string(style.close)) + " )*\n";
    }
    std::set<std::string> required;
    if (parameters.contains("required"))
        for (const Json& name : parameters["required"]) required.insert(name.get<std::string>());
    int n = 0;
    for (const auto& [name, schema] : properties.items()) {
        const bool needed = required.erase(name) > 0;
        const std::string own = rule + "-p" + std::to_string(n++);
        std::string inner;
        const bool stands = name.find_first_of("<>\"\n") == name.npos && base::trimmed(name) == name;  // blanks around it are not read as its own
        auto value = stands ? value_of(name, schema, parameters, own, style.stops, inner) : base::Result<Between>(refused(name, "its name cannot stand in a tag"));
        if (!value) {
            if (needed) return std::move(value).error();
            continue;  // an optional one can be left out
        }
        rules += inner;
        const std::string one = parameter(name, *value, style);
        body += needed ? one + " " : "( " + one + " )? ";
    }
    if (!required.empty()) return base::error(base::Code::unsupported, "the required parameter '" + *required.begin() + "' is not described");
    return rule + " ::= " + (body.empty() ? "\"\"" : body) + "\n" + rules;
} catch (const Json::exception& e) {  // a keyword's value of another type than it wants
    return base::error(base::Code::invalid_argument, std::string("JSON schema as grammar: ") + e.what());
}

}  // namespace text
