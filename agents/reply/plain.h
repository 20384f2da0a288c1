// Replies for people who want no signs of machines in them: formulas, tables, fences, headings, emphasis, tags, raw JSON and paths
// become words. Deterministic and streamed. What comes out holds none of
//   \ ` | { } ** __ ~~~    $ before anything but a digit    < > as a tag    # at a line's beginning
//   a path: /a, ~/a, ./a, a/b/c, a/b.c or file:/a (its last name stays); addresses with :// stay as they are
// however the text is cut; what carries meaning stays.
#pragma once

#include <string>
#include <string_view>

namespace agents::reply {

class Plain {
public:
    // What may be shown now: whole lines, and whole sentences of a line without any sign.
    std::string take(std::string_view piece);
    std::string finish();

private:
    std::string segment(std::string_view text);

    std::string pending_;
    bool line_begins_ = true;  // at the beginning of pending_
};

std::string plain(std::string_view text);

}  // namespace agents::reply
