#include "engine/memory_guard.h"

#include "engine/memory_plan.h"

namespace engine {

std::string MemoryGuard::short_of(std::chrono::steady_clock::time_point now) {
    constexpr std::chrono::milliseconds interval{100};
    if (now < next_) return {};
    next_ = now + interval;
    const std::uint64_t left = available_();
    if (left >= reserve_) return {};
    return "memory is short: " + mib(left) + " are left for all programs, " + mib(reserve_) + " are to stay free, so this answer ended";
}

}  // namespace engine
