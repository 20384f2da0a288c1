#include "text/call_dialects.h"

#include <algorithm>

namespace text {
namespace {

using State = Attempt::State;
constexpr auto npos = std::string_view::npos;

std::size_t past_blank(std::string_view s, std::size_t i) {
    while (i < s.size() && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t')) ++i;
    return i;
}

bool begins(std::string_view s, std::size_t at, std::string_view what) { return s.substr(std::min(at, s.size())).starts_with(what); }
// All of the text from `at` is a beginning of `what`, so that the rest may still come.
bool may_become(std::string_view s, std::size_t at, std::string_view what) { return what.starts_with(s.substr(std::min(at, s.size()))); }

std::string json_text(const base::OrderedJson& json) { return json.dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace); }

bool call_from(const base::OrderedJson& json, std::vector<ToolCall>& out) {
    if (!json.is_object() || !json.contains("name") || !json["name"].is_string()) return false;
    const char* key = json.contains("arguments") ? "arguments" : "parameters";
    if (!json.contains(key)) return false;
    out.push_back({json["name"].get<std::string>(), json_text(json[key])});
    return true;
}

Attempt refused(std::size_t opener) { return {State::not_a_call, opener, {}}; }

// Past `closing` if it follows after blanks. False while it may still come.
bool take_closing(std::string_view s, std::size_t& at, std::string_view closing, bool final) {
    const std::size_t next = past_blank(s, at);
    if (begins(s, next, closing)) return at = next + closing.size(), true;
    return final || !may_become(s, next, closing);
}

// Text as Python or JSON writes it, as the schema wants it; a string when it is nothing else.
base::OrderedJson coerced(const std::string& text, const base::OrderedJson& schema) {
    std::vector<std::string> types;
    const auto collect = [&](const base::OrderedJson& s) {
        if (s.is_object() && s.contains("type"))
            for (const auto& t : s["type"].is_array() ? s["type"] : base::OrderedJson::array({s["type"]}))
                if (t.is_string()) types.push_back(t.get<std::string>());
    };
    collect(schema);
    for (const char* key : {"anyOf", "oneOf"})
        if (schema.is_object() && schema.contains(key))
            for (const auto& s : schema[key]) collect(s);
    const auto allows = [&](const char* t) { return std::find(types.begin(), types.end(), t) != types.end(); };
    if (types.empty() || (types.size() == 1 && types[0] == "string")) return text;
    if (allows("boolean") && (text == "True" || text == "False")) return text == "True";
    if (text == "None") return nullptr;
    auto parsed = base::parse_ordered_json(text);
    if (!parsed) return text;
    if (parsed->is_number_integer() && allows("number") && !allows("integer")) return *parsed;
    const bool wanted = (parsed->is_object() && allows("object")) || (parsed->is_array() && allows("array")) ||
                        (parsed->is_boolean() && allows("boolean")) || parsed->is_null() ||
                        (parsed->is_number() && (allows("number") || allows("integer")));
    return wanted || !allows("string") ? std::move(*parsed) : base::OrderedJson(text);
}

base::OrderedJson property_of(const base::OrderedJson& tools, std::string_view tool, const std::string& parameter) {
    if (!tools.is_array()) return {};
    for (const auto& entry : tools) {
        const auto& f = entry.contains("function") ? entry["function"] : entry;
        if (f.value("name", "") != tool || !f.contains("parameters")) continue;
        const auto& p = f["parameters"];
        if (p.is_object() && p.contains("properties") && p["properties"].contains(parameter)) return p["properties"][parameter];
    }
    return {};
}

std::string without_line_ends(std::string_view s) {
    if (s.starts_with('\n')) s.remove_prefix(1);
    if (s.ends_with('\n')) s.remove_suffix(1);
    return std::string(s);
}

// "<function=name>…": `at` is past the equals sign, `end` at the closing tag.
ToolCall function_block(std::string_view s, std::size_t at, std::size_t end, const base::OrderedJson& tools) {
    const std::size_t name_end = std::min(s.find_first_of(">\n", at), end);
    ToolCall call{std::string(s.substr(at, name_end - at)), {}};
    base::OrderedJson arguments = base::OrderedJson::object();
    constexpr std::string_view open = "<parameter=", close = "</parameter>";
    for (std::size_t p = s.find(open, name_end); p != npos && p < end;) {
        const std::size_t from = p + open.size(), name_stop = s.find('>', from);
        if (name_stop == npos || name_stop >= end) break;
        const std::string name(s.substr(from, name_stop - from));
        const std::size_t next = s.find(open, name_stop), closed = s.find(close, name_stop);
        const std::size_t stop = std::min({closed, next, end});
        arguments[name] = coerced(without_line_ends(s.substr(name_stop + 1, stop - name_stop - 1)), property_of(tools, call.name, name));
        p = next;
    }
    call.arguments = json_text(arguments);
    return call;
}

Attempt read_function(std::string_view s, bool final, const ParserOptions& options, ScanState& scan) {
    constexpr std::string_view tag = "<tool_call>", open = "<function=", close = "</function>";
    const bool tagged = s.starts_with(tag);
    const std::size_t at = tagged ? past_blank(s, tag.size()) : 0;
    if (!begins(s, at, open)) return !final && may_become(s, at, open) ? Attempt{} : refused(tagged ? tag.size() : 1);
    const std::size_t end = s.find(close, std::max(scan.searched, at));
    if (end == npos && !final) {
        scan.searched = s.size() > close.size() ? s.size() - close.size() : 0;
        return {};
    }
    std::size_t after = end == npos ? s.size() : end + close.size();
    if (!take_closing(s, after, "</tool_call>", final)) return {};
    return {State::calls, after, {function_block(s, at + open.size(), std::min(end, s.size()), options.tools)}};
}

Attempt read_hermes(std::string_view s, bool final, const ParserOptions& options, ScanState& scan) {
    constexpr std::string_view tag = "<tool_call>";
    const std::size_t at = past_blank(s, tag.size());
    if (at >= s.size()) return final ? refused(tag.size()) : Attempt{};
    if (s[at] == '<') return read_function(s, final, options, scan);
    if (s[at] != '{') return refused(tag.size());
    std::size_t end = scan.json.end(s, at);
    if (end == npos) return final ? refused(tag.size()) : Attempt{};
    Attempt out{State::calls, 0, {}};
    const auto json = base::parse_ordered_json(s.substr(at, end - at));
    if (!json || !call_from(*json, out.calls)) return refused(tag.size());
    if (!take_closing(s, end, "</tool_call>", final)) return {};
    out.consumed = end;
    return out;
}

Attempt read_llama(std::string_view s, bool final, const ParserOptions&, ScanState& scan) {
    constexpr std::string_view tag = "<|python_tag|>", key = "\"name\"";
    std::size_t at = s.starts_with(tag) ? past_blank(s, tag.size()) : 0;
    const std::size_t lead = std::max<std::size_t>(at, 1);
    if (at >= s.size()) return final ? refused(lead) : Attempt{};
    if (s[at] != '{') return refused(lead);
    const std::size_t first = past_blank(s, at + 1);
    if (!begins(s, first, key)) return !final && may_become(s, first, key) ? Attempt{} : refused(lead);
    std::size_t end = scan.json.end(s, at);
    if (end == npos) return final ? refused(lead) : Attempt{};
    Attempt out{State::calls, 0, {}};
    const auto json = base::parse_ordered_json(s.substr(at, end - at));
    if (!json || !call_from(*json, out.calls)) return refused(lead);
    if (!take_closing(s, end, ";", final)) return {};
    out.consumed = end;
    return out;
}

Attempt read_mistral(std::string_view s, bool final, const ParserOptions&, ScanState& scan) {
    constexpr std::string_view tag = "[TOOL_CALLS]", args = "[ARGS]";
    const std::size_t at = past_blank(s, tag.size());
    if (at >= s.size()) return final ? refused(tag.size()) : Attempt{};
    Attempt out{State::calls, 0, {}};
    if (s[at] == '[') {
        const std::size_t end = scan.json.end(s, at);
        if (end == npos) return final ? refused(tag.size()) : Attempt{};
        const auto json = base::parse_ordered_json(s.substr(at, end - at));
        if (!json || !json->is_array()) return refused(tag.size());
        for (const auto& call : *json)
            if (!call_from(call, out.calls)) return refused(tag.size());
        out.consumed = end;
        return out;
    }
    const std::size_t open = s.find('{', at);
    std::string name(s.substr(at, std::min(s.find_first_of("[{ \n", at), s.size()) - at));
    if (open == npos) {
        if (!final) return {};
        out.calls.push_back({std::move(name), "{}"});
        out.consumed = s.size();
        return out;
    }
    const std::string_view between = s.substr(at + name.size(), open - at - name.size());
    if (past_blank(between, 0) < between.size() && between.find(args) == npos) return refused(tag.size());
    const std::size_t end = scan.json.end(s, open);
    if (end == npos) return final ? refused(tag.size()) : Attempt{};
    const auto json = base::parse_ordered_json(s.substr(open, end - open));
    if (!json) return refused(tag.size());
    out.calls.push_back({std::move(name), json_text(*json)});
    out.consumed = end;
    return out;
}

bool names(std::string_view source, std::string_view what) { return source.find(what) != npos; }

}  // namespace

std::size_t JsonScan::end(std::string_view text, std::size_t from) {
    if (end_ != npos) return end_;
    if (at_ == npos) at_ = from;
    for (; at_ < text.size(); ++at_) {
        const char c = text[at_];
        if (in_string_) {
            if (escaped_)
                escaped_ = false;
            else if (c == '\\')
                escaped_ = true;
            else if (c == '"')
                in_string_ = false;
        } else if (c == '"') {
            in_string_ = true;
        } else if (c == '{' || c == '[') {
            ++depth_;
        } else if ((c == '}' || c == ']') && --depth_ == 0) {
            return end_ = ++at_;
        }
    }
    return npos;
}

const std::vector<CallDialect>& call_dialects() {
    static const std::vector<CallDialect> table = {
        {"mistral", {"[TOOL_CALLS]"}, [](std::string_view t) { return names(t, "[TOOL_CALLS]"); }, read_mistral},
        {"qwen3_coder", {"<tool_call>", "<function="}, [](std::string_view t) { return names(t, "<function=") && names(t, "<parameter="); }, read_function},
        {"hermes", {"<tool_call>"}, [](std::string_view t) { return names(t, "<tool_call>"); }, read_hermes},
        {"llama3_json", {"<|python_tag|>", "{"}, [](std::string_view t) { return names(t, "<|python_tag|>") || (names(t, "<|start_header_id|>") && names(t, "parameters")); }, read_llama},
    };
    return table;
}

}  // namespace text
