// How often somebody may try a password: a few times at once, then once in a while. Pure but for what it remembers.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace server {

class Tries {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr int kAtOnce = 5;
    static constexpr std::chrono::seconds kPause{30};  // after which one more is given
    static constexpr std::size_t kMost = 10000;        // remembered; beyond that whoever is new waits

    // Takes one of `who`: how long to wait where there is none, else 0.
    std::chrono::seconds take(const std::string& who, Time now);
    // It was the right one.
    void forget(const std::string& who) { left_.erase(who); }

private:
    struct Left {
        double tries = kAtOnce;
        Time at;
    };
    static double at(const Left& left, Time now);

    std::unordered_map<std::string, Left> left_;
};

}  // namespace server
