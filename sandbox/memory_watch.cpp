#include "sandbox/memory_watch.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sandbox {
namespace {

std::string proc(pid_t pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

// Whoever loses its parent goes to pid 1 of the namespace, so that none is missed.
std::vector<pid_t> tree_of(pid_t top) {
    std::vector<pid_t> out = {top};
    for (std::size_t i = 0; i < out.size(); ++i) {
        std::error_code gone;
        for (std::filesystem::directory_iterator thread(proc(out[i], "task"), gone), end; !gone && thread != end; thread.increment(gone)) {
            std::ifstream children(thread->path() / "children");
            for (pid_t pid = 0; children >> pid;) out.push_back(pid);
        }
    }
    return out;
}

// The sum of two lines of such a file, in bytes; nothing when it cannot be read.
std::uint64_t sum_of(const std::string& file, const std::string& one, const std::string& other) {
    std::ifstream in(file);
    std::uint64_t kib = 0;
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(one) || line.starts_with(other)) kib += std::stoull(line.substr(line.find(':') + 1));
    return kib << 10;
}

}  // namespace

bool uses_more_memory(pid_t top, std::uint64_t limit) {
    const std::vector<pid_t> pids = tree_of(top);
    std::uint64_t resident = 0, proportional = 0;
    for (pid_t pid : pids) resident += sum_of(proc(pid, "status"), "VmRSS:", "VmSwap:");
    if (resident <= limit) return false;
    for (pid_t pid : pids) {
        const std::uint64_t share = sum_of(proc(pid, "smaps_rollup"), "Pss:", "SwapPss:");
        proportional += share ? share : sum_of(proc(pid, "status"), "VmRSS:", "VmSwap:");
    }
    return proportional > limit;
}

bool has_more_processes(pid_t top, int limit) { return tree_of(top).size() > std::size_t(limit); }

}  // namespace sandbox
