#include "server/bridges/foreign_json.h"

#include <charconv>
#include <optional>
#include <string>

namespace server::bridges {
namespace {

constexpr std::size_t kEscapeSize = 6;  // of \uD83D
constexpr std::string_view kReplacement = "\\ufffd";

// Of "\uXXXX" at the beginning.
std::optional<unsigned> escaped_unit(std::string_view text) {
    unsigned unit = 0;
    if (text.size() < kEscapeSize || !text.starts_with("\\u")) return std::nullopt;
    const char* const end = text.data() + kEscapeSize;
    const auto [read, failed] = std::from_chars(text.data() + 2, end, unit, 16);
    return failed == std::errc() && read == end ? std::optional(unit) : std::nullopt;
}

bool is_half(unsigned unit, unsigned first) { return unit >= first && unit < first + 0x400; }

std::string with_whole_pairs(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        std::size_t size = text[0] == '\\' && text.size() > 1 ? 2 : 1;
        std::string_view kept = text.substr(0, size);
        if (const auto unit = escaped_unit(text)) {
            const auto next = escaped_unit(text.substr(kEscapeSize));
            const bool pair = is_half(*unit, 0xD800) && next && is_half(*next, 0xDC00);
            const bool half = !pair && (is_half(*unit, 0xD800) || is_half(*unit, 0xDC00));
            size = pair ? 2 * kEscapeSize : kEscapeSize;
            kept = half ? kReplacement : text.substr(0, size);
        }
        out += kept;
        text.remove_prefix(size);
    }
    return out;
}

}  // namespace

base::Result<base::Json> parse_foreign_json(std::string_view text, int max_depth) {
    auto parsed = base::parse_json(text, max_depth);
    if (parsed || text.find("\\u") == text.npos) return parsed;
    return base::parse_json(with_whole_pairs(text), max_depth);
}

}  // namespace server::bridges
