// How calls are written, one table row a dialect: what opens one, and how to read it. Internal to
// the output parser.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
};

// Reads one opener and what follows. Each step gets the text from the opener on, longer every time;
// how it was cut into steps makes no difference to the pieces put together. `final`: nothing follows.
class CallReader {
public:
    virtual ~CallReader() = default;
    virtual Attempt step(std::string_view text, bool final) = 0;
};

struct CallDialect {
    std::string_view name;
    std::vector<std::string_view> openers;
    bool (*used_by)(std::string_view template_source);
    std::unique_ptr<CallReader> (*reader)(const ParserOptions& options);  // which outlive it
};

const std::vector<CallDialect>& call_dialects();  // in the order in which templates are asked

// The reader of <function=NAME><parameter=KEY>VALUE</parameter></function>, with or without <tool_call>
// around it. The arguments' types come from the tools' schemas.
std::unique_ptr<CallReader> function_reader(const ParserOptions& options);

// The JSON types that a parameter's schema speaks of, through references into `root` (the schema of all
// parameters) and combinations; empty: any text.
std::vector<std::string> argument_types(const base::OrderedJson& schema, const base::OrderedJson& root);

// An argument written between tags, as the schema wants it; a string when it is nothing else.
base::OrderedJson parse_argument(const std::string& text, const base::OrderedJson& schema, const base::OrderedJson& root);

namespace calls {

constexpr auto npos = std::string_view::npos;

std::size_t past_blank(std::string_view s, std::size_t i);
bool begins(std::string_view s, std::size_t at, std::string_view what);
// All of the text from `at` is a beginning of `what`, so that the rest may still come.
bool may_become(std::string_view s, std::size_t at, std::string_view what);
// Past `closing` if it follows after blanks. False while it may still come.
bool take_closing(std::string_view s, std::size_t& at, std::string_view closing, bool final);
std::string json_text(const base::OrderedJson& json);
inline Attempt refused(std::size_t content) { return {Attempt::State::not_a_call, content}; }

}  // namespace calls
}  // namespace text
