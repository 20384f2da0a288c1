#include "store/master_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::SecretValue;

constexpr std::size_t kBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kLine = 44;  // its base64, padded
constexpr std::size_t kMostKeys = 16;

fs::path file_of(const fs::path& state_folder) { return state_folder / "master.key"; }

struct File {
    int fd;
    ~File() {
        if (fd >= 0) ::close(fd);
    }
};

base::Error failed(const std::string& what, const fs::path& file) {
    return base::error(Code::io, what + " the master key of secrets " + file.string() + ": " + std::strerror(errno), "check permissions and free space of state.folder");
}

MasterKeys::Key key_of(SecretValue value) {
    static const char purpose[] = "hearth master key";
    unsigned char id[crypto_generichash_BYTES_MIN];
    crypto_generichash(id, sizeof id, reinterpret_cast<const unsigned char*>(purpose), sizeof purpose - 1, value.bytes().data(), value.size());
    char hex[2 * 8 + 1];
    sodium_bin2hex(hex, sizeof hex, id, 8);
    return {hex, std::move(value)};
}

MasterKeys::Key random_key() {
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start");
    SecretValue value(kBytes);
    randombytes_buf(value.bytes().data(), value.size());
    return key_of(std::move(value));
}

// A file beside, with these keys; the caller puts it into its place.
base::Result<fs::path> write_beside(const fs::path& state_folder, const std::vector<MasterKeys::Key>& keys) {
    const fs::path fresh = file_of(state_folder).string() + "." + std::to_string(getpid()) + ".new";
    SecretValue text(keys.size() * (kLine + 1) + 1);  // the encoder ends each with a zero
    char* at = reinterpret_cast<char*>(text.bytes().data());
    for (const auto& key : keys) {
        sodium_bin2base64(at, kLine + 1, reinterpret_cast<const unsigned char*>(key.value.reveal().data()), kBytes, sodium_base64_VARIANT_ORIGINAL);
        at[kLine] = '\n';
        at += kLine + 1;
    }
    ::unlink(fresh.c_str());
    const File file{::open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600)};
    // Root's command line makes it for the user that the server runs as.
    struct stat folder {};
    if (file.fd >= 0 && geteuid() == 0 && stat(state_folder.c_str(), &folder) == 0 && fchown(file.fd, folder.st_uid, folder.st_gid) != 0) return failed("cannot give away", fresh);
    const std::size_t size = text.size() - 1;
    if (file.fd < 0 || ::write(file.fd, text.reveal().data(), size) != ssize_t(size) || fsync(file.fd) != 0) {
        const auto error = failed("cannot write", fresh);
        ::unlink(fresh.c_str());
        return error;
    }
    return fresh;
}

void sync_folder(const fs::path& folder) {
    const File opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (opened.fd >= 0) fsync(opened.fd);
}

}  // namespace

base::Result<MasterKeys> MasterKeys::read(const fs::path& state_folder) {
    const fs::path path = file_of(state_folder);
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (file.fd < 0 && errno == ENOENT) return base::error(Code::not_found, "there is no master key of secrets at " + path.string(), "restore master.key from a backup of the state folder");
    if (file.fd < 0) return base::error(Code::permission_denied, "cannot read the master key of secrets " + path.string() + ": " + std::strerror(errno), "it must belong to the user that hearth runs as");
    struct stat info {};
    if (fstat(file.fd, &info) != 0 || !S_ISREG(info.st_mode)) return base::error(Code::permission_denied, path.string() + " is no plain file", "restore master.key from a backup of the state folder");
    if ((info.st_mode & 077) != 0)
        return base::error(Code::permission_denied, "the master key of secrets " + path.string() + " may be read by others than its owner", "chmod 600 " + path.string() + ", and rotate it if others may have read it (hearth secret rotate --master)");
    if (info.st_uid != geteuid() && geteuid() != 0)
        return base::error(Code::permission_denied, "the master key of secrets " + path.string() + " belongs to another user", "it must belong to the user that hearth runs as");
    const auto damaged = [&] { return base::error(Code::corrupt, "the master key of secrets " + path.string() + " is damaged", "restore master.key from a backup of the state folder"); };
    const auto size = std::size_t(info.st_size);
    if (size == 0 || size % (kLine + 1) != 0 || size > kMostKeys * (kLine + 1)) return damaged();
    SecretValue text(size);
    if (::read(file.fd, text.bytes().data(), size) != ssize_t(size)) return failed("cannot read", path);
    MasterKeys out;
    for (std::size_t at = 0; at < size; at += kLine + 1) {
        SecretValue value(kBytes);
        std::size_t got = 0;
        const char* line = text.reveal().data() + at;
        if (line[kLine] != '\n' || sodium_base642bin(value.bytes().data(), kBytes, line, kLine, nullptr, &got, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0 || got != kBytes) return damaged();
        out.keys_.push_back(key_of(std::move(value)));
    }
    return out;
}

base::Result<void> MasterKeys::make(const fs::path& state_folder) {
    std::vector<Key> first;
    first.push_back(random_key());
    const auto fresh = write_beside(state_folder, first);
    if (!fresh) return fresh.error();
    // A link does not replace what another process has made meanwhile.
    const bool linked = ::link(fresh->c_str(), file_of(state_folder).c_str()) == 0;
    const int why = errno;
    ::unlink(fresh->c_str());
    errno = why;
    if (!linked && why == EEXIST) return base::error(Code::conflict, "there is a master key by now");
    if (!linked) return failed("cannot make", file_of(state_folder));
    sync_folder(state_folder);
    return {};
}

const MasterKeys::Key* MasterKeys::find(const std::string& id) const {
    for (const auto& key : keys_)
        if (key.id == id) return &key;
    return nullptr;
}

base::Result<void> MasterKeys::write(const fs::path& state_folder) const {
    const auto fresh = write_beside(state_folder, keys_);
    if (!fresh) return fresh.error();
    if (::rename(fresh->c_str(), file_of(state_folder).c_str()) != 0) return failed("cannot replace", file_of(state_folder));
    sync_folder(state_folder);
    return {};
}

base::Result<void> MasterKeys::add(const fs::path& state_folder) {
    if (keys_.size() == kMostKeys)
        return base::error(Code::conflict, file_of(state_folder).string() + " holds " + std::to_string(kMostKeys) + " keys already: earlier rotations failed", "a secret that does not open stands in their way: set it again, or remove it");
    keys_.insert(keys_.begin(), random_key());
    return write(state_folder);
}

base::Result<void> MasterKeys::keep(const fs::path& state_folder, const std::vector<std::string>& used) {
    const std::string newest = keys_.front().id;
    std::erase_if(keys_, [&](const Key& key) { return key.id != newest && std::find(used.begin(), used.end(), key.id) == used.end(); });
    return write(state_folder);
}

}  // namespace store
