// A clock that stands until it is moved.
#pragma once

#include "base/clock.h"

namespace support {

class ManualClock final : public base::Clock {
public:
    base::TimePoint now() const override { return now_; }
    base::SteadyPoint steady() const override { return steady_; }
    void move(std::chrono::microseconds time) {
        now_ += time;
        steady_ += time;
    }
    void set(base::TimePoint now) { now_ = now; }

private:
    base::TimePoint now_{std::chrono::sys_days(std::chrono::year(2026) / 3 / 10) + std::chrono::hours(9)};
    base::SteadyPoint steady_{std::chrono::hours(1000)};
};

}  // namespace support
