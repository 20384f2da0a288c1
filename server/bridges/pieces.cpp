#include "server/bridges/pieces.h"

#include "base/trim.h"
#include "base/unicode.h"

namespace server::bridges {
namespace {

std::size_t units(char32_t c) { return c > 0xFFFF && c != base::no_char ? 2 : 1; }

// Where the first message of the text ends, in bytes.
std::size_t first_end(std::string_view text, std::size_t most_units) {
    std::size_t at = 0, used = 0, half = 0;
    while (at < text.size()) {
        int length = 1;
        const char32_t c = base::decode_utf8(text, at, length);
        used += units(c);
        if (used > most_units) break;
        at += std::size_t(length);
        if (used <= most_units / 2) half = at;
    }
    if (at == text.size()) return at;
    for (const std::string_view between : {"\n\n", "\n", " "})
        if (const auto cut = text.substr(0, at).rfind(between); cut != text.npos && cut > half) return cut;
    return at;
}

}  // namespace

std::vector<std::string> cut_into_pieces(std::string_view text, std::size_t most_units) {
    std::vector<std::string> out;
    for (text = base::trimmed(text); !text.empty(); text = base::trimmed(text)) {
        const std::size_t end = first_end(text, most_units);
        out.emplace_back(base::trimmed_right(text.substr(0, end)));
        text.remove_prefix(end);
    }
    return out;
}

}  // namespace server::bridges
