#include "server/bridges/pieces.h"

#include "base/trim.h"
#include "base/unicode.h"

namespace server::bridges {
namespace {

std::size_t units(char32_t c) { return c > 0xFFFF && c != base::no_char ? 2 : 1; }

}  // namespace

std::size_t units_of(std::string_view text) {
    std::size_t used = 0;
    int length = 1;
    for (std::size_t at = 0; at < text.size(); at += std::size_t(length)) used += units(base::decode_utf8(text, at, length));
    return used;
}

std::size_t byte_at_unit(std::string_view text, std::size_t unit) {
    std::size_t at = 0, used = 0;
    while (at < text.size()) {
        int length = 1;
        used += units(base::decode_utf8(text, at, length));
        if (used > unit) break;
        at += std::size_t(length);
    }
    return at;
}

std::size_t first_end(std::string_view text, std::size_t most_units) {
    const std::size_t at = byte_at_unit(text, most_units), half = byte_at_unit(text, most_units / 2);
    if (at == text.size()) return at;
    for (const std::string_view between : {"\n\n", "\n", " "})
        if (const auto cut = text.substr(0, at).rfind(between); cut != text.npos && cut > half) return cut;
    return at;
}

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
