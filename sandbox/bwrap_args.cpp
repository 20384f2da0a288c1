#include "sandbox/bwrap_args.h"

namespace sandbox {

const std::vector<std::string>& visible_etc() {
    static const std::vector<std::string> table = {
        "/etc/alternatives", "/etc/ld.so.cache",
    };
    return table;
}

std::vector<std::string> bwrap_args(const BwrapDescriptors& fds, InsideIds ids, std::uint64_t tmp_bytes, const std::vector<std::string>& etc,
                                    const std::vector<std::string>& program) {
    std::vector<std::string> out;
    const auto add = [&](std::initializer_list<std::string> words) { out.insert(out.end(), words); };
    const std::string tmp = std::to_string(tmp_bytes);
    add({"bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
         "--disable-userns", "--cap-drop", "ALL", "--new-session", "--die-with-parent", "--hostname", "sandbox",
         "--uid", std::to_string(ids.uid), "--gid", std::to_string(ids.gid), "--clearenv",
         "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp",
         "--setenv", "LANG", "C.UTF-8", "--setenv", "TERM", "dumb"});
    add({"--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin",
         "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"});
    add({"--perms", "0755", "--dir", "/etc"});
    for (const std::string& entry : etc) add({"--ro-bind", entry, entry});
    add({"--perms", "0444", "--file", std::to_string(fds.passwd), "/etc/passwd"});
    add({"--perms", "0444", "--file", std::to_string(fds.group), "/etc/group"});
    // The settings below /proc/sys belong to root by file mode alone: no capability guards core_pattern.
    if (fds.localtime >= 0) add({"--perms", "0444", "--file", std::to_string(fds.localtime), "/etc/localtime"});
    add({"--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"});
    // The tmpfs of --dev has no size limit, that of /dev/shm has.
    add({"--perms", "1777", "--size", tmp, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"});
    add({"--perms", "1777", "--size", tmp, "--tmpfs", "/tmp"});
    add({"--chdir", "/"});
    add({"--seccomp", std::to_string(fds.seccomp), "--json-status-fd", std::to_string(fds.status), "--block-fd", std::to_string(fds.block), "--"});
    out.insert(out.end(), program.begin(), program.end());
    return out;
}

}  // namespace sandbox
