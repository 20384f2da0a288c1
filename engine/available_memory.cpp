#include "engine/available_memory.h"

#include <sys/resource.h>

#include <algorithm>

#include "engine/kernel_file.h"

namespace engine {
namespace {

constexpr std::uint64_t kNoLimit = UINT64_MAX;

std::uint64_t of_kilobytes(std::uint64_t kilobytes) { return kilobytes == kNoLimit ? kNoLimit : kilobytes * 1024; }

// Control groups: of version 2, and the memory controller of version 1.
struct Hierarchy {
    std::string_view line;    // of /proc/self/cgroup, up to the group's path
    std::string_view folder;  // where its groups lie
    std::string_view most, used;           // files
    std::string_view reclaimable[2];       // words of memory.stat
};
constexpr Hierarchy kHierarchies[] = {
    {"0::", "/sys/fs/cgroup", "/memory.max", "/memory.current", {"\ninactive_file ", "\nactive_file "}},
    {":memory:", "/sys/fs/cgroup/memory", "/memory.limit_in_bytes", "/memory.usage_in_bytes", {"\ntotal_inactive_file ", "\ntotal_active_file "}},
};

// Pages of files are given up before anybody is refused memory, also those that were read more than once: as in MemAvailable.
std::uint64_t left_in(std::string_view root, const Hierarchy& all, std::string_view group) {
    const std::uint64_t most = KernelFile({root, all.folder, group, all.most}).number(), used = KernelFile({root, all.folder, group, all.used}).number();
    if (most == kNoLimit || used == kNoLimit) return kNoLimit;
    const KernelFile stat({root, all.folder, group, "/memory.stat"});
    std::uint64_t taken = used;
    for (const std::string_view word : all.reclaimable)
        if (const std::uint64_t cached = stat.number_after(word); cached != kNoLimit) taken -= std::min(taken, cached);
    return most > taken ? most - taken : 0;
}

// The group and those around it. In a container the path may be of the host, and nothing lies there: its outermost group is its own.
std::uint64_t left_in_groups(std::string_view root, const Hierarchy& all) {
    const KernelFile own({root, "/proc/self/cgroup"});
    std::string_view group = own.text();
    const auto at = group.find(all.line);
    group = at == group.npos ? std::string_view() : group.substr(at + all.line.size());
    group = group.substr(0, group.find('\n'));
    std::uint64_t out = kNoLimit;
    for (;;) {
        while (group.ends_with('/')) group.remove_suffix(1);
        out = std::min(out, left_in(root, all, group));
        if (group.empty()) return out;
        group = group.substr(0, group.rfind('/'));
    }
}

}  // namespace

std::uint64_t free_memory(std::string_view root) {
    std::uint64_t out = of_kilobytes(KernelFile({root, "/proc/meminfo"}).number_after("MemAvailable:"));
    for (const Hierarchy& all : kHierarchies) out = std::min(out, left_in_groups(root, all));
    return out;
}

std::uint64_t available_memory() {
    std::uint64_t out = free_memory({});
    rlimit space{};
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
        const std::uint64_t taken = of_kilobytes(KernelFile({"/proc/self/status"}).number_after("VmSize:"));
        if (taken != kNoLimit) out = std::min<std::uint64_t>(out, space.rlim_cur > taken ? space.rlim_cur - taken : 0);
    }
    return out == kNoLimit ? std::uint64_t(1) << 30 : out;
}

std::uint64_t peak_resident_memory() {
    const std::uint64_t out = of_kilobytes(KernelFile({"/proc/self/status"}).number_after("VmHWM:"));
    return out == kNoLimit ? 0 : out;
}

}  // namespace engine
