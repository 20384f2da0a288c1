#include "app/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/trim.h"

namespace app {
namespace {

using base::Code;

constexpr std::size_t kMost = 64 << 10;  // bytes: a device never ends

// Errno of why not all of it can be read; `out` then holds what came.
int read_some(const std::string& file, std::string& out) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    char bytes[4096];
    ssize_t n = 0;
    while (out.size() <= kMost && ((n = read(fd, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR)))
        if (n > 0) out.append(bytes, std::size_t(n));
    const int failed = n < 0 ? errno : 0;
    close(fd);
    return failed;
}

}  // namespace

base::Result<std::string> key_in_file(const std::string& place, const std::string& file) {
    std::string text;
    const int failed = read_some(file, text);
    if (failed)
        return base::error(failed == ENOENT ? Code::not_found : Code::io, place + ": cannot read '" + file + "': " + (failed == EISDIR ? "it is a folder" : std::strerror(failed)),
                           "name a file that holds the key alone and that you may read");
    if (text.size() > kMost) return base::error(Code::invalid_argument, place + ": '" + file + "' is larger than a key can be", "name the file that holds the key alone");
    const std::string key(base::trimmed(text));
    if (key.empty()) return base::error(Code::invalid_argument, place + ": '" + file + "' is empty", "put the key into it");
    const bool plain = std::all_of(key.begin(), key.end(), [](unsigned char c) { return c > ' ' && c < 127; });
    if (!plain) return base::error(Code::invalid_argument, place + ": '" + file + "' holds no key", "a key is one word, and stands alone in the file");
    return key;
}

}  // namespace app
