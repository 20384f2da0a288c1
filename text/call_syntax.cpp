// How a call is written in a dialect, as a grammar over the tools that there are.
#include "text/call_tagged.h"
#include "text/grammar.h"
#include "text/grammar_rules.h"
#include "text/output_parser.h"

namespace text {
namespace {

struct Form {
    std::string_view dialect, trigger;
    std::string_view open, close;  // around all calls
    std::string_view before, between, after, separator;  // a call: before NAME between ARGUMENTS after
    bool tagged = false;  // the arguments stand between tags; else they are one JSON object and the name is a JSON string
};

const Form forms[] = {
    {"hermes", "<tool_call>", "", "", "<tool_call>\n{\"name\": ", ", \"arguments\": ", "}\n</tool_call>", "\n"},
    {"llama3_json", "{\"name\": ", "", "", "{\"name\": ", ", \"parameters\": ", "}", "; "},
    {"mistral", "[TOOL_CALLS]", "[TOOL_CALLS] [", "]", "{\"name\": ", ", \"arguments\": ", "}", ", "},
    {"qwen3_coder", "<tool_call>", "", "", "<tool_call>\n<function=", ">\n", "</function>\n</tool_call>", "\n", true},
};

base::Error wrong(std::string what) { return base::error(base::Code::invalid_argument, std::move(what)); }

}  // namespace

std::string call_mark(std::string_view dialect) {
    for (const Form& form : forms)
        if (form.dialect == dialect) return std::string(form.trigger);
    return {};
}

base::Result<CallSyntax> call_syntax(std::string_view dialect, const base::OrderedJson& tools, int most) {
    const Form* form = nullptr;
    for (const Form& f : forms)
        if (f.dialect == dialect) form = &f;
    if (!form) return base::error(base::Code::unsupported, "the tool dialect '" + std::string(dialect) + "' has no grammar");
    if (!tools.is_array() || tools.empty()) return wrong("call_syntax wants at least one tool");
    std::string calls, rules;
    for (std::size_t i = 0; i < tools.size(); ++i) {
        const auto& f = tools[i].is_object() && tools[i].contains("function") ? tools[i]["function"] : tools[i];
        if (!f.is_object() || !f.contains("name") || !f["name"].is_string()) return wrong("tools[" + std::to_string(i) + "] has no name");
        const auto parameters = f.contains("parameters") && f["parameters"].is_object() ? f["parameters"] : base::OrderedJson{{"type", "object"}};
        const std::string rule = "args-" + std::to_string(i);
        const std::string called = f["name"];
        if (form->tagged && called.find_first_of("<>\n") != called.npos) return wrong("the name of tool '" + called + "' cannot stand in a tag");
        auto schema = form->tagged ? tagged_arguments(parameters, rule) : Grammar::schema_to_ebnf(parameters, rule);
        if (!schema) return base::error(schema.error().code, "tool '" + called + "': " + schema.error().message, schema.error().remedy);
        const std::string name = form->tagged ? called : base::OrderedJson(called).dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace);
        calls += (calls.empty() ? "call ::= " : " | ") + ebnf_literal(std::string(form->before) + name + std::string(form->between)) +
                 " " + rule + " " + ebnf_literal(form->after);
        rules += *schema + "\n";
    }
    if (form->tagged) rules += tagged_common_rules();
    std::string root = "root ::= ";
    if (!form->open.empty()) root += ebnf_literal(form->open) + " ";
    root += "call";
    if (most > 1) root += " (" + ebnf_literal(form->separator) + " call){0," + std::to_string(most - 1) + "}";
    if (!form->close.empty()) root += " " + ebnf_literal(form->close);
    return CallSyntax{std::string(form->trigger), root + "\n" + calls + "\n" + rules};
}

}  // namespace text
