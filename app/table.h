// Lists on a terminal: each column is as wide as its widest cell, by what a terminal shows and not by bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace app {

// How many columns a terminal needs for it: none for an accent that is a character of its own, two for wide characters.
std::size_t display_width(std::string_view text);

class Table {
public:
    // Without headings: rows alone.
    explicit Table(std::vector<std::string> headings = {});
    // As many cells each time. They are shown as visible() does, on one line.
    void add(std::vector<std::string> cells);
    std::string text() const;
    void print() const;  // on standard output

private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace app
