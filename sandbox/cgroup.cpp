#include "sandbox/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "sandbox/workspace.h"

namespace sandbox {
namespace {

bool put(const std::string& file, const std::string& value) {
    const Fd out(open(file.c_str(), O_WRONLY | O_CLOEXEC));
    return out && write(out.get(), value.data(), value.size()) == ssize_t(value.size());
}

bool makes_groups(const std::string& folder, const char* limit_file) {
    const std::string probe = folder + "/hearth-probe-" + std::to_string(getpid());
    if (mkdir(probe.c_str(), 0755) != 0) return false;
    const bool good = access((probe + "/" + limit_file).c_str(), W_OK) == 0 && access((probe + "/cgroup.procs").c_str(), W_OK) == 0;
    rmdir(probe.c_str());
    return good;
}

bool names(const std::string& list, const std::string& wanted) {
    std::istringstream in(list);
    for (std::string one; std::getline(in, one, ',');)
        if (one == wanted) return true;
    return false;
}

}  // namespace

CgroupHome find_cgroup_home() {
    CgroupHome home;
    std::ifstream own("/proc/self/cgroup");
    std::string unified;
    for (std::string line; std::getline(own, line);) {
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        std::string path = line.substr(second + 1);
        if (path == "/") path.clear();
        if (controllers.empty()) unified = "/sys/fs/cgroup" + path;
        if (names(controllers, "memory") && makes_groups("/sys/fs/cgroup/memory" + path, "memory.limit_in_bytes"))
            home.memory = {"/sys/fs/cgroup/memory" + path};
        if (names(controllers, "pids") && makes_groups("/sys/fs/cgroup/pids" + path, "pids.max"))
            home.pids = {"/sys/fs/cgroup/pids" + path};
    }
    if (home.memory.empty() && home.pids.empty() && !unified.empty() && makes_groups(unified, "memory.max") && makes_groups(unified, "pids.max")) {
        home.unified = true;
        home.memory = home.pids = {unified};
    }
    return home;
}

Cgroup::Cgroup(const CgroupHome& home, const std::string& name, std::uint64_t memory_bytes, int processes) : home_(home) {
    const std::string bytes = std::to_string(memory_bytes), most = std::to_string(processes);
    for (const std::string& parent : home.memory) {
        const std::string folder = parent + "/" + name;
        if (mkdir(folder.c_str(), 0755) != 0) continue;
        folders_.push_back(folder);
        memory_ = folder;
        limits_memory_ = put(folder + (home.unified ? "/memory.max" : "/memory.limit_in_bytes"), bytes);
        put(folder + (home.unified ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes"), home.unified ? "0" : bytes);
        if (home.unified) put(folder + "/pids.max", most);
    }
    if (home.unified) return;
    for (const std::string& parent : home.pids) {
        const std::string folder = parent + "/" + name;
        if (mkdir(folder.c_str(), 0755) != 0) continue;
        folders_.push_back(folder);
        put(folder + "/pids.max", most);
    }
}

Cgroup::~Cgroup() {
    for (const std::string& folder : folders_)
        // The last exits are accounted a moment after they are reaped.
        for (int tries = 0; rmdir(folder.c_str()) != 0 && tries < 50; ++tries) usleep(1000);
}

bool Cgroup::add(pid_t process) {
    return std::all_of(folders_.begin(), folders_.end(),
                       [&](const std::string& folder) { return put(folder + "/cgroup.procs", std::to_string(process)); });
}

bool Cgroup::out_of_memory() const {
    if (memory_.empty()) return false;
    std::ifstream in(memory_ + (home_.unified ? "/memory.events" : "/memory.oom_control"));
    std::string key;
    for (std::int64_t count = 0; in >> key >> count;)
        if (key == "oom_kill") return count > 0;
    return false;
}

}  // namespace sandbox
