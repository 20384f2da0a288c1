#include "router/prompt.h"

#include <chrono>

namespace router {
namespace {

using Kind = ToolChoice::Kind;

bool calls_allowed(const ModelRequest& r) {
    return !r.tools.empty() && r.tool_choice.kind != Kind::none && !r.response_schema && !r.json_object;
}

// Arguments as an object where they are one: templates print them so.
base::OrderedJson message_for_template(const Message& message) {
    base::OrderedJson json = message_to_json(message);
    if (json["content"].is_null()) json["content"] = "";
    if (!json.contains("tool_calls")) return json;
    for (auto& call : json["tool_calls"]) {
        auto arguments = base::parse_ordered_json(call["function"]["arguments"].get<std::string>());
        if (arguments && arguments->is_object()) call["function"]["arguments"] = *std::move(arguments);
    }
    return json;
}

}  // namespace

text::RenderInput render_input(const ModelRequest& request, const std::string& bos, const std::string& eos) {
    text::RenderInput input;
    for (const auto& message : request.messages) input.messages.push_back(message_for_template(message));
    // Tools stay in the prompt also when none may be called, so that the prefix does not change.
    if (!request.tools.empty()) input.tools = tools_to_json(request.tools);
    input.extra["enable_thinking"] = request.enable_thinking;
    input.bos_token = bos;
    input.eos_token = eos;
    input.now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    return input;
}

text::ParserOptions parser_options(const ModelRequest& request, const std::string& dialect, const std::vector<text::Piece>& prompt) {
    text::ParserOptions options;
    options.dialect = calls_allowed(request) ? dialect : "none";
    options.tools = tools_to_json(request.tools);
    options.expect_tools = calls_allowed(request);
    std::string end;
    if (!prompt.empty()) end = prompt.back().text;
    while (!end.empty() && (end.back() == '\n' || end.back() == ' ')) end.pop_back();
    const std::string think = "<think>";
    options.reasoning_open = end.size() >= think.size() && end.compare(end.size() - think.size(), think.size(), think) == 0;
    return options;
}

base::Result<text::BoundGrammar> output_bound(const ModelRequest& request, const std::string& dialect, text::GrammarCache& grammars) {
    using text::BoundGrammar;
    if (request.response_schema || request.json_object) {
        const auto make = [&]() -> base::Result<BoundGrammar> {
            auto grammar = request.response_schema ? text::Grammar::from_json_schema(*request.response_schema) : text::Grammar::any_json_object();
            if (!grammar) return std::move(grammar).error();
            return BoundGrammar{*std::move(grammar), ""};
        };
        return grammars.get(request.response_schema ? "schema " + request.response_schema->dump() : "object", make);
    }
    if (!calls_allowed(request)) return BoundGrammar{};
    std::vector<ToolSchema> tools;
    for (const auto& tool : request.tools)
        if (request.tool_choice.kind != Kind::named || tool.name == request.tool_choice.name) tools.push_back(tool);
    if (tools.empty())
        return base::error(base::Code::invalid_argument, "tool_choice names '" + request.tool_choice.name + "', which is not among the tools");
    const bool forced = request.tool_choice.kind == Kind::required || request.tool_choice.kind == Kind::named;
    const bool parallel = request.tool_choice.parallel && !forced;
    const auto json = tools_to_json(tools);
    const auto make = [&]() -> base::Result<BoundGrammar> {
        auto syntax = text::call_syntax(dialect, json, parallel);
        if (!syntax) return std::move(syntax).error();
        auto grammar = text::Grammar::from_ebnf(syntax->ebnf);
        if (!grammar) return std::move(grammar).error();
        return BoundGrammar{*std::move(grammar), syntax->trigger};
    };
    auto bound = grammars.get("calls " + dialect + (parallel ? " parallel " : " one ") + json.dump(), make);
    if (!bound && !forced && bound.error().code == base::Code::unsupported) return BoundGrammar{};  // the model writes calls freely
    if (bound && forced) bound->trigger.clear();
    return bound;
}

}  // namespace router
