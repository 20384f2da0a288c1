#include "app/table.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <cstdio>

#include "app/terminal.h"
#include "base/unicode.h"

namespace app {

std::size_t display_width(std::string_view text) {
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);  // its own: the program's stays "C"
    const locale_t before = utf8 ? uselocale(utf8) : nullptr;
    std::size_t width = 0;
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = base::decode_utf8(text, at, length);
        const int columns = c == base::no_char ? 1 : wcwidth(wchar_t(c));
        width += columns < 0 ? 1 : std::size_t(columns);
        at += std::size_t(length);
    }
    if (utf8) uselocale(before);
    return width;
}

Table::Table(std::vector<std::string> headings) {
    if (!headings.empty()) rows_.push_back(std::move(headings));
}

void Table::add(std::vector<std::string> cells) {
    for (std::string& cell : cells) {
        const std::size_t whole = cell.size();
        cell = one_line(std::move(cell), whole);
    }
    rows_.push_back(std::move(cells));
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
    }
    std::string out;
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - display_width(row[i]) + 2, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

void Table::print() const { std::fputs(text().c_str(), stdout); }

}  // namespace app
