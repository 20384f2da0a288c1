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

void Circles::take(char c) {
    if (line_begins_ && c >= '0' && c <= '9') {
        number_ += c;
        return;
    }
    if (c != '.' && c != ')') tail_ += number_;
    number_.clear();
    line_begins_ = c == '\n' || (line_begins_ && c == ' ');
    tail_ += c;
}

bool Circles::feed(std::string_view piece) {
    for (const char c : piece) take(c);
    unseen_ += piece.size();
    if (unseen_ < kLookEvery) return false;
    unseen_ = 0;
    if (tail_.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
    for (std::size_t period = 1; period <= kLongestPassage; ++period)
        if (repeats(tail_, period)) return true;
    return false;
}

}  // namespace router
