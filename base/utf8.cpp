#include "base/utf8.h"

#include "base/unicode.h"

namespace base {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string_view beginning(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    std::size_t end = most;
    while (end > 0 && most - end < 3 && continues(text[end])) --end;  // a character has at most three more bytes
    return text.substr(0, continues(text[end]) ? most : end);
}

std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        if (decode_utf8(text, at, length) == no_char) out += "\uFFFD";
        else out += text.substr(at, std::size_t(length));
        at += std::size_t(length);
    }
    return out;
}

}  // namespace base
