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

base::Result<OutputBound> output_bound(const ModelRequest& request, const std::string& dialect) {
    OutputBound out;
    if (request.response_schema || request.json_object) {
        auto grammar = request.response_schema ? text::Grammar::from_json_schema(*request.response_schema) : text::Grammar::any_json_object();
        if (!grammar) return std::move(grammar).error();
        out.grammar = *std::move(grammar);
        return out;
    }
    if (!calls_allowed(request)) return out;
    std::vector<ToolSchema> tools;
    for (const auto& tool : request.tools)
        if (request.tool_choice.kind != Kind::named || tool.name == request.tool_choice.name) tools.push_back(tool);
    if (tools.empty())
        return base::error(base::Code::invalid_argument, "tool_choice names '" + request.tool_choice.name + "', which is not among the tools");
    const bool forced = request.tool_choice.kind == Kind::required || request.tool_choice.kind == Kind::named;
    auto syntax = text::call_syntax(dialect, tools_to_json(tools), request.tool_choice.parallel && !forced);
    if (!syntax) {
        if (!forced && syntax.error().code == base::Code::unsupported) return out;  // the model writes calls freely
        return std::move(syntax).error();
    }
    auto grammar = text::Grammar::from_ebnf(syntax->ebnf);
    if (!grammar) return std::move(grammar).error();
    out.grammar = *std::move(grammar);
    if (!forced) out.trigger = syntax->trigger;
    return out;
}

}  // namespace router
