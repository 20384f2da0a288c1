#include "sandbox/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

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

}  // namespace sandbox
