#include "engine/machine.h"

#include <algorithm>
#include <cstdio>

#include "engine/heat.h"
#include "engine/kernel_file.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using base::Health;

constexpr int kLowBattery = 20;            // percent
constexpr double kSlowed = 0.7;            // of the clock that the processor is built for

std::optional<double> sysfs_number(const fs::path& file, double unit) {
    const std::uint64_t value = KernelFile({file.string()}).number();
    return value == UINT64_MAX ? std::optional<double>() : double(value) * unit;
}

void keep_largest(std::optional<double>& most, std::optional<double> one) {
    if (one) most = std::max(most.value_or(0), *one);
}

template <class F>
void each_in(const fs::path& folder, F&& use) {
    std::error_code absent;
    for (fs::directory_iterator at(folder, absent), end; !absent && at != end; at.increment(absent)) use(at->path());
}

std::string board_of(const fs::path& root) {
    if (std::string model = first_line_of(root / "proc/device-tree/model"); !model.empty()) return model;
    const fs::path dmi = root / "sys/class/dmi/id";
    const std::string vendor = first_line_of(dmi / "sys_vendor"), product = first_line_of(dmi / "product_name");
    return vendor + (vendor.empty() || product.empty() ? "" : " ") + product;
}

// A Jetson keeps the number of its mode, whose name stands in its configuration.
std::string nvpmodel(const fs::path& root) {
    const std::string status = first_line_of(root / "var/lib/nvpmodel/status");
    const auto colon = status.find(':');
    if (colon == status.npos) return {};
    const auto digits = status.find_first_not_of('0', colon + 1);
    const std::string id = digits == status.npos ? "0" : status.substr(digits);
    const KernelFile file({(root / "etc/nvpmodel.conf").string()});
    const auto row = file.text().find("< POWER_MODEL ID=" + id + " NAME=");
    if (row == file.text().npos) return "mode " + id;
    const auto name = file.text().find("NAME=", row) + 5;
    return std::string(file.text().substr(name, file.text().find_first_of(" >", name) - name));
}

void read_power(const fs::path& root, Machine& out) {
    out.power_mode = first_line_of(root / "sys/firmware/acpi/platform_profile");
    if (out.power_mode.empty()) out.power_mode = nvpmodel(root);
    each_in(root / "sys/class/power_supply", [&](const fs::path& supply) {
        const std::string kind = first_line_of(supply / "type");
        if (kind == "Mains" || kind == "USB") {
            if (const auto online = sysfs_number(supply / "online", 1)) out.mains = out.mains.value_or(false) || *online > 0;
        } else if (kind == "Battery" && first_line_of(supply / "scope") != "Device") {  // and not a mouse's
            if (const auto percent = sysfs_number(supply / "capacity", 1)) out.battery_percent = int(*percent);
            const std::string status = first_line_of(supply / "status");
            if (status == "Discharging") out.mains = out.mains.value_or(false);
            if (status == "Discharging") out.watts = sysfs_number(supply / "power_now", 1e-6);
        }
    });
    if (!out.watts)
        each_in(root / "sys/class/hwmon", [&](const fs::path& sensor) { keep_largest(out.watts, sysfs_number(sensor / "power1_input", 1e-6)); });
}

void read_clock(const fs::path& root, Machine& out) {
    each_in(root / "sys/devices/system/cpu/cpufreq", [&](const fs::path& policy) {
        constexpr double khz = 1e-6;
        if (out.governor.empty()) out.governor = first_line_of(policy / "scaling_governor");
        keep_largest(out.ghz, sysfs_number(policy / "scaling_cur_freq", khz));
        keep_largest(out.most_ghz, sysfs_number(policy / "cpuinfo_max_freq", khz));
        keep_largest(out.allowed_ghz, sysfs_number(policy / "scaling_max_freq", khz));
    });
}

std::string printed(const char* format, double value) {
    char out[64];
    std::snprintf(out, sizeof out, format, value);
    return out;
}

base::Probe power_probe(const Machine& m) {
    std::string found = !m.mains ? "the kernel does not say where it comes from" : *m.mains ? "from outside" : "from the battery";
    if (m.battery_percent) found += ", battery at " + std::to_string(*m.battery_percent) + " %";
    if (m.watts) found += printed(", %.1f W", *m.watts);
    if (!m.power_mode.empty()) found += ", mode " + m.power_mode;
    const bool low = m.mains && !*m.mains && m.battery_percent && *m.battery_percent < kLowBattery;
    return {"power", !m.mains ? Health::unknown : low ? Health::warning : Health::ok, found, low ? "plug it in" : ""};
}

base::Probe clock_probe(const Machine& m) {
    if (!m.ghz || !m.most_ghz) return {"processor clock", Health::unknown, "the kernel does not say", {}};
    std::string found = printed("%.2f", *m.ghz) + printed(" of %.2f GHz", *m.most_ghz);
    if (!m.governor.empty()) found += ", governor " + m.governor;
    const bool slowed = m.allowed_ghz && *m.allowed_ghz < kSlowed * *m.most_ghz;
    if (slowed) found += printed(", held to %.2f GHz", *m.allowed_ghz);
    return {"processor clock", slowed ? Health::warning : Health::ok, found, slowed ? "choose another power mode, or see what holds scaling_max_freq" : ""};
}

base::Probe heat_probe(const fs::path& root) {
    const HeatSensors sensors(root);
    const Heat heat = sensors.hottest();
    if (heat.limit == 0) return {"heat", Health::unknown, "no sensor with a limit", {}};
    const bool hot = heat.celsius >= heat.limit;
    return {"heat", hot ? Health::warning : Health::ok, std::string(heat.zone) + printed(" %.0f °C", heat.celsius) + printed(", kept below %.0f °C", heat.limit),
            hot ? "answers are computed slowly until it is cooler: see to fans and air" : ""};
}

}  // namespace

Machine read_machine(const fs::path& root) {
    Machine out;
    out.board = board_of(root);
    read_power(root, out);
    read_clock(root, out);
    return out;
}

base::Probes machine_probes(const fs::path& root) {
    const Machine m = read_machine(root);
    return {{"board", m.board.empty() ? Health::unknown : Health::ok, m.board.empty() ? "the kernel does not say" : m.board, {}}, power_probe(m), clock_probe(m), heat_probe(root)};
}

}  // namespace engine
