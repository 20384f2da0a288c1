// What the machine is and how it runs now, by sysfs and procfs. What they do not say stays empty.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/probe.h"

namespace engine {

struct Machine {
    std::string board;                   // "NVIDIA Jetson AGX Thor Developer Kit", "LENOVO 21CB"
    std::string power_mode;              // the firmware's ("balanced"), a Jetson's nvpmodel ("MODE_30W")
    std::optional<bool> mains;           // whether it has power from outside
    std::optional<int> battery_percent;
    std::optional<double> watts;         // that it takes from its battery, or that its board measures
    std::string governor;                // of the processor's clock
    std::optional<double> ghz, most_ghz, allowed_ghz;  // the fastest core's now, what it is built for, what it may have now
};
Machine read_machine(const std::filesystem::path& root = "/");

// "board", "power", "processor clock", "heat".
base::Probes machine_probes(const std::filesystem::path& root = "/");

}  // namespace engine
