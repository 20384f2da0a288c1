#include "router/prompt.h"

#include <algorithm>
#include <cctype>
#include <chrono>

#include "base/json_schema.h"
#include "base/json_schema_words.h"
#include "router/chat_stream.h"
#include "text/call_heads.h"

namespace router {
namespace {

using Kind = ToolChoice::Kind;

bool calls_allowed(const ModelRequest& r) { return !r.tools.empty() && r.tool_choice.kind != Kind::none; }
bool calls_forced(const ModelRequest& r) { return calls_allowed(r) && r.tool_choice.kind != Kind::automatic; }
bool answer_bound(const ModelRequest& r) { return r.response_schema || r.json_object || r.response_rules || !r.answer_rules.empty(); }

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
    input.extra["enable_thinking"] = request.enable_thinking && request.begun.empty();
    input.bos_token = bos;
    input.eos_token = eos;
    input.now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    return input;
}

text::ParserOptions parser_options(const ModelRequest& request, const std::string& dialect, const std::vector<text::Piece>& prompt) {
    text::ParserOptions options;
    options.dialect = dialect;
    options.tools = tools_and_strictness(request.tools);
    options.expect_tools = calls_allowed(request);
    options.bare_calls = !answer_bound(request);  // JSON that was asked for is the answer
    options.verbatim = request.response_rules && !calls_forced(request);
    options.reasoning_open = !prompt.empty() && text::opens_reasoning(dialect, prompt.back().text);
    return options;
}

namespace {

// Without members that the schema does not name, where it leaves open whether there may be others: a small model makes some
// up. What it asks for otherwise stays as it is, so that no less may be true of what is written.
base::OrderedJson closed(base::OrderedJson schema) {
    if (!schema.is_object()) return schema;
    const auto has = [&](const char* key) { return schema.contains(key); };
    if (has("items")) schema["items"] = closed(schema["items"]);
    if (!has("properties") || !schema["properties"].is_object()) return schema;
    for (auto& member : schema["properties"]) member = closed(member);
    for (const char* other : {"additionalProperties", "patternProperties", "unevaluatedProperties", "dependentSchemas", "allOf", "anyOf", "oneOf", "if", "$ref", "$dynamicRef"})
        if (has(other)) return schema;
    if (has("required") && schema["required"].is_array())
        for (const auto& name : schema["required"])
            if (name.is_string() && !schema["properties"].contains(name.get<std::string>())) return schema;
    schema["additionalProperties"] = false;
    return schema;
}

// Where in its schema lies what a refusal by text::Grammar names.
std::string place_in(const std::string& refusal) {
    constexpr std::string_view before = ": at \"", before_malformed = ": schema at \"", after = "\": ";  // by the writer of grammars; by base::Schema
    const std::size_t at = std::min(refusal.find(before), refusal.find(before_malformed)), begin = at == refusal.npos ? at : refusal.find('"', at) + 1;
    const std::size_t end = at == refusal.npos ? at : refusal.find(after, begin);
    return end == refusal.npos ? std::string() : refusal.substr(begin, end - begin);
}

// The tools that may be called. A schema that no grammar can hold binds its arguments to an object only, unless it is strict;
// without that, words that JSON Schema does not have bind nothing.
base::Result<std::vector<ToolSchema>> callable(const ModelRequest& request, const std::string& dialect, std::vector<text::LooseTool>& loose) {
    std::vector<ToolSchema> tools;
    for (std::size_t i = 0; i < request.tools.size(); ++i) {
        const ToolSchema& tool = request.tools[i];
        if (request.tool_choice.kind == Kind::named && tool.name != request.tool_choice.name) continue;
        tools.push_back(tool);
        if (tool.parameters.empty() && tool.strict.value_or(true)) tools.back().parameters = {{"type", "object"}, {"additionalProperties", false}};
        if (tool.parameters.empty()) continue;
        if (tool.strict.value_or(true)) {
            const auto unknown = base::unknown_words(tool.parameters);
            if (tool.strict && !unknown.empty()) return base::error(base::Code::invalid_argument, "the tool '" + tool.name + "': " + unknown.front().text());
            const base::OrderedJson parameters = base::without(tool.parameters, unknown);
            tools.back().parameters = closed(parameters);
            if (text::call_syntax(dialect, tools_to_json({tools.back()}), 1)) continue;
            tools.back().parameters = parameters;
            const auto held = text::call_syntax(dialect, tools_to_json({tools.back()}), 1);
            if (held) continue;
            // What the validator cannot read either is no reason to lose the tool; what is no schema is.
            const auto schema = base::Schema::parse(base::Json(tool.parameters));
            if (!schema && schema.error().code != base::Code::unsupported)
                return base::error(base::Code::invalid_argument, "the tool '" + tool.name + "': " + schema.error().text());
            if (tool.strict)
                return base::error(held.error().code, "the tool '" + tool.name + "' is strict, and its arguments cannot be held to its schema: " + held.error().message,
                                   "leave strict out");
            loose.push_back({i, place_in(held.error().message)});
        }
        tools.back().parameters = {{"type", "object"}};
    }
    if (tools.empty())
        return base::error(base::Code::invalid_argument, "tool_choice names '" + request.tool_choice.name + "', which is not among the tools");
    return tools;
}

// One character as EBNF, in a literal or in a class.
std::string escaped(char c) {
    if (c == '\n') return "\\n";
    return (std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80 ? "" : "\\") + std::string(1, c);
}

std::string literal(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) out += escaped(c);
    return out + "\"";
}

// Rules "words" and what it needs: text that begins with neither space nor brace, and does not hold `mark`.
std::string rules_of_words(const std::string& mark) {
    std::string rest = mark.empty() ? "." : "", begun;
    for (char c : mark) {
        if (!rest.empty()) rest += " | ";
        rest += (begun.empty() ? "[^" : "\"" + begun + "\" [^") + escaped(c) + "]";
        begun += escaped(c);
    }
    return "words ::= [^ \\n\\t{" + (mark.empty() ? "" : escaped(mark[0])) + "] words-piece*\nwords-piece ::= " + rest + "\n";
}

base::Error of_format(const base::Error& e) { return base::error(e.code, "response_format: " + e.message, e.remedy); }

// Rules whose root is "answer"; none where the request brings a language of its own, which stands for that.
base::Result<std::string> answer_rules(const ModelRequest& request, const std::string& call_mark) {
    if (request.response_rules) return std::string();
    if (!request.answer_rules.empty()) return request.answer_rules + "\n" + rules_of_words(call_mark);
    const base::OrderedJson object = {{"type", "object"}};
    auto rules = text::Grammar::schema_to_ebnf(request.response_schema ? *request.response_schema : object, "answer");
    if (!rules) return of_format(rules.error());
    return rules;
}

// Rules whose root is "calls", and the text that begins a call. Without rules the model writes calls freely.
base::Result<text::CallSyntax> call_rules(const ModelRequest& request, const std::string& dialect, std::vector<text::LooseTool>& loose) {
    auto tools = callable(request, dialect, loose);
    if (!tools) return std::move(tools).error();
    const int asked = request.tool_choice.most > 0 ? request.tool_choice.most : calls_forced(request) ? 1 : kMostCalls;
    const int most = request.tool_choice.kind == Kind::named ? 1 : asked;
    auto syntax = text::call_syntax(dialect, tools_to_json(*tools), most);
    const std::string root = "root ";
    if (syntax && syntax->ebnf.starts_with(root)) syntax->ebnf.replace(0, root.size(), "calls ");
    if (!syntax && !calls_forced(request) && syntax.error().code == base::Code::unsupported) return text::CallSyntax{};
    return syntax;
}

// Error{unsupported} when nothing can be bound, though something could be.
base::Result<text::BoundGrammar> compile(const ModelRequest& request, const std::string& dialect, bool reasoning_open, bool may_think) {
    text::BoundGrammar out;
    text::CallSyntax bare;
    std::string rules, root;
    if (answer_bound(request) && !calls_forced(request)) {
        auto answer = answer_rules(request, text::call_mark(dialect));
        if (!answer) return std::move(answer).error();
        rules = *answer + "\n";
        root = "answer";
    }
    if (calls_allowed(request)) {
        auto calls = call_rules(request, dialect, out.loose);
        if (!calls) return std::move(calls).error();
        const bool unannounced = calls->trigger.empty() && !answer_bound(request) && !calls_forced(request);
        if (unannounced) return base::error(base::Code::unsupported, "nothing in the dialect '" + dialect + "' tells that a call begins");
        rules += calls->ebnf;
        if (!calls->ebnf.empty()) root += root.empty() ? "calls" : " | calls";
        if (!answer_bound(request) && !calls_forced(request)) {
            out.trigger = calls->trigger;
            bare = *std::move(calls);
        }
    }
    if (root.empty()) return base::error(base::Code::unsupported, "the dialect '" + dialect + "' has no grammar");
    // Thoughts are free; what they lead to is bound. A language of the request's own may begin with blanks of its own.
    const std::string gap = request.response_rules ? literal(text::behind_reasoning) : "[ \\n]*";
    if (out.trigger.empty() && reasoning_open) {
        out.trigger = "</think>";
        root = "\"</think>\" " + gap + " ( " + root + " )";
    } else if (out.trigger.empty() && may_think) {
        root = "( \"<think>\" [^<]* \"</think>\" " + gap + " )? ( " + root + " )";
    }
    if (!bare.heads.empty()) {
        auto grammar = text::Grammar::from_ebnf("root ::= " + root + " | bare\n" + rules + bare.bare);
        auto heads = text::CallHeads::create(bare.heads, dialect, reasoning_open);
        if (grammar && heads) return text::BoundGrammar{*std::move(grammar), std::move(out.trigger), *std::move(heads), std::move(out.loose)};
        // Together they are too large: calls without markup stay free.
    }
    const std::string source = "root ::= " + root + "\n" + rules;
    auto grammar = request.response_rules ? text::Grammar::from_ebnf(source, "answer", *request.response_rules) : text::Grammar::from_ebnf(source);
    if (!grammar) return request.response_rules ? of_format(grammar.error()) : grammar.error();
    out.grammar = *std::move(grammar);
    return out;
}

bool all_free(const ToolMenu& tools) {
    return std::all_of(tools.begin(), tools.end(), [](const ToolSchema& tool) { return tool.strict == false; });
}

bool any_strict(const ToolMenu& tools) {
    return std::any_of(tools.begin(), tools.end(), [](const ToolSchema& tool) { return tool.strict == true; });
}

// All that compile() looks at.
std::string key_of(const ModelRequest& request, const std::string& dialect, bool reasoning_open, bool may_think) {
    base::OrderedJson key = {dialect, reasoning_open, may_think, request.json_object, calls_allowed(request), calls_forced(request)};
    key.push_back(request.response_schema ? *request.response_schema : base::OrderedJson());
    key.push_back(request.response_rules ? base::OrderedJson{int(request.response_rules->kind), request.response_rules->texts} : base::OrderedJson());
    key.push_back({request.tool_choice.name, request.tool_choice.most, request.answer_rules});
    key.push_back(calls_allowed(request) ? tools_to_json(request.tools) : base::OrderedJson());
    for (const auto& tool : request.tools) key.push_back(tool.strict ? base::OrderedJson(*tool.strict) : base::OrderedJson());
    return key.dump(-1, ' ', false, base::OrderedJson::error_handler_t::replace);
}

}  // namespace

