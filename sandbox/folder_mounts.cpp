#include "sandbox/folder_mounts.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sandbox/beneath.h"

namespace sandbox {
namespace {

constexpr unsigned kMaskedBytes = 4096;
constexpr unsigned kSafe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

std::string failed(const std::string& what) { return what + ": " + std::strerror(errno); }

// A mount of its own of what `path` is in `folder`, with all that is mounted below; not yet anywhere.
Fd copy_of(int folder, const char* path, unsigned attributes, unsigned taken_away = 0) {
    Fd tree(open_tree(folder, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
    mount_attr wanted{};
    wanted.attr_set = attributes;
    wanted.attr_clr = taken_away;
    if (tree && (attributes || taken_away) && mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted) != 0) return Fd();
    return tree;
}

Fd memory_folder(std::uint64_t bytes, unsigned attributes, const char* mode = "0755") {
    const Fd settings(fsopen("tmpfs", FSOPEN_CLOEXEC));
    const bool good = settings && fsconfig(settings.get(), FSCONFIG_SET_STRING, "mode", mode, 0) == 0 &&
                      fsconfig(settings.get(), FSCONFIG_SET_STRING, "size", std::to_string(bytes).c_str(), 0) == 0 &&
                      fsconfig(settings.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
    return good ? Fd(fsmount(settings.get(), FSMOUNT_CLOEXEC, attributes)) : Fd();
}

bool mount_on(const Fd& tree, const Fd& place) {
    return tree && place && move_mount(tree.get(), "", place.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

// Makes the folder and those above it, as far as they are absent.
Fd place_for(const std::string& path) {
    umask(0);
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) mkdir(path.substr(0, at).c_str(), 0755);
    mkdir(path.c_str(), 0755);
    return Fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// `closed`: the folder is mounted read-only, but for what is covered writable.
std::string mount_over(const Fd& folder, const Cover& cover, bool closed) {
    const Fd there = open_path(folder.get(), cover.path);
    struct stat about{};
    if (!there || fstat(there.get(), &about) != 0) return failed("its " + cover.path + " cannot be opened");
    if (about.st_dev != cover.device || about.st_ino != cover.inode) return "its " + cover.path + " was replaced just now";
    const unsigned opened = closed && cover.writable ? MOUNT_ATTR_RDONLY : 0;
    if (!mount_on(copy_of(there.get(), "", cover.writable ? 0 : MOUNT_ATTR_RDONLY, opened), there)) return failed("its " + cover.path + " cannot be held");
    return {};
}

std::string hide(const Fd& folder, const std::string& path) {
    const Fd there = open_path(folder.get(), path);
    struct stat about{};
    if (!there && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) return {};
    if (!there || fstat(there.get(), &about) != 0) return failed("its " + path + " cannot be hidden");
    // A folder that nobody may enter, or a device in a mount without devices: programs are told that they have no
    // permission, not that nothing is there.
    const bool folder_masked = S_ISDIR(about.st_mode);
    if (mount_on(folder_masked ? memory_folder(kMaskedBytes, kSafe | MOUNT_ATTR_RDONLY, "0000") : copy_of(AT_FDCWD, "/dev/null", kSafe | MOUNT_ATTR_RDONLY), there)) return {};
    return failed("its " + path + " cannot be hidden");
}

}  // namespace

std::string folder_inside(const Request& request) { return request.root.empty() ? "/workspace" : request.root; }

std::string mount_folder(int mounts, const Request& request, int workspace, Fd& folder) {
    const Fd users(ioctl(mounts, NS_GET_USERNS));
    if (!users) return failed("the namespaces of the sandbox cannot be reached");
    // A new mount namespace takes the working directory along, and no descriptor.
    if (workspace >= 0 && fchdir(workspace) != 0) return failed("its owner may not enter it");
    if (setns(users.get(), CLONE_NEWUSER) != 0) return failed("the user namespace of the sandbox cannot be entered");
    if (workspace < 0) {
        if (setns(mounts, CLONE_NEWNS) != 0) return failed("the mount namespace of the sandbox cannot be entered");
        folder = memory_folder(request.limits.tmp_bytes, kSafe);
        if (!folder) return failed("no empty folder can be made");
    } else {
        if (unshare(CLONE_NEWNS) != 0) return failed("no mount namespace can be made");
        folder = copy_of(AT_FDCWD, ".", kSafe | (request.read_only || !request.writable.empty() ? MOUNT_ATTR_RDONLY : 0));
        if (!folder) return failed("it cannot be bound (does it lie in another mount namespace than the server's?)");
        if (setns(mounts, CLONE_NEWNS) != 0) return failed("the mount namespace of the sandbox cannot be entered");
    }
    return mount_on(folder, place_for(folder_inside(request))) ? "" : failed("it cannot be mounted");
}

std::string cover_folder(const Request& request, const Fd& folder, const std::vector<Cover>& covers) {
    for (const Cover& cover : covers)
        if (std::string problem = mount_over(folder, cover, !request.writable.empty()); !problem.empty()) return problem;
    for (const std::string& path : request.masked)
        if (std::string problem = hide(folder, path); !problem.empty()) return problem;
    mount_attr wanted{};
    wanted.attr_set = MOUNT_ATTR_RDONLY;
    if (mount_setattr(AT_FDCWD, "/", 0, &wanted, sizeof wanted) != 0) return failed("the root of the sandbox cannot be closed");
    return {};
}

}  // namespace sandbox
