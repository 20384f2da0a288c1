#include "sandbox/bwrap_args.h"

namespace sandbox {

const std::vector<std::string>& visible_etc() {
    static const std::vector<std::string> table = {
        "/etc/alternatives", "/etc/ld.so.cache",
    };
    return table;
}

std::string folder_inside(const Request& request) { return request.root.empty() ? "/workspace" : request.root; }

std::vector<std::string> bwrap_args(const Request& request, const BwrapDescriptors& fds, InsideIds ids, const std::vector<std::string>& etc) {
    std::vector<std::string> out;
    const auto add = [&](std::initializer_list<std::string> words) { out.insert(out.end(), words); };
    const std::string tmp = std::to_string(request.limits.tmp_bytes);
    const std::string root = folder_inside(request);
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
    if (fds.workspace >= 0) add({request.read_only ? "--ro-bind-fd" : "--bind-fd", std::to_string(fds.workspace), root});
    else add({"--perms", "0755", "--size", tmp, "--tmpfs", root});
    for (const auto& overlay : fds.overlays) add({overlay.writable ? "--bind-fd" : "--ro-bind-fd", std::to_string(overlay.fd), overlay.path});
    for (const std::string& folder : request.masked) add({"--size", "4096", "--tmpfs", root + "/" + folder, "--remount-ro", root + "/" + folder});
    add({"--remount-ro", "/", "--chdir", request.working_directory == "." || request.working_directory.empty() ? root : root + "/" + request.working_directory});
    add({"--seccomp", std::to_string(fds.seccomp), "--json-status-fd", std::to_string(fds.status), "--block-fd", std::to_string(fds.block), "--"});
    out.insert(out.end(), request.argv.begin(), request.argv.end());
    return out;
}

}  // namespace sandbox
