// A document as the sections by which it is found again. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memory {

struct Section {
    std::string heading;  // "Manual > Care > Oil": those that it stands under; empty: none
    std::string body;     // whole paragraphs, at most kSectionBytes unless one word is longer
};
inline constexpr std::size_t kSectionBytes = 1500;

enum class Form { text, markdown };
// By the name's ending: Markdown itself, and what is read as such (memory/reader.h); everything else is plain text.
Form form_of(std::string_view name);

// Paragraphs are parted by blank lines; of Markdown a heading (# to ######, outside fenced code) begins a section. A paragraph that is too long is cut
// between lines, else between words. Nothing but blanks between paragraphs is lost.
std::vector<Section> sections_of(std::string_view text, Form form);

}  // namespace memory
