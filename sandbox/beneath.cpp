#include "sandbox/beneath.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sandbox {

Fd open_beneath(int folder, const std::string& relative, std::uint64_t flags, std::uint64_t mode) {
    open_how how{};
    how.flags = flags | O_NOFOLLOW | O_CLOEXEC;
    if (!(flags & O_PATH)) how.flags |= O_NONBLOCK | O_NOCTTY;
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    int fd = -1;
    do fd = int(syscall(SYS_openat2, folder, relative.c_str(), &how, sizeof how));
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return Fd(fd);
}

Fd open_path(int folder, const std::string& relative) { return open_beneath(folder, relative, O_PATH); }

std::string link_target(int folder, const std::string& name) {
    char target[PATH_MAX];
    const ssize_t n = readlinkat(folder, name.c_str(), target, sizeof target);
    return std::string(target, std::size_t(std::max<ssize_t>(n, 0)));
}

}  // namespace sandbox
