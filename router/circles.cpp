#include "router/circles.h"

#include <algorithm>

namespace router {
namespace {

constexpr std::size_t kLongestPassage = 500, kLeastBytes = 600, kLeastTimes = 4;
constexpr std::size_t kTail = kLongestPassage * (kLeastTimes + 1);
constexpr std::size_t kLookEvery = 32;

bool repeats(std::string_view text, std::size_t period) {
    const std::size_t wanted = std::max(kLeastBytes, kLeastTimes * period);
    if (text.size() < wanted + period) return false;
    const std::string_view last = text.substr(text.size() - wanted);
    return last == text.substr(text.size() - wanted - period, wanted);
}

}  // namespace

bool Circles::feed(std::string_view piece) {
    tail_ += piece;
    unseen_ += piece.size();
    if (unseen_ < kLookEvery) return false;
    unseen_ = 0;
    if (tail_.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
    for (std::size_t period = 1; period <= kLongestPassage; ++period)
        if (repeats(tail_, period)) return true;
    return false;
}

}  // namespace router