base::Result<text::BoundGrammar> output_bound(const ModelRequest& request, const std::string& dialect, text::GrammarCache& grammars, bool reasoning_open,
                                              bool may_think) {
    const bool free = !answer_bound(request) && !calls_forced(request);
    if (free && (!calls_allowed(request) || all_free(request.tools))) return text::BoundGrammar{};
    const auto make = [&] { return compile(request, dialect, reasoning_open, may_think); };
    auto bound = grammars.get(key_of(request, dialect, reasoning_open, may_think), make);
    if (!bound && free && !any_strict(request.tools) && bound.error().code == base::Code::unsupported) return text::BoundGrammar{};  // the model writes calls freely
    return bound;
}

std::string last_word(const std::string& begun) {
    constexpr std::size_t longest = 24;  // bytes; without blanks in between it is no word
    const auto blank = [&](std::size_t i) { return begun[i] == ' ' || begun[i] == '\n'; };
    std::size_t start = begun.size();
    while (start > 0 && !blank(start - 1)) --start;
    while (start > 0 && blank(start - 1)) --start;
    const std::string word = begun.substr(start);
    const bool plain = std::none_of(word.begin(), word.end(), [](unsigned char c) { return c < 0x20 && c != '\n'; });
    return plain && word.size() <= longest && start > 0 ? word : std::string();
}

base::Result<text::BoundGrammar> output_beginning_with(const std::string& text, text::GrammarCache& grammars) {
    const auto make = [&]() -> base::Result<text::BoundGrammar> {
        auto grammar = text::Grammar::from_ebnf("root ::= " + literal(text) + " .*\n");
        if (!grammar) return std::move(grammar).error();
        return text::BoundGrammar{*std::move(grammar), {}, {}, {}};
    };
    return grammars.get("begins " + text, make);
}

}  // namespace router
