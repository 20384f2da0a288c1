#include "store/disk_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "store/digest.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::SecretValue;

constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES, kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

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
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start");
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

SecretValue DiskKey::of(const std::string& audience) const {
    SecretValue out(kKey);
    const std::string purpose = "hearth cache of " + audience;
    crypto_generichash(out.bytes().data(), kKey, bytes_of(purpose), purpose.size(), bytes_of(key_.reveal()), kKey);
    return out;
}

std::string DiskKey::seal(const std::string& audience, std::string_view plain, std::string_view bound) const {
    std::string out = random_bytes(kNonce);
    out.resize(kNonce + plain.size() + kTag);
    crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(out.data()) + kNonce, nullptr, bytes_of(plain), plain.size(), bytes_of(bound), bound.size(), nullptr, bytes_of(out),
                                               bytes_of(of(audience).reveal()));
    return out;
}

base::Result<std::string> DiskKey::unseal(const std::string& audience, std::string_view sealed, std::string_view bound) const {
    const auto refused = [&] { return base::error(Code::corrupt, "what was sealed for " + audience + " does not open"); };
    if (sealed.size() < kNonce + kTag) return refused();
    std::string out(sealed.size() - kNonce - kTag, '\0');
    const bool genuine = crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(out.data()), nullptr, nullptr, bytes_of(sealed) + kNonce, sealed.size() - kNonce, bytes_of(bound),
                                                                    bound.size(), bytes_of(sealed), bytes_of(of(audience).reveal())) == 0;
    if (!genuine) return refused();
    return out;
}

}  // namespace store
