// A control group for one run: memory and processes, where this process may make groups.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sandbox {

// Where groups can be made, found once by trying. v1: one folder a controller; v2: one folder.
struct CgroupHome {
    bool unified = false;
    std::vector<std::string> memory, pids;  // at most one folder each
    bool complete() const { return !memory.empty() && !pids.empty(); }
};
CgroupHome find_cgroup_home();

class Cgroup {
public:
    // Makes what the home allows; a group that cannot be made is left out.
    Cgroup(const CgroupHome& home, const std::string& name, std::uint64_t memory_bytes, int processes);
    ~Cgroup();
    Cgroup(const Cgroup&) = delete;

    bool add(pid_t process);            // false: it runs without these limits
    bool limits_memory() const { return limits_memory_; }
    bool out_of_memory() const;         // the kernel killed a member for memory

private:
    const CgroupHome& home_;
    std::vector<std::string> folders_;
    std::string memory_;
    bool limits_memory_ = false;
};

}  // namespace sandbox
