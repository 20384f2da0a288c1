#include "engine/heat.h"

#include <algorithm>
#include <charconv>

#include "engine/kernel_file.h"

namespace engine {
namespace {

namespace fs = std::filesystem;

constexpr double kBelowCritical = 5, kUntilCool = 3;
constexpr double kLeastLimit = 40, kMostLimit = 130;  // firmware tells of others that mean nothing

// The kernel's millidegrees; false: the sensor does not answer.
bool read_celsius(const std::string& file, double& out) {
    const KernelFile read({file});
    long value = 0;
    if (std::from_chars(read.text().data(), read.text().data() + read.text().size(), value).ec != std::errc()) return false;
    out = double(value) / 1000;
    return true;
}

double limit_of_zone(const fs::path& zone) {
    double hot = 0, critical = 0;
    for (int i = 0; i < 16; ++i) {
        const std::string point = "trip_point_" + std::to_string(i) + "_", kind = first_line_of(zone / (point + "type"));
        if (kind == "hot") read_celsius((zone / (point + "temp")).string(), hot);
        if (kind == "critical") read_celsius((zone / (point + "temp")).string(), critical);
    }
    const double limit = hot > 0 ? hot : critical - kBelowCritical;
    return limit >= kLeastLimit && limit <= kMostLimit ? limit : 0;
}

}  // namespace

HeatSensors::HeatSensors(const fs::path& root) {
    std::error_code absent;
    for (fs::directory_iterator at(root / "sys/class/thermal", absent), end; !absent && at != end; at.increment(absent)) {
        if (!at->path().filename().string().starts_with("thermal_zone")) continue;
        if (const double limit = limit_of_zone(at->path()); limit > 0) zones_.push_back({first_line_of(at->path() / "type"), (at->path() / "temp").string(), limit});
    }
}

Heat HeatSensors::hottest() const {
    Heat out;
    for (const Zone& zone : zones_)
        if (double celsius = 0; read_celsius(zone.file, celsius) && (out.limit == 0 || celsius - zone.limit > out.celsius - out.limit)) out = {zone.name, celsius, zone.limit};
    return out;
}

bool HeatGuard::look(std::chrono::steady_clock::time_point now) {
    constexpr std::chrono::seconds interval{1};
    if (now < next_) return hot_;
    next_ = now + interval;
    const Heat heat = read_();
    const bool hot = heat.limit > 0 && heat.celsius >= heat.limit - (hot_ ? kUntilCool : 0);
    if (hot != hot_ && told_) told_(heat, hot);
    return hot_ = hot;
}

std::chrono::steady_clock::duration HeatGuard::rest_after(std::chrono::steady_clock::duration step) {
    constexpr std::chrono::milliseconds longest{2000};
    return std::min<std::chrono::steady_clock::duration>(3 * step, longest);
}

}  // namespace engine
