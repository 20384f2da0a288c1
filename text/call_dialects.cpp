#include "text/call_dialects.h"

#include <algorithm>

namespace text {
namespace calls {

std::size_t past_blank(std::string_view s, std::size_t i) {
    while (i < s.size() && blank(s[i])) ++i;
    return i;
}

bool begins(std::string_view s, std::size_t at, std::string_view what) { return s.substr(std::min(at, s.size())).starts_with(what); }
bool may_become(std::string_view s, std::size_t at, std::string_view what) { return what.starts_with(s.substr(std::min(at, s.size()))); }

bool take_closing(std::string_view s, std::size_t& at, std::string_view closing, bool final) {
    if (closing.empty()) return true;
    const std::size_t next = past_blank(s, at);
    if (begins(s, next, closing)) return at = next + closing.size(), true;
    return final || !may_become(s, next, closing);
}

std::size_t opener_length(const CallDialect& dialect, std::string_view text) {
    std::size_t most = 0;
    for (std::string_view opener : {dialect.first_opener, dialect.untagged_opener})
        if (text.starts_with(opener)) most = std::max(most, opener.size());
    for (std::string_view opener : dialect.openers)
        if (opener.size() > most && text.starts_with(opener)) most = opener.size();
    return most;
}

namespace {

// In both forms in which tools come: bare, and as OpenAI wraps them.
std::vector<const base::OrderedJson*> functions_of(const base::OrderedJson& tools) {
    std::vector<const base::OrderedJson*> out;
    if (!tools.is_array()) return out;
    for (const auto& entry : tools) {
        const auto& f = entry.is_object() && entry.contains("function") ? entry["function"] : entry;
        if (f.is_object() && f.contains("name") && f["name"].is_string()) out.push_back(&f);
    }
    return out;
}

const base::OrderedJson* find_tool(const base::OrderedJson& tools, std::string_view name) {
    for (const auto* f : functions_of(tools))
        if ((*f)["name"] == name) return f;
    return nullptr;
}

}  // namespace

std::vector<std::string> names_of(const base::OrderedJson& tools) {
    std::vector<std::string> out;
    for (const auto* f : functions_of(tools)) out.push_back((*f)["name"]);
    return out;
}

bool is_strict(const base::OrderedJson& tools, std::string_view tool) {
    const base::OrderedJson* f = find_tool(tools, tool);
    return f && f->value("strict", base::OrderedJson()) == true;
}

const base::OrderedJson* parameters_of(const base::OrderedJson& tools, std::string_view tool) {
    const base::OrderedJson* f = find_tool(tools, tool);
    return f && f->contains("parameters") && (*f)["parameters"].is_object() ? &(*f)["parameters"] : nullptr;
}

bool has_tools(const base::OrderedJson& tools) { return tools.is_array() && !tools.empty(); }
bool is_tool(const base::OrderedJson& tools, std::string_view name) { return find_tool(tools, name) != nullptr; }

std::string json_text(const base::OrderedJson& json) { return json.dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace); }

}  // namespace calls

const TaggedForm function_tags = {"<tool_call>", "</tool_call>", "<function=", ">", "<parameter=", ">", "", "</parameter>", "</function>", true};

