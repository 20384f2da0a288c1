#include <fstream>

#include "engine/device/pool.h"
#include "engine/engine.h"
#include "engine/kernel_file.h"
#include "engine/machine.h"
#include "engine/memory_plan.h"
#include "engine/ops/ops.h"
#include "engine/probes.h"

namespace engine {
namespace {

base::Probe huge_pages() {
    base::Probe out{"huge pages", base::Health::unknown, first_line_of("/sys/kernel/mm/transparent_hugepage/enabled"), {}};
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

base::Probe gpu_probe(const std::filesystem::path& root) {
    namespace fs = std::filesystem;
    std::string names;
    int count = 0;
    std::error_code absent;
    for (fs::directory_iterator at(root / "proc/driver/nvidia/gpus", absent), end; !absent && at != end; at.increment(absent), ++count) {
        std::ifstream in(at->path() / "information");
        for (std::string line; std::getline(in, line);)
            if (const auto text = line.find_first_not_of(" \t", 6); line.rfind("Model:", 0) == 0 && text != line.npos)
                names += (names.empty() ? "" : ", ") + line.substr(text);
    }
    if (count == 0)
        for (fs::directory_iterator at(root / "dev", absent), end; !absent && at != end; at.increment(absent)) {
            const std::string name = at->path().filename().string();
            count += name.size() > 6 && name.rfind("nvidia", 0) == 0 && name.find_first_not_of("0123456789", 6) == name.npos;
        }
    if (count == 0) return {"GPU", base::Health::ok, "no NVIDIA GPU; the processor computes", {}};
    return {"GPU", base::Health::ok, (names.empty() ? std::to_string(count) + " of NVIDIA" : names) + ", not used by this build: the processor computes", {}};
}

base::Probes probes() {
    base::Probes out;
    std::string found;
    bool wide = false;
    for (const Target& t : targets(false)) {
        found += (found.empty() ? "" : "; ") + t.name + (t.available ? ": " : " not here: ") + t.reason;
        wide = wide || (t.available && t.name != "ref");
    }
    out.push_back({"compute targets", wide ? base::Health::ok : base::Health::warning, found,
                   wide ? "" : "only the plain target runs: expect slow answers; use a processor with AVX2, or with NEON and dot products"});
    out.push_back({"CPU threads", base::Health::ok, std::to_string(usable_cpus()) + " usable", {}});
    const std::uint64_t memory = available_memory() >> 20;
    const bool enough = memory >= 2048;
    out.push_back({"memory", enough ? base::Health::ok : base::Health::warning, std::to_string(memory) + " MiB available",
                   enough ? "" : "free memory: the default model wants about 2048 MiB"});
    out.push_back(huge_pages());
    out.push_back(gpu_probe());
    for (base::Probe& probe : machine_probes()) out.push_back(std::move(probe));
    return out;
}

}  // namespace engine
