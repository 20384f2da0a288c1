// Time as an interface, so that tests can hold and move it.
#pragma once

#include <chrono>
#include <string>

namespace base {

using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyPoint = std::chrono::steady_clock::time_point;

class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;       // wall time, UTC
    virtual SteadyPoint steady() const = 0;  // for durations and deadlines
};

class SystemClock final : public Clock {
public:
    TimePoint now() const override {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
    SteadyPoint steady() const override { return std::chrono::steady_clock::now(); }
};

// RFC 3339 in UTC with microseconds: 2026-03-10T14:05:09.000123Z
std::string rfc3339(TimePoint t);

}  // namespace base
