// How a call is written in a dialect, as a grammar over the tools that there are.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/json_schema_words.h"
#include "text/call_tagged.h"
#include "text/call_values.h"
#include "text/grammar.h"
#include "text/grammar_rules.h"
#include "text/output_parser.h"

namespace text {
namespace {

struct Form {
    std::string_view dialect, trigger;  // no trigger: only a forced call can be bound
    std::string_view open, close;  // around all calls
    std::string_view before, between, after, separator;  // a call: before NAME between ARGUMENTS after
    enum class Name { json, plain, numbered } name = Name::json;  // numbered: NAME:N
    const TagStyle* tags = nullptr;  // of arguments that stand between tags; else they are one JSON object
    bool alone = false;              // an output holds one call
    const ValueStyle* values = nullptr;  // of arguments in a notation of the dialect's own
};

const TagStyle function_style = {"<parameter=", ">\n", "\n</parameter>\n", {"</parameter>", "<parameter=", "</function>"}};
const TagStyle invoke_style = {"<parameter name=\"", "\">", "</parameter>\n", {"</parameter>", "<parameter name=\"", "</invoke>"}};
const TagStyle glm_style = {"<arg_key>", "</arg_key>\n<arg_value>", "</arg_value>\n", {"</arg_value>", "<arg_key>", "</tool_call>"}};
const TagStyle glm47_style = {"<arg_key>", "</arg_key><arg_value>", "</arg_value>", glm_style.stops};

constexpr std::string_view dsml_parameter = "<｜DSML｜parameter name=\"";
const TagStyle dsml_style = {dsml_parameter, "\" string=\"true\">", "</｜DSML｜parameter>\n", {"</｜DSML｜parameter>", dsml_parameter, "</｜DSML｜invoke>"}, "\" string=\"false\">"};
const ValueStyle python_style = {"", "=", ", "};
const ValueStyle gemma_style = {"<|\"|>", ":", ","}, escape_style = {"<escape>", ":", ","};

constexpr std::string_view json_name = "{\"name\": ", json_arguments = ", \"arguments\": ";
using Name = Form::Name;

const Form forms[] = {
    {"hermes", "<tool_call>", "", "", "<tool_call>\n{\"name\": ", json_arguments, "}\n</tool_call>", "\n"},
    {"granite4", "<tool_call>", "", "", "<tool_call>\n{\"name\": ", json_arguments, "}\n</tool_call>", "\n"},
    {"longcat", "<longcat_tool_call>", "", "", "<longcat_tool_call>\n{\"name\": ", json_arguments, "}\n</longcat_tool_call>", "\n"},
    {"llama3_json", json_name, "", "", json_name, ", \"parameters\": ", "}", "; "},
    {"mistral", "[TOOL_CALLS]", "[TOOL_CALLS] [", "]", json_name, json_arguments, "}", ", "},
    {"granite", "<|tool_call|>", "<|tool_call|>[", "]", json_name, json_arguments, "}", ", "},
    {"phi4_mini", "functools", "functools[", "]", json_name, json_arguments, "}", ", "},
    {"kimi_k2", "<|tool_calls_section_begin|>", "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_begin|>functions.", "<|tool_call_argument_begin|>",
     "<|tool_call_end|>", "", Name::numbered},
    {"deepseek_v3", "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>function<｜tool▁sep｜>", "\n```json\n", "\n```<｜tool▁call▁end｜>",
     "\n", Name::plain},
    {"deepseek_v31", "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "", Name::plain},
    {"harmony", "<|channel|>commentary to=functions.", "", "", "<|channel|>commentary to=functions.", " <|constrain|>json<|message|>", "", "", Name::plain, nullptr, true},
    {"qwen3_coder", "<tool_call>", "", "", "<tool_call>\n<function=", ">\n", "</function>\n</tool_call>", "\n", Name::plain, &function_style},
    {"seed_oss", "<seed:tool_call>", "", "", "<seed:tool_call>\n<function=", ">\n", "</function>\n</seed:tool_call>", "\n", Name::plain, &function_style},
    {"minimax_m2", "<minimax:tool_call>", "<minimax:tool_call>\n", "</minimax:tool_call>", "<invoke name=\"", "\">\n", "</invoke>\n", "", Name::plain, &invoke_style},
    {"glm4", "<tool_call>", "", "", "<tool_call>", "\n", "</tool_call>", "\n", Name::plain, &glm_style},
    {"glm47", "<tool_call>", "", "", "<tool_call>", "", "</tool_call>", "", Name::plain, &glm47_style},
    {"deepseek_v32", "<｜DSML｜function_calls>", "<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>", "<｜DSML｜invoke name=\"", "\">\n", "</｜DSML｜invoke>\n", "", Name::plain, &dsml_style},
    {"deepseek_v4", "<｜DSML｜tool_calls>", "<｜DSML｜tool_calls>\n", "</｜DSML｜tool_calls>", "<｜DSML｜invoke name=\"", "\">\n", "</｜DSML｜invoke>\n", "", Name::plain, &dsml_style},
    {"gemma4", "<|tool_call>", "", "", "<|tool_call>call:", "{", "}<tool_call|>", "", Name::plain, nullptr, false, &gemma_style},
    {"functiongemma", "<start_function_call>", "", "", "<start_function_call>call:", "{", "}<end_function_call>", "", Name::plain, nullptr, false, &escape_style},
    {"lfm2", "<|tool_call_start|>", "<|tool_call_start|>[", "]<|tool_call_end|>", "", "(", ")", ", ", Name::plain, nullptr, false, &python_style},
    {"olmo3", "<function_calls>", "<function_calls>", "</function_calls>", "", "(", ")", "\n", Name::plain, nullptr, false, &python_style},
    {"pythonic", "", "[", "]", "", "(", ")", ", ", Name::plain, nullptr, false, &python_style},
};

// Arguments are an object, whatever a tool's schema leaves open.
base::OrderedJson object_of(base::OrderedJson schema) {
    if (schema.contains("$ref")) {  // nothing beside it would count in draft 7
        const base::OrderedJson reference = {{"$ref", schema["$ref"]}};
        schema.erase("$ref");
        schema["allOf"].push_back(reference);
    }
    const auto type = schema.find("type");
    const bool open = type == schema.end() || (type->is_array() && std::find(type->begin(), type->end(), "object") != type->end());
    if (open) schema["type"] = "object";
    return schema;
}

// A tool that says nothing of its arguments takes any.
base::OrderedJson parameters_of(const base::OrderedJson& function) {
    const auto said = function.find("parameters");
    const bool any = said == function.end() || said->is_null() || *said == true;
    return any ? base::OrderedJson{{"type", "object"}} : *said;
}

// See BareCall: the same texts, with the name first. `tools`: of each its name as JSON and the rule of its arguments.
void add_bare(CallSyntax& out, const std::vector<std::pair<std::string, std::string>>& tools) {
    const std::string blank = "[ \\t\\r\\n]*", common = "bare-colon ::= " + blank + " \":\" " + blank + "\nbare-keys ::= " + blank + " \",\" " + blank +
        " ( \"\\\"arguments\\\"\" | \"\\\"parameters\\\"\" ) bare-colon\n";
    const std::string begins = "\"{\" " + blank + " \"\\\"name\\\"\" bare-colon ", fence = "\"```\" \"json\"? " + blank + " ";
    std::string names, calls;
    for (const auto& [name, rule] : tools) {
        names += (names.empty() ? "" : " | ") + ebnf_literal(name);
        calls += (calls.empty() ? "" : " | ") + ebnf_literal(name) + " bare-keys " + rule;
    }
    out.bare = "bare ::= " + blank + " ( bare-call | " + fence + "bare-call " + blank + " \"```\" )\nbare-call ::= " + begins + "( " + calls + " ) " + blank + " \"}\"\n" + common;
    out.heads = "root ::= " + blank + " ( " + fence + ")? " + begins + "( " + names + " ) bare-keys \"{\"\n" + common;
}

base::Error wrong(std::string what) { return base::error(base::Code::invalid_argument, std::move(what)); }

}  // namespace

std::string call_mark(std::string_view dialect) {
    for (const Form& form : forms)
        if (form.dialect == dialect) return std::string(form.trigger);
    return {};
}

bool holds_call_mark(std::string_view text) {
    return std::any_of(std::begin(forms), std::end(forms), [&](const Form& form) { return !form.trigger.empty() && text.find(form.trigger) != std::string_view::npos; });
}

base::Result<CallSyntax> call_syntax(std::string_view dialect, const base::OrderedJson& tools, int most) {
    const Form* form = nullptr;
    for (const Form& f : forms)
        if (f.dialect == dialect) form = &f;
    if (!form) return base::error(base::Code::unsupported, "the tool dialect '" + std::string(dialect) + "' has no grammar");
    if (!tools.is_array() || tools.empty()) return wrong("call_syntax wants at least one tool");
    // Where calls are JSON from their first character there is no other form of them; in harmony a channel says what is one.
    const bool marked = !form->trigger.empty() && !form->trigger.starts_with('{') && form->dialect != "harmony";
    std::string calls, rules, bare_rules;
    std::vector<std::pair<std::string, std::string>> bare;
    for (std::size_t i = 0; i < tools.size(); ++i) {
        const auto& f = tools[i].is_object() && tools[i].contains("function") ? tools[i]["function"] : tools[i];
        if (!f.is_object() || !f.contains("name") || !f["name"].is_string()) return wrong("tools[" + std::to_string(i) + "] has no name");
        const std::string called = f["name"];
        auto parameters = parameters_of(f);
        if (!parameters.is_object())
            return wrong("tool '" + called + "': parameters are an object that is a JSON Schema, found " + parameters.dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace));
        if (const auto unknown = base::unknown_words(parameters); !unknown.empty()) return wrong("tool '" + called + "': " + unknown.front().text());
        parameters = base::in_current_words(std::move(parameters));
        const std::string rule = "args-" + std::to_string(i);
        const bool plain = form->name != Name::json;
        if (plain && called.find_first_of(form->values ? "<>\"\n :|{}()/" : "<>\"\n :|{}") != called.npos) return wrong("the name of tool '" + called + "' cannot stand without quotes");
        const auto whole = object_of(parameters);
        if (whole["type"] != "object") return base::error(base::Code::unsupported, "tool '" + called + "': arguments are an object, found the type " + whole["type"].dump());
        auto schema = form->tags     ? tagged_arguments(parameters, rule, *form->tags)
                      : form->values ? value_arguments(parameters, rule, *form->values)
                                     : Grammar::schema_to_ebnf(whole, rule);
        if (!schema) return base::error(schema.error().code, "tool '" + called + "': " + schema.error().message, schema.error().remedy);
        const std::string quoted = base::OrderedJson(called).dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace), &name = plain ? called : quoted;
        const std::string before = std::string(form->before) + name, between(form->between);
        const std::string head = form->name == Name::numbered ? ebnf_literal(before + ":") + " [0-9] " + ebnf_literal(between) : ebnf_literal(before + between);
        calls += (calls.empty() ? "call ::= " : " | ") + head + " " + rule + (form->after.empty() ? "" : " " + ebnf_literal(form->after));
        rules += *schema + "\n";
        // No dialect says how it is spaced.
        if (!marked) continue;
        if (const auto json = Grammar::schema_to_ebnf(whole, "bare-" + rule, {.any_whitespace = true})) {
            bare.emplace_back(quoted, "bare-" + rule);
            bare_rules += *json + "\n";
        }
    }
    if (form->tags) rules += tagged_common_rules(*form->tags);
    if (form->values) rules += value_common_rules(*form->values);
    std::string root = "root ::= ";
    if (!form->open.empty()) root += ebnf_literal(form->open) + " ";
    root += "call";
    if (most > 1 && !form->alone) root += " (" + (form->separator.empty() ? "" : ebnf_literal(form->separator)) + " call){0," + std::to_string(most - 1) + "}";
    if (!form->close.empty()) root += " " + ebnf_literal(form->close);
    CallSyntax out{std::string(form->trigger), root + "\n" + calls + "\n" + rules, {}, {}};
    if (!bare.empty()) add_bare(out, bare), out.bare += bare_rules;
    return out;
}

}  // namespace text
