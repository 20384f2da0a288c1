#include "agents/reply/silence.h"

#include <algorithm>
#include <iterator>

#include "base/unicode.h"

namespace agents::reply {
namespace {

// Default_Ignorable_Code_Point beyond the categories below, and the blank of Braille.
constexpr char32_t kInvisible[][2] = {{0x034F, 0x034F}, {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x2800, 0x2800},
                                      {0x3164, 0x3164}, {0xFE00, 0xFE0F}, {0xFFA0, 0xFFA0}, {0xE0100, 0xE01EF}};

bool is_seen(char32_t c) {
    using base::Category;
    if (c == base::no_char) return true;
    const Category category = base::category(c);
    if (base::is_space(c) || category == Category::Cc || category == Category::Cf) return false;
    return std::none_of(std::begin(kInvisible), std::end(kInvisible), [&](const auto& range) { return c >= range[0] && c <= range[1]; });
}

}  // namespace

bool is_silent(std::string_view text) {
    int length = 0;
    for (std::size_t at = 0; at < text.size(); at += std::size_t(length))
        if (is_seen(base::decode_utf8(text, at, length))) return false;
    return true;
}

}  // namespace agents::reply
