#include "server/tries.h"

#include <algorithm>
#include <cmath>

namespace server {
namespace {

constexpr double kRounding = 1e-6;  // s

}  // namespace

double Tries::at(const Left& left, Time now) {
    const double given = std::chrono::duration<double>(now - left.at) / kPause;
    return std::min(double(kAtOnce), left.tries + given);
}

std::chrono::seconds Tries::take(const std::string& who, Time now) {
    if (left_.size() >= kMost && !left_.contains(who)) {
        std::erase_if(left_, [&](const auto& one) { return at(one.second, now) >= kAtOnce; });
        if (left_.size() >= kMost) return kPause;
    }
    Left& left = left_.try_emplace(who, Left{double(kAtOnce), now}).first->second;
    left = {at(left, now), now};
    if (left.tries < 1) return std::chrono::seconds(std::max(1L, std::lround(std::ceil((1 - left.tries) * double(kPause.count()) - kRounding))));
    left.tries -= 1;
    return std::chrono::seconds(0);
}

}  // namespace server
