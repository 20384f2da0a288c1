// From generated text to channels: content, reasoning, tool calls. One table row a dialect.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace text {

struct ToolCall {
    std::string name;
    std::string arguments{};  // JSON text: byte for byte as the model wrote it where it writes JSON; half of it when the output was cut short
    std::string written{};    // the model's text of this call and of those after it in the same markup; empty for those
};

// What an operator should know of an output.
struct Notice {
    enum class Kind {
        not_a_call,     // it began like a call and is none: all of it is content. text: what opened it
        no_calls,       // markup of calls with none in it, control tokens of calls that stand alone, or a call said twice. text: the markup
        other_dialect,  // calls of another dialect stand in the content. text: its name
        beside_call,    // a member of a call that is neither its name nor its arguments, or braces too many behind it. text: it
    } kind = Kind::not_a_call;
    std::string text;
};

// What one chunk of output adds. tool_call_started carries index and name; tool_arguments appends.
struct Delta {
    enum class Kind { content, reasoning, tool_call_started, tool_arguments } kind = Kind::content;
    std::string text;
    int tool_index = -1;
};

struct ParsedOutput {
    std::string content, reasoning;
    std::vector<ToolCall> tool_calls;
    std::vector<Notice> notices;
};

struct ParserOptions {
    std::string dialect = "none";    // a name of dialects(): "hermes", "qwen3_coder", "llama3_json", "mistral", …
    base::OrderedJson tools;         // array of OpenAI tool definitions; types of arguments come from here, and which are strict
    bool reasoning_open = false;     // the prompt already ended in what opens reasoning: see opens_reasoning()
    bool expect_tools = true;        // false: markup of calls stays content
    bool bare_calls = true;          // a message that is nothing but the JSON of a call, without the dialect's markup, is one, of a strict tool where its
                                     // arguments are as the schema wants them; false: content
    bool expect_reasoning = true;    // false: reasoning and its markup stay content
    bool verbatim = false;           // content is kept byte for byte, with the blanks around it: markup counts where an answer would begin and nowhere in it
};

// Between reasoning and an answer that is kept byte for byte: one text, so that no blank of the answer is taken for it.
inline constexpr std::string_view behind_reasoning = "\n\n";

class OutputParser {
public:
    static base::Result<std::unique_ptr<OutputParser>> create(ParserOptions options);
    virtual ~OutputParser() = default;
    // Any split of the text into chunks gives the same accumulated result.
    virtual std::vector<Delta> feed(std::string_view chunk) = 0;
    virtual std::vector<Delta> finish() = 0;
    virtual const ParsedOutput& result() const = 0;
};

std::vector<std::string> dialects();
// The dialect that a chat template's source asks for; "none" when it knows no tools.
std::string detect_dialect(std::string_view template_source);
// All markup of the dialect: a control token whose text stands in it is part of what a parser reads.
std::vector<std::string> markup_of(std::string_view dialect);
// Whether a prompt leaves the model in the middle of its reasoning, as this dialect marks it.
bool opens_reasoning(std::string_view dialect, std::string_view prompt);

// How a call is written in this dialect, as a grammar: see grammar.h. `trigger` is the text after
// which output is bound (empty: nothing tells a call from other text before it is there, so that only a
// call that must come can be bound). Fails for dialects without a grammar.
struct CallSyntax {
    std::string trigger;
    std::string ebnf;  // root rule "root"; covers 1 to `most` calls, trigger included
    // Calls without the dialect's markup, as models write them (ParserOptions::bare_calls), spaced in any way: rules beside those of
    // `ebnf`, the first of them "bare", and by themselves the rules of how each begins, up to its arguments. Empty where there is no trigger.
    std::string bare, heads;
};
// What opens a call; empty for dialects without a grammar.
std::string call_mark(std::string_view dialect);
// Whether the text could be read as a call, in whatever dialect.
bool holds_call_mark(std::string_view text);
base::Result<CallSyntax> call_syntax(std::string_view dialect, const base::OrderedJson& tools, int most);

}  // namespace text
