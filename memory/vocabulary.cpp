#include "memory/vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

namespace memory {
namespace {

constexpr std::size_t kShortest = 5, kOtherLetter = 7, kTwoSlips = 9, kLongest = 40;

std::uint32_t beginning(std::string_view word, std::size_t length) { return std::uint32_t(std::uint8_t(word[0])) << 16 | std::uint32_t(length); }

std::uint32_t letters_of(std::string_view word) {
    std::uint32_t out = 0;
    for (const unsigned char c : word) out |= 1u << (c & 31);
    return out;
}

bool same_letters(std::string a, std::string b) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    return a == b;
}

}  // namespace

std::size_t slips_between(std::string_view a, std::string_view b, std::size_t most) {
    if (a.size() > kLongest || b.size() > kLongest || (a.size() > b.size() ? a.size() - b.size() : b.size() - a.size()) > most) return most + 1;
    std::array<std::array<std::uint8_t, kLongest + 1>, 3> rows;
    for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = std::uint8_t(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& row = rows[i % 3];
        const auto& above = rows[(i + 2) % 3];
        const auto& second = rows[(i + 1) % 3];
        row[0] = std::uint8_t(i);
        std::size_t least = row[0];
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t edits = std::min({above[j] + 1u, row[j - 1] + 1u, above[j - 1] + unsigned(a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) edits = std::min(edits, std::size_t(second[j - 2] + 1u));
            row[j] = std::uint8_t(edits);
            least = std::min(least, edits);
        }
        if (least > most) return most + 1;
    }
    return std::min<std::size_t>(rows[a.size() % 3][b.size()], most + 1);
}

std::uint32_t Vocabulary::add(const std::string& surface, bool stop) {
    const auto [at, fresh] = numbers_.try_emplace(surface, std::uint32_t(words_.size()));
    if (fresh) {
        words_.push_back({&at->first, 0});
        by_beginning_[beginning(surface, surface.size())].push_back({letters_of(surface), at->second});
    }
    words_[at->second].uses += !stop;
    return at->second;
}

std::optional<std::uint32_t> Vocabulary::find(const std::string& surface) const {
    const auto found = numbers_.find(surface);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> Vocabulary::repair(const std::string& surface) const {
    if (surface.size() < kShortest || surface.size() > kLongest) return std::nullopt;
    const std::size_t most = surface.size() < kTwoSlips ? 1 : 2;
    const std::uint32_t wanted = letters_of(surface);
    std::optional<std::uint32_t> best;
    auto best_key = std::make_tuple(most + 1, true, std::int64_t(0));
    for (std::size_t length = surface.size() - most; length <= surface.size() + most; ++length) {
        const auto group = by_beginning_.find(beginning(surface, length));
        if (group == by_beginning_.end()) continue;
        for (const auto& [letters, number] : group->second) {
            // A slip takes away one letter and brings one in, at most.
            if (std::size_t(std::popcount(letters ^ wanted)) > 2 * most) continue;
            const auto& [text, uses] = words_[number];
            const std::size_t slips = uses == 0 ? most + 1 : slips_between(surface, *text, most);
            if (slips == 0 || slips > most) continue;
            const bool other = !same_letters(surface, *text);
            if (other && surface.size() < kOtherLetter && text->size() == surface.size()) continue;
            if (const auto key = std::make_tuple(slips, other, -std::int64_t(uses)); key < best_key) {
                best_key = key;
                best = number;
            }
        }
    }
    return best;
}

std::size_t Vocabulary::bytes() const {
    std::size_t out = words_.capacity() * sizeof(Known);
    for (const Known& one : words_) out += one.text->capacity() + 64;
    return out;
}

}  // namespace memory
