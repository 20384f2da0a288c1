#include "store/storable.h"

#include "base/unicode.h"
#include "base/utf8.h"

namespace store {
namespace {

// The length of the character there; 0: nothing that is stored.
int length_of(std::string_view text, std::size_t at) {
    if (const auto byte = static_cast<unsigned char>(text[at]); byte > 0 && byte < 0x80) return 1;
    int length = 1;
    const char32_t c = base::decode_utf8(text, at, length);
    return c == 0 || c == base::no_char ? 0 : length;
}

}  // namespace

bool is_storable(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const int length = length_of(text, at);
        if (length == 0) return false;
        at += std::size_t(length);
    }
    return true;
}

std::string storable(std::string_view text) {
    std::string out = base::valid_utf8(text);
    constexpr std::string_view in_place_of_nul = "\uFFFD";
    for (std::size_t at = out.find('\0'); at != out.npos; at = out.find('\0', at)) out.replace(at, 1, in_place_of_nul);
    return out;
}

}  // namespace store
