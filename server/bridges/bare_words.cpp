#include "server/bridges/bare_words.h"

#include "base/unicode.h"

namespace server::bridges {

std::string bare_words(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = base::decode_utf8(text, at, length);
        at += std::size_t(length);
        if (c == base::no_char) base::append_utf8(out, U'\uFFFD');
        else if ((base::classes(c) & (base::letter | base::mark | base::number)) != 0) base::append_utf8(out, base::to_lower(c));
        else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return base::to_nfc(out);
}

}  // namespace server::bridges
