#include "base/visible.h"

#include <cstdio>

#include "base/unicode.h"

namespace base {
namespace {

bool acts(char32_t c) {
    const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c <= 0x9f);
    return control || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string visible(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = decode_utf8(text, at, length);
        if (c == no_char) {
            out += "\uFFFD";
        } else if (acts(c)) {
            char form[16];
            std::snprintf(form, sizeof form, "\\u%04x", unsigned(c));
            out += form;
        } else {
            out += text.substr(at, std::size_t(length));
        }
        at += std::size_t(length);
    }
    return out;
}

}  // namespace base
