#include "app/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace app {

using base::Code;

base::Result<void> write_private(const std::string& file, const std::string& bytes, IfThere there) {
    const std::string fresh = file + "." + std::to_string(getpid()) + ".new";
    const auto failed = [&] { return base::error(Code::io, file + " cannot be written: " + std::strerror(errno)); };
    const int fd = ::open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return failed();
    bool written = true;
    for (std::size_t at = 0; written && at < bytes.size();) {
        const ssize_t n = ::write(fd, bytes.data() + at, bytes.size() - at);
        written = n > 0;
        if (written) at += std::size_t(n);
    }
    written = written && fsync(fd) == 0 && ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, file.c_str(), there == IfThere::replace ? 0 : RENAME_NOREPLACE) == 0;
    base::Result<void> out;
    if (!written) out = errno == EEXIST ? base::error(Code::conflict, file + " is there already", "name another file") : failed();
    ::close(fd);
    if (!written) ::unlink(fresh.c_str());
    return out;
}

}  // namespace app
