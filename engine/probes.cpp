#include <fstream>

#include "engine/device/pool.h"
#include "engine/engine.h"
#include "engine/memory_plan.h"
#include "engine/ops/ops.h"

namespace engine {
namespace {

std::string first_line(const char* path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

base::Probe huge_pages() {
    base::Probe out{"huge pages", base::Health::unknown, first_line("/sys/kernel/mm/transparent_hugepage/enabled"), {}};
    if (out.found.empty()) {
        out.found = "the kernel does not say";
    } else if (out.found.find("[never]") != std::string::npos) {
        out.health = base::Health::warning;
        out.remedy = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled";
    } else {
        out.health = base::Health::ok;
    }
    return out;
}

}  // namespace

base::Probes probes() {
    base::Probes out;
    std::string found;
    bool wide = false;
    for (const Target& t : targets(false)) {
        found += (found.empty() ? "" : "; ") + t.name + (t.available ? ": " : " not here: ") + t.reason;
        wide = wide || (t.available && t.name != "ref");
    }
    out.push_back({"compute targets", wide ? base::Health::ok : base::Health::warning, found,
                   wide ? "" : "only the plain target runs: expect slow answers; use a processor with AVX-512"});
    out.push_back({"CPU threads", base::Health::ok, std::to_string(usable_cpus()) + " usable", {}});
    const std::uint64_t memory = available_memory() >> 20;
    const bool enough = memory >= 2048;
    out.push_back({"memory", enough ? base::Health::ok : base::Health::warning, std::to_string(memory) + " MiB available",
                   enough ? "" : "free memory: the default model wants about 2048 MiB"});
    out.push_back(huge_pages());
    return out;
}

}  // namespace engine