const std::vector<CallDialect>& call_dialects() {
    static const std::vector<Thoughts> gemma = {{"<|channel>", "<channel|>", "thought\n"}};
    static const std::vector<Thoughts> granite = {{}, {"Here is my thought process:", "Here is my response:", "", true}};
    static const TaggedForm glm = {"", "", "<tool_call>", "", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "</tool_call>", false, TaggedForm::Untyped::json};
    static const TaggedForm seed = {"<seed:tool_call>", "</seed:tool_call>", "<function=", ">", "<parameter=", ">", "", "</parameter>", "</function>", true};
    static const TaggedForm minimax = {"<minimax:tool_call>", "</minimax:tool_call>", "<invoke name=\"", "\"", "<parameter name=\"", "\"", ">", "</parameter>", "</invoke>"};
    static const TaggedForm dsml = {"<｜DSML｜function_calls>", "</｜DSML｜function_calls>", "<｜DSML｜invoke name=\"", "\"", "<｜DSML｜parameter name=\"", "\"", ">",
                                    "</｜DSML｜parameter>", "</｜DSML｜invoke>", false, TaggedForm::Untyped::told};
    static const TaggedForm dsml_v4 = {"<｜DSML｜tool_calls>", "</｜DSML｜tool_calls>", dsml.call_open, dsml.name_end, dsml.parameter, dsml.key_end, dsml.value,
                                       dsml.value_close, dsml.call_close, false, TaggedForm::Untyped::told};
    static const NamedForm deepseek_v3 = {"<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "\n", "```json", "<｜tool▁call▁end｜>"};
    static const NamedForm deepseek_v31 = {"<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "", "<｜tool▁sep｜>", "", "<｜tool▁call▁end｜>"};
    static const NamedForm kimi = {"<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_begin|>", "", "<|tool_call_argument_begin|>", "", "<|tool_call_end|>", true};
    static const JsonForm hermes = {"</tool_call>", true, true, false, true};
    static const std::vector<CallDialect> table = {
        {"harmony", {}, {{"<|channel|>", "<|message|>"}}, HarmonyForm{}, {}},
        {"gemma4", {"<|tool_call>"}, {{"<|tool_call>call:"}}, BraceForm{"<tool_call|>", "<|\"|>"}, gemma, InThoughts::text, "", "", {"<channel|>"}},
        {"functiongemma", {"<start_function_call>"}, {{"<start_function_call>"}}, BraceForm{"<end_function_call>", "<escape>"}},
        {"kimi_k2", {kimi.section_open}, {{kimi.section_open}}, kimi, {Thoughts{}}, InThoughts::opener, "", "", {kimi.section_close, kimi.call_open, kimi.name_end, kimi.call_close}},
        {"deepseek_v4", {dsml_v4.section_open}, {{"DSML", "tool_calls>"}}, dsml_v4, {Thoughts{}}, InThoughts::call},
        {"deepseek_v32", {dsml.section_open}, {{"DSML"}}, dsml, {Thoughts{}}, InThoughts::call},
        {"deepseek_v3", {deepseek_v3.section_open}, {{"<｜tool▁sep｜>", "```json"}}, deepseek_v3, {Thoughts{}}, InThoughts::call},
        {"deepseek_v31", {deepseek_v31.section_open}, {{"<｜tool▁sep｜>"}}, deepseek_v31, {Thoughts{}}, InThoughts::call},
        {"minimax_m2", {minimax.section_open}, {{"minimax:tool_call"}}, minimax, {Thoughts{}}, InThoughts::call},
        {"seed_oss", {seed.section_open}, {{"seed:tool_call"}}, seed, {Thoughts{"<seed:think>", "</seed:think>"}}, InThoughts::call},
        {"glm47", {glm.call_open}, {{"<tool_call>{function-name}<arg_key>"}}, glm, {Thoughts{}}, InThoughts::opener},
        {"glm4", {glm.call_open}, {{"<arg_key>", "<arg_value>"}}, glm, {Thoughts{}}, InThoughts::opener},
        {"mistral", {"[TOOL_CALLS]"}, {{"[TOOL_CALLS]"}}, MistralForm{}, {Thoughts{}, Thoughts{"[THINK]", "[/THINK]"}}},
        {"qwen3_coder", {function_tags.section_open, function_tags.call_open}, {{"<function=", "<parameter="}}, function_tags, {Thoughts{}}, InThoughts::call},
        {"longcat", {"<longcat_tool_call>"}, {{"<longcat_tool_call>"}}, JsonForm{"</longcat_tool_call>"}, {Thoughts{"<longcat_think>", "</longcat_think>"}}, InThoughts::call},
        {"granite", {"<|tool_call|>", "<tool_call>"}, {{"<|start_of_role|>", "<|tool_call|>"}}, JsonForm{"", false, true}, granite, InThoughts::text, "["},
        {"granite4", {"<tool_call>"}, {{"<|start_of_role|>", "<tool_call>"}}, hermes, {Thoughts{}}, InThoughts::call},
        {"hermes", {"<tool_call>"}, {{"<tool_call>"}}, hermes, {Thoughts{}}, InThoughts::call},
        {"lfm2", {"<|tool_call_start|>"}, {{"<|tool_list_start|>"}, {"<|tool_call_start|>"}, {"List of tools: ["}}, PythonForm{"<|tool_call_end|>", true, true}, {Thoughts{}}, InThoughts::text, "", "["},
        {"olmo3", {"<function_calls>"}, {{"<function_calls>"}}, PythonForm{"</function_calls>", false}},
        {"phi4_mini", {"functools"}, {{"functools["}}, JsonForm{"", false, true}},
        {"pythonic", {"<|python_start|>", "["}, {{"python list"}, {"<|python_start|>"}, {"[func_name1("}}, PythonForm{"<|python_end|>"}},
        {"llama3_json", {"<|python_tag|>", "{"}, {{"<|python_tag|>"}, {"<|start_header_id|>", "parameters"}}, JsonForm{";", true, false, true}},
    };
    return table;
}

