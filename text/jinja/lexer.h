// Template source to tokens, with jinja2's whitespace control (trim_blocks, lstrip_blocks on).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace text::jinja {

struct Token {
    enum class Kind { text, print_begin, print_end, block_begin, block_end, name, string, integer, real, symbol, end };
    Kind kind = Kind::end;
    std::string text;
    int line = 1, column = 1;
};

std::vector<Token> tokenize(std::string_view source);  // throws TemplateError with line and column

}  // namespace text::jinja
