#include "app/line_diff.h"

#include <algorithm>

namespace app {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

}  // namespace

std::vector<DiffLine> line_diff(std::string_view before, std::string_view after) {
    const auto a = lines_of(before), b = lines_of(after);
    // common[i][j]: the longest common subsequence of what follows line i of a and line j of b.
    std::vector<std::vector<unsigned>> common(a.size() + 1, std::vector<unsigned>(b.size() + 1, 0));
    for (std::size_t i = a.size(); i-- > 0;)
        for (std::size_t j = b.size(); j-- > 0;) common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    std::vector<DiffLine> out;
    std::size_t i = 0, j = 0;
    while (i < a.size() || j < b.size()) {
        if (i < a.size() && j < b.size() && a[i] == b[j])
            out.push_back({' ', a[i]}), ++i, ++j;
        else if (i < a.size() && (j == b.size() || common[i + 1][j] >= common[i][j + 1]))
            out.push_back({'-', a[i++]});
        else
            out.push_back({'+', b[j++]});
    }
    return out;
}

std::string diff_text(const std::vector<DiffLine>& lines, std::size_t context) {
    std::vector<bool> shown(lines.size(), false);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].sign == ' ') continue;
        const std::size_t from = i - std::min(i, context), to = std::min(lines.size(), i + context + 1);
        std::fill(shown.begin() + std::ptrdiff_t(from), shown.begin() + std::ptrdiff_t(to), true);
    }
    std::string out;
    if (std::find(shown.begin(), shown.end(), true) == shown.end()) return out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (shown[i]) out += lines[i].sign + (" " + lines[i].text) + "\n";
        else if (i == 0 || shown[i - 1]) out += "…\n";
    }
    return out;
}

}  // namespace app
