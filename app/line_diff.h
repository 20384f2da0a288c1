// What changed between two texts, line by line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace app {

struct DiffLine {
    char sign;  // ' ' in both, '-' only in the first, '+' only in the second
    std::string text;
};
// The fewest lines taken out and put in (longest common subsequence); for texts of some thousand lines.
std::vector<DiffLine> line_diff(std::string_view before, std::string_view after);

// As text: changed lines with `context` others around them, "…" where more are left out; empty: nothing changed.
std::string diff_text(const std::vector<DiffLine>& lines, std::size_t context = 3);

}  // namespace app
