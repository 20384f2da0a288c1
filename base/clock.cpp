#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace base {

std::string rfc3339(TimePoint t) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(t);
    const std::time_t seconds = whole.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char date[32];
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    char out[48];
    std::snprintf(out, sizeof out, "%s.%06dZ", date, int((t - whole).count()));
    return out;
}

}  // namespace base
