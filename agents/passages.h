// A text as passages that can be quoted whole: a sentence, a line, a long line up to a word of it with an ellipsis.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agents {

struct Passage {
    std::string text;
    bool goes_on = false;  // in the same paragraph as the one before
    bool operator==(const Passage&) const = default;
};

struct Passages {
    std::vector<Passage> list;
    bool prose = false;   // has sentences; else each passage is a line as it stands, with its indentation
    bool left_out = false;  // not all of the text is there
    bool operator==(const Passages&) const = default;
};

// Sentences of the paragraphs, without headings and rules where there is anything else; lines of a text that has no sentences.
Passages passages_of(const std::vector<std::string>& lines);

// The lines as they stand, without the empty ones at both ends.
Passages lines_as_passages(const std::vector<std::string>& lines);

// At most `most` bytes: up to the last whole word, with an ellipsis.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace agents
