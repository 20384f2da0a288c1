#include "text/charsmap.h"

#include <algorithm>
#include <cstring>

#include "text/unicode.h"

namespace text {
namespace {

using base::Code;

// Unicode's longest is of 33 bytes (U+FDFA). Each character of a text may be replaced: without a bound a small file makes a text
// of gigabytes out of a page.
constexpr std::size_t longest_replacement = 256;
constexpr std::size_t longest_cluster = 5;  // bytes of a cluster that is looked up as a whole

// A unit of Darts-clone's double array (Yata, 2008): 31 bits of a value, or label, whether a value lies behind it, and the offset.
bool has_value(std::uint32_t unit) { return unit >> 8 & 1; }
std::uint32_t value_of(std::uint32_t unit) { return unit & 0x7FFFFFFF; }
std::uint32_t label_of(std::uint32_t unit) { return unit & (1u << 31 | 0xFF); }
std::uint32_t offset_of(std::uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); }

// Whether a grapheme cluster goes on with this character (Unicode annex 29, GB9 and GB9a).
bool extends(char32_t c) { return (classes(c) & Class::mark) || c == 0x200C || c == 0x200D; }

// Where the cluster that begins at `at` ends, as far as one of few bytes can go on.
std::size_t cluster_end(std::string_view text, std::size_t at) {
    int length = 1;
    const char32_t first = decode_utf8(text, at, length);
    std::size_t end = at + std::size_t(length);
    if (first == '\r' && end < text.size() && text[end] == '\n') return end + 1;
    if (first == no_char || category(first) == Category::Cc) return end;
    while (end < text.size() && extends(decode_utf8(text, end, length))) end += std::size_t(length);
    return end;
}

}  // namespace

base::Result<std::shared_ptr<const Charsmap>> Charsmap::read(std::string_view bytes) {
    std::uint32_t size = 0;
    if (bytes.size() < sizeof size) return base::error(Code::corrupt, "a precompiled_charsmap of at least 4 bytes");
    std::memcpy(&size, bytes.data(), sizeof size);  // little-endian, as the hosts are
    if (size % 4 != 0 || size == 0 || size > bytes.size() - sizeof size)
        return base::error(Code::corrupt, "a precompiled_charsmap whose double array of " + std::to_string(size) + " bytes lies within it");
    auto out = std::make_shared<Charsmap>();
    out->units_.resize(size / 4);
    std::memcpy(out->units_.data(), bytes.data() + sizeof size, size);
    out->replacements_ = bytes.substr(sizeof size + size);
    for (std::size_t at = 0; at < out->replacements_.size();) {
        const std::size_t end = std::min(out->replacements_.find('\0', at), out->replacements_.size());
        if (end - at > longest_replacement)
            return base::error(Code::corrupt, "a precompiled_charsmap whose replacements have at most " + std::to_string(longest_replacement) + " bytes");
        at = end + 1;
    }
    return std::shared_ptr<const Charsmap>(std::move(out));
}

Charsmap::Match Charsmap::find(std::string_view text, bool longest) const {
    Match found;
    std::size_t at = offset_of(units_[0]);
    for (std::size_t i = 0; i < text.size(); ++i) {
        at ^= std::uint8_t(text[i]);
        if (at >= units_.size() || label_of(units_[at]) != std::uint8_t(text[i]) || text[i] == 0) break;
        const std::uint32_t unit = units_[at];
        at ^= offset_of(unit);
        if (at >= units_.size()) break;
        if (!has_value(unit)) continue;
        found = {i + 1, value_of(units_[at])};
        if (!longest) break;
    }
    return found;
}

std::string_view Charsmap::replacement(std::size_t at) const {
    if (at >= replacements_.size()) return {};
    const std::string_view rest = std::string_view(replacements_).substr(at);
    return rest.substr(0, rest.find('\0'));
}

std::string Charsmap::apply(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        if (const Match match = find(text.substr(at), true); match.length > 0) {
            out += replacement(match.at);
            at += match.length;
            continue;
        }
        int length = 1;
        decode_utf8(text, at, length);
        out += text.substr(at, std::size_t(length));
        at += std::size_t(length);
    }
    return out;
}

std::string Charsmap::apply_by_cluster(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = cluster_end(text, at);
        if (end - at <= longest_cluster)
            if (const Match match = find(text.substr(at, end - at), false); match.length > 0) {
                out += replacement(match.at);
                at = end;
                continue;
            }
        for (int length = 1; at < end; at += std::size_t(length)) {
            decode_utf8(text, at, length);
            const std::string_view character = text.substr(at, std::size_t(length));
            const Match match = find(character, false);
            out += match.length > 0 ? replacement(match.at) : character;
        }
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string out;
    std::uint32_t bits = 0;
    int n = 0;
    for (const char c : text) {
        const std::size_t digit = alphabet.find(c);
        if (digit == alphabet.npos) return std::nullopt;
        bits = bits << 6 | std::uint32_t(digit);
        n += 6;
        if (n < 8) continue;
        n -= 8;
        out += char(bits >> n & 0xFF);
    }
    return out;
}

}  // namespace text
