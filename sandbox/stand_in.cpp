#include "sandbox/stand_in.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sandbox/beneath.h"

namespace sandbox {
namespace {

// Bubblewrap cannot do without this folder either: it mounts its own root there first.
constexpr const char* kPlace = "/tmp";

std::string failed(const std::string& what) { return what + ": " + std::strerror(errno); }

bool put(const char* file, const std::string& text) {
    const Fd out(open(file, O_WRONLY | O_CLOEXEC));
    return out && write(out.get(), text.data(), text.size()) == ssize_t(text.size());
}

// In a new user namespace, which knows nobody yet: this user stays who he was.
bool map_ids(const std::string& uid, const std::string& gid) {
    // The kernel gives the files below /proc of a process that is not dumpable to root.
    prctl(PR_SET_DUMPABLE, 1);
    return put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", uid + " " + uid + " 1") && put("/proc/self/gid_map", gid + " " + gid + " 1");
}

// Makes `held` a descriptor of the file that `there` is open on, when that is the same.
bool replace(int held, const Fd& there) {
    struct stat before{}, after{};
    return there && fstat(held, &before) == 0 && fstat(there.get(), &after) == 0 && before.st_dev == after.st_dev && before.st_ino == after.st_ino &&
           dup3(there.get(), held, O_CLOEXEC) == held;
}

}  // namespace

bool reachable(int folder) {
    const std::string path = path_of(folder);
    struct stat held{}, found{};
    return !path.empty() && fstat(folder, &held) == 0 && stat(path.c_str(), &found) == 0 && held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

std::string bring_within_reach(int workspace, const std::vector<Overlay>& overlays) {
    const std::string uid = std::to_string(geteuid()), gid = std::to_string(getegid());
    // A new mount namespace takes the working directory along, and no descriptor.
    if (fchdir(workspace) != 0) return failed("the user with uid " + uid + " may not enter it");
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return failed("no user namespace can be made for it");
    if (!map_ids(uid, gid)) return failed("the ids of its user namespace cannot be set");
    if (mount(".", kPlace, nullptr, MS_BIND | MS_REC, nullptr) != 0) return failed("it cannot be bound; does it lie in another mount namespace than the server's?");
    if (chdir("/") != 0) return failed("/ cannot be entered");
    if (!replace(workspace, Fd(open(kPlace, O_PATH | O_DIRECTORY | O_CLOEXEC)))) return failed("it cannot be opened again");
    for (const Overlay& overlay : overlays)
        if (!replace(overlay.fd.get(), open_path(workspace, overlay.path))) return failed("its " + overlay.path + " cannot be opened again");
    return {};
}

}  // namespace sandbox
