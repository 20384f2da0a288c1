#include "app/foreign_load.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

namespace app {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Seconds of all processors in which they worked for somebody, other machines on the same host included; below 0: not known.
double busy() {
    std::ifstream in("/proc/stat");
    std::string cpu;
    double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, stolen = 0;
    if (!(in >> cpu >> user >> nice >> system >> idle >> wait >> irq >> soft >> stolen)) return -1;
    return (user + nice + system + irq + soft + stolen) / double(sysconf(_SC_CLK_TCK));
}

double seconds(const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; }

double own() {
    double out = 0;
    for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage used{};
        getrusage(who, &used);
        out += seconds(used.ru_utime) + seconds(used.ru_stime);
    }
    return out;
}

}  // namespace

ForeignLoad::ForeignLoad() : began_(now()), busy_(busy()), own_(own()) {}

double ForeignLoad::cores() const {
    const double all = busy();
    if (busy_ < 0 || all < 0) return -1;
    return std::max(0.0, (all - busy_) - (own() - own_)) / std::max(1e-3, now() - began_);
}

}  // namespace app
