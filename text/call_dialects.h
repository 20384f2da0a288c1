// How models mark their reasoning and write their calls, one table row a dialect. Internal to the output
// parser. A row is data; a form that no data describes has a reader of its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/trim.h"
#include "text/output_parser.h"

namespace text {

// What further text brought: a call begins, or its arguments go on.
struct CallPiece {
    bool begins = false;
    std::string text;  // the name of the call that begins; else more of the arguments
};

// What has become of text that begins with an opener.
struct Attempt {
    enum class State { more, done, not_a_call } state = State::more;
    std::size_t consumed = 0;  // done: all of the call or calls; not_a_call: characters that are content for certain
    std::vector<CallPiece> pieces{};  // new since the last step; after one of them it is never not_a_call
    std::string broken{};  // what has more in it than name and arguments, or less
    std::vector<std::string> beside{};  // done: members of a call that are neither name nor arguments, braces too many behind it
    std::vector<std::pair<std::size_t, std::size_t>> left{};  // done: from where to where what was consumed is neither: content
};

// Reads one opener and what follows. Each step gets the text from the opener on, longer every time;
// how it was cut into steps makes no difference to the pieces put together. `final`: nothing follows.
class CallReader {
public:
    virtual ~CallReader() = default;
    virtual Attempt step(std::string_view text, bool final) = 0;
};

struct Thoughts {
    std::string_view open = "<think>", close = "</think>";
    std::string_view label = {};  // a line that may follow `open` and is no thought
    bool prose = false;           // plain words: they open reasoning only where an output begins
};

// OPEN {"name": NAME, "arguments" or "parameters": ARGUMENTS} CLOSE, or a list of these.
struct JsonForm {
    std::string_view close = {};
    bool object = true, list = true;
    bool name_first = false;  // an object that begins otherwise is none, and content at once
    bool tagged = false;      // <function=NAME> is read too
};

// SECTION_OPEN (CALL_OPEN [… NAME_BEGIN] NAME NAME_END [FENCE] ARGUMENTS CALL_CLOSE)* SECTION_CLOSE
struct NamedForm {
    std::string_view section_open, section_close, call_open, name_begin, name_end, fence, call_close;
    bool counted = false;  // the name stands as functions.NAME:N, or is N alone
};

// [SECTION_OPEN] CALL_OPEN NAME NAME_END … (PARAMETER KEY KEY_END … VALUE VALUE_TEXT VALUE_CLOSE)* CALL_CLOSE [SECTION_CLOSE]
struct TaggedForm {
    enum class Untyped { text, json, told };  // a value without a schema; told: string="true" stands in the tag
    std::string_view section_open, section_close, call_open, name_end, parameter, key_end, value, value_close, call_close;
    bool own_lines = false;  // a value stands on lines of its own, whose ends are not part of it
    Untyped untyped = Untyped::text;
};

// OPEN [NAME(KEY=VALUE, …), …] CLOSE with Python's literals; or without the list, a call a line.
struct PythonForm {
    std::string_view close;
    bool list = true, json = false;  // json: lists of objects are read too
};

// OPEN call:NAME{KEY:VALUE,…} CLOSE, with QUOTE around texts.
struct BraceForm {
    std::string_view close, quote;
};

struct MistralForm {};  // [TOOL_CALLS] and a list of objects, or NAME[ARGS]ARGUMENTS
struct HarmonyForm {};  // messages with channels: see harmony_parser.h

using Form = std::variant<JsonForm, NamedForm, TaggedForm, PythonForm, BraceForm, MistralForm, HarmonyForm>;

// What a call's opener is inside of reasoning.
enum class InThoughts {
    text,    // part of the reasoning
    call,    // its end, if a call can be read
    opener,  // its end, whatever follows
};

struct CallDialect {
    std::string_view name;
    std::vector<std::string_view> openers;
    std::vector<std::vector<std::string_view>> signs;  // a template that holds all texts of one of these asks for it
    Form form;
    std::vector<Thoughts> thoughts = {Thoughts{}};
    InThoughts in_thoughts = InThoughts::text;
    std::string_view first_opener = {};  // one that counts only where an output begins
    std::string_view untagged_opener = {};  // one that counts until a call with a tag has come: models repeat themselves without it
    std::vector<std::string_view> control = {};  // tokens that are no content even where they stand alone
};

const std::vector<CallDialect>& call_dialects();  // in the order in which templates are asked
const CallDialect* find_dialect(std::string_view name);
const std::vector<Thoughts>& plain_thoughts();  // of outputs whose dialect is not known
std::unique_ptr<CallReader> make_reader(const CallDialect& dialect, const ParserOptions& options);  // which outlive it

std::unique_ptr<CallReader> json_reader(const JsonForm& form, const CallDialect& dialect, const ParserOptions& options);
std::unique_ptr<CallReader> named_reader(const NamedForm& form, const ParserOptions& options);
std::unique_ptr<CallReader> tagged_reader(const TaggedForm& form, const ParserOptions& options);
std::unique_ptr<CallReader> python_reader(const PythonForm& form, const CallDialect& dialect, const ParserOptions& options);
std::unique_ptr<CallReader> brace_reader(const BraceForm& form, const CallDialect& dialect);
std::unique_ptr<CallReader> mistral_reader();

extern const TaggedForm function_tags;  // <tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>

// The JSON types that a parameter's schema speaks of, through references into `root` (the schema of all
// parameters) and combinations; empty: any text.
std::vector<std::string> argument_types(const base::OrderedJson& schema, const base::OrderedJson& root);

// An argument written between tags, as the schema wants it; a string when it is nothing else.
base::OrderedJson parse_argument(const std::string& text, const base::OrderedJson& schema, const base::OrderedJson& root);

namespace calls {

constexpr auto npos = std::string_view::npos;

inline bool blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
std::size_t past_blank(std::string_view s, std::size_t i);
bool begins(std::string_view s, std::size_t at, std::string_view what);
// All of the text from `at` is a beginning of `what`, so that the rest may still come.
bool may_become(std::string_view s, std::size_t at, std::string_view what);
// Past `closing` if it follows after blanks. False while it may still come.
bool take_closing(std::string_view s, std::size_t& at, std::string_view closing, bool final);
using base::trimmed;
// The longest opener that the text begins with.
std::size_t opener_length(const CallDialect& dialect, std::string_view text);
// The schema of a tool's parameters; null when there is none.
const base::OrderedJson* parameters_of(const base::OrderedJson& tools, std::string_view tool);
bool has_tools(const base::OrderedJson& tools);
bool is_tool(const base::OrderedJson& tools, std::string_view name);
std::vector<std::string> names_of(const base::OrderedJson& tools);
bool is_strict(const base::OrderedJson& tools, std::string_view tool);  // its definition says "strict": true
std::string json_text(const base::OrderedJson& json);
inline Attempt refused(std::size_t content) { return {Attempt::State::not_a_call, content}; }

}  // namespace calls
}  // namespace text