const std::vector<Thoughts>& plain_thoughts() {
    static const std::vector<Thoughts> think = {Thoughts{}};
    return think;
}

const CallDialect* find_dialect(std::string_view name) {
    for (const CallDialect& d : call_dialects())
        if (d.name == name) return &d;
    return nullptr;
}

std::vector<std::string> markup_of(std::string_view name) {
    struct Of {
        using Texts = std::vector<std::string_view>;
        Texts operator()(const JsonForm& f) const { return {f.close}; }
        Texts operator()(const NamedForm& f) const { return {f.section_open, f.section_close, f.call_open, f.name_begin, f.name_end, f.call_close}; }
        Texts operator()(const TaggedForm& f) const {
            return {f.section_open, f.section_close, f.call_open, f.name_end, f.parameter, f.key_end, f.value, f.value_close, f.call_close};
        }
        Texts operator()(const PythonForm& f) const { return {f.close}; }
        Texts operator()(const BraceForm& f) const { return {f.close, f.quote}; }
        Texts operator()(const MistralForm&) const { return {"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"}; }
        Texts operator()(const HarmonyForm&) const { return {"<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>"}; }
    };
    std::vector<std::string> out;
    const auto add = [&](std::string_view text) {
        if (!text.empty()) out.emplace_back(text);
    };
    const CallDialect* dialect = find_dialect(name);
    for (const Thoughts& t : dialect ? dialect->thoughts : plain_thoughts()) add(t.open), add(t.close);
    if (!dialect) return out;
    for (std::string_view opener : dialect->openers) add(opener);
    for (std::string_view text : std::visit(Of{}, dialect->form)) add(text);
    for (std::string_view token : dialect->control) add(token);
    return out;
}

std::unique_ptr<CallReader> make_reader(const CallDialect& dialect, const ParserOptions& options) {
    struct Make {
        const CallDialect& dialect;
        const ParserOptions& options;
        std::unique_ptr<CallReader> operator()(const JsonForm& f) const { return json_reader(f, dialect, options); }
        std::unique_ptr<CallReader> operator()(const NamedForm& f) const { return named_reader(f, options); }
        std::unique_ptr<CallReader> operator()(const TaggedForm& f) const { return tagged_reader(f, options); }
        std::unique_ptr<CallReader> operator()(const PythonForm& f) const { return python_reader(f, dialect, options); }
        std::unique_ptr<CallReader> operator()(const BraceForm& f) const { return brace_reader(f, dialect); }
        std::unique_ptr<CallReader> operator()(const MistralForm&) const { return mistral_reader(); }
        std::unique_ptr<CallReader> operator()(const HarmonyForm&) const { return nullptr; }
    };
    return std::visit(Make{dialect, options}, dialect.form);
}

}  // namespace text
