#include "store/disk_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/digest.h"
#include "store/seal.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::SecretValue;

constexpr std::size_t kKey = kSealKeyBytes;

struct File {
    int fd;
    ~File() {
        if (fd >= 0) ::close(fd);
    }
};

base::Error failed(const char* what, const fs::path& file) {
    return base::error(Code::io, std::string(what) + " the key " + file.string() + ": " + std::strerror(errno), "check permissions and free space of state.folder");
}

// Another process may have made it meanwhile; then that one's counts.
base::Result<void> make(const fs::path& path) {
    const fs::path fresh = path.string() + "." + std::to_string(getpid()) + ".new";
    ::unlink(fresh.c_str());
    {
        const File file{::open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600)};
        const std::string key = random_bytes(kKey);
        if (file.fd < 0 || ::write(file.fd, key.data(), key.size()) != ssize_t(key.size()) || fsync(file.fd) != 0) return failed("cannot write", fresh);
    }
    const bool made = ::link(fresh.c_str(), path.c_str()) == 0 || errno == EEXIST;
    const auto error = failed("cannot write", path);
    ::unlink(fresh.c_str());
    if (!made) return error;
    return {};
}

}  // namespace

base::Result<DiskKey> DiskKey::open(const fs::path& path, const std::string& lost) {
    if (::access(path.c_str(), F_OK) != 0)
        if (auto made = make(path); !made) return std::move(made).error();
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    struct stat info {};
    if (file.fd < 0 || fstat(file.fd, &info) != 0) return failed("cannot read", path);
    if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0)
        return base::error(Code::permission_denied, "the key " + path.string() + " may be read by others than its owner", "remove it: another one is made, and " + lost);
    DiskKey out;
    out.key_ = SecretValue(kKey);
    if (info.st_size != off_t(kKey) || ::read(file.fd, out.key_.bytes().data(), kKey) != ssize_t(kKey))
        return base::error(Code::corrupt, "the key " + path.string() + " is damaged", "remove it: another one is made, and " + lost);
    return out;
}

SecretValue DiskKey::of(const std::string& audience) const { return derived_key(key_.reveal(), "hearth cache of " + audience); }

std::string DiskKey::seal(const std::string& audience, std::string_view plain, std::string_view bound) const { return store::seal(plain, of(audience), bound); }

base::Result<std::string> DiskKey::unseal(const std::string& audience, std::string_view sealed, std::string_view bound) const {
    auto out = store::unseal(sealed, of(audience), bound);
    if (!out) return base::error(Code::corrupt, "what was sealed for " + audience + " does not open");
    return *std::move(out);
}

}  // namespace store
