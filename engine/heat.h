// How hot the machine is, and what computing does about it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

// A place that tells how hot it is, in °C.
struct Heat {
    std::string_view zone;  // the kernel's name: "x86_pkg_temp", "CPU-therm"
    double celsius = 0;
    double limit = 0;       // what it is to be kept below; 0: nothing says
};

// The thermal zones of /sys/class/thermal below `root` that name a trip point at which the machine would be slowed by force or
// switched off: "hot", or five degrees below "critical".
class HeatSensors {
public:
    explicit HeatSensors(const std::filesystem::path& root = "/");
    Heat hottest() const;  // the nearest to its limit; a zone that does not answer is left out. Nothing is allocated

private:
    struct Zone {
        std::string name, file;
        double limit = 0;
    };
    std::vector<Zone> zones_;
};

// Says when computing is to go slowly, so that a machine stays below its limits by itself: it is hot from its limit on, until three
// degrees below.
class HeatGuard {
public:
    // told: at each change, with whether it is hot now.
    HeatGuard(std::function<Heat()> read, std::function<void(const Heat&, bool hot)> told) : read_(std::move(read)), told_(std::move(told)) {}

    // Looks at most once a second.
    bool look(std::chrono::steady_clock::time_point now);
    bool hot() const { return hot_; }
    // How long to rest after a step that took so long: it computes a quarter of the time.
    static std::chrono::steady_clock::duration rest_after(std::chrono::steady_clock::duration step);

private:
    const std::function<Heat()> read_;
    const std::function<void(const Heat&, bool)> told_;
    std::chrono::steady_clock::time_point next_{};
    bool hot_ = false;
};

}  // namespace engine
