// How calls are written, one table row a dialect: what opens one, and how to read it. Internal to
// the output parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/output_parser.h"

namespace text {

// Where a JSON value ends, fed step by step: each character is looked at once.
class JsonScan {
public:
    // The end of the object or array that begins at `from`; npos while it is open.
    std::size_t end(std::string_view text, std::size_t from);

private:
    std::size_t at_ = std::string_view::npos, end_ = std::string_view::npos;
    int depth_ = 0;
    bool in_string_ = false, escaped_ = false;
};

// What has become of text that begins with an opener.
struct Attempt {
    enum class State { more, calls, not_a_call } state = State::more;
    std::size_t consumed = 0;  // with calls; with not_a_call: the characters that are content for certain
    std::vector<ToolCall> calls;
};

struct ScanState {
    JsonScan json;
    std::size_t searched = 0;
};

struct CallDialect {
    std::string_view name;
    std::vector<std::string_view> openers;
    bool (*used_by)(std::string_view template_source);
    Attempt (*read)(std::string_view text, bool final, const ParserOptions& options, ScanState& scan);
};

const std::vector<CallDialect>& call_dialects();  // in the order in which templates are asked

}  // namespace text
