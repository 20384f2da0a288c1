#include "engine/prompt_lookup.h"

#include <algorithm>
#include <bit>

namespace engine {
namespace {

constexpr int kPlaces = 24;  // that are looked at

// Tokens before `at` that are those before the end.
int equal_before(std::span<const text::TokenId> tokens, int at) {
    const int end = int(tokens.size());
    int n = 0;
    while (n < PromptLookup::kLongest && n < at && tokens[std::size_t(at - 1 - n)] == tokens[std::size_t(end - 1 - n)]) ++n;
    return n;
}

}  // namespace

PromptLookup::PromptLookup(std::size_t most_tokens) : newest_(std::bit_ceil(std::max<std::size_t>(most_tokens, 64))), older_(most_tokens + 1) {}

std::size_t PromptLookup::bucket(text::TokenId a, text::TokenId b) const {
    const std::uint64_t key = (std::uint64_t(std::uint32_t(a)) << 32 | std::uint32_t(b)) * 0x9e3779b97f4a7c15ull;
    return std::size_t(key >> 32) & (newest_.size() - 1);
}

// The end itself is not entered: nothing has followed it.
void PromptLookup::enter(std::span<const text::TokenId> tokens) {
    const int end = std::min(int(tokens.size()), int(older_.size()));
    for (entered_ = std::max(entered_, 2); entered_ < end; ++entered_) {
        std::int32_t& newest = newest_[bucket(tokens[std::size_t(entered_ - 2)], tokens[std::size_t(entered_ - 1)])];
        older_[std::size_t(entered_)] = newest;
        newest = entered_;
    }
}

PromptLookup::Match PromptLookup::find(std::span<const text::TokenId> tokens) {
    enter(tokens);
    const int end = int(tokens.size());
    if (end < 3 || older_.empty()) return {};
    Match best;
    const auto look = [&](int at) {
        const int length = equal_before(tokens, at);
        if (length >= 2 && length > best.length) best = {at, length};
    };
    if (distance_ > 0 && distance_ < end) look(end - distance_);
    int at = newest_[bucket(tokens[std::size_t(end - 2)], tokens[std::size_t(end - 1)])];
    for (int n = 0; n < kPlaces && at > 0 && best.length < kLongest; ++n, at = older_[std::size_t(at)]) look(at);
    distance_ = best.length > 0 ? end - best.at : 0;
    return best;
}

}  // namespace engine
