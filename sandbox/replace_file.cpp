#include "sandbox/replace_file.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

#include "sandbox/beneath.h"

namespace sandbox {
namespace {

constexpr const char* kAccessList = "system.posix_acl_access";

bool write_all(int fd, const std::string& content) {
    std::size_t done = 0;
    while (done < content.size()) {
        const ssize_t n = pwrite(fd, content.data() + done, content.size() - done, off_t(done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += std::size_t(n);
    }
    return true;
}

std::string by_descriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// Nothing when it has none; false when that cannot be told.
bool read_access_list(const std::string& path, std::vector<char>& list) {
    list.resize(64 << 10);
    const ssize_t n = getxattr(path.c_str(), kAccessList, list.data(), list.size());
    list.resize(std::size_t(std::max<ssize_t>(n, 0)));
    return n >= 0 || errno == ENODATA || errno == ENOTSUP;
}

// The new content, in a file without a name where the file system has such.
class Beside {
public:
    Beside(int folder, mode_t mode) : folder_(folder) {
        static std::atomic<unsigned> counter{0};
        name_ = ".hearth-" + std::to_string(getpid()) + "-" + std::to_string(counter++) + ".tmp";
        file_ = Fd(openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode));
        if (file_) return;
        file_ = open_beneath(folder, name_, O_CREAT | O_EXCL | O_WRONLY, mode);
        named_ = bool(file_);
    }
    ~Beside() {
        if (named_) unlinkat(folder_, name_.c_str(), 0);
    }
    Beside(const Beside&) = delete;
    explicit operator bool() const { return bool(file_); }
    int get() const { return file_.get(); }
    bool name_it() {
        if (!named_) named_ = linkat(AT_FDCWD, by_descriptor(file_.get()).c_str(), folder_, name_.c_str(), AT_SYMLINK_FOLLOW) == 0;
        return named_;
    }
    bool rename_to(const std::string& name) {
        if (!name_it() || renameat(folder_, name_.c_str(), folder_, name.c_str()) != 0) return false;
        named_ = false;
        return true;
    }
    std::string leave() {
        named_ = false;
        return name_;
    }

private:
    int folder_;
    std::string name_;
    Fd file_;
    bool named_ = false;
};

// Whether the new file is now as the old one in all but its content.
bool made_like(int file, int folder, const std::string& name, const struct stat& old) {
    struct stat now{};
    if (fstat(file, &now) != 0) return false;
    if ((now.st_uid != old.st_uid || now.st_gid != old.st_gid) && fchown(file, old.st_uid, old.st_gid) != 0) return false;
    if (fchmod(file, old.st_mode & 0777) != 0) return false;
    const Fd there = open_path(folder, name);
    std::vector<char> wanted, inherited;
    if (!there || !read_access_list(by_descriptor(there.get()), wanted) || !read_access_list(by_descriptor(file), inherited)) return false;
    if (!wanted.empty()) return fsetxattr(file, kAccessList, wanted.data(), wanted.size(), 0) == 0;
    return inherited.empty() || (fremovexattr(file, kAccessList) == 0 && fchmod(file, old.st_mode & 0777) == 0);
}

std::optional<WriteFailure> write_over(int folder, const std::string& name, const struct stat& old, const std::string& content, Beside& beside) {
    const Fd file = open_beneath(folder, name, O_WRONLY);
    struct stat now{};
    if (!file || fstat(file.get(), &now) != 0) return WriteFailure{errno, ""};
    if (now.st_dev != old.st_dev || now.st_ino != old.st_ino || now.st_nlink != 1) return WriteFailure{EBUSY, ""};
    if (fsync(beside.get()) != 0 || !beside.name_it() || fsync(folder) != 0) return WriteFailure{errno, ""};
    // The room is taken first, so that a full disk is found while the old content is whole.
    if (!content.empty() && fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, off_t(content.size())) != 0 && errno != EOPNOTSUPP) return WriteFailure{errno, ""};
    if (write_all(file.get(), content) && ftruncate(file.get(), off_t(content.size())) == 0 && fsync(file.get()) == 0) return std::nullopt;
    const int number = errno;
    return WriteFailure{number, beside.leave()};
}

}  // namespace

std::optional<WriteFailure> replace_file(int folder, const std::string& name, const struct stat* old, const std::string& content,
                                         std::pair<uid_t, gid_t> owner) {
    Beside beside(folder, old ? 0600 : 0666);
    if (!beside || !write_all(beside.get(), content)) return WriteFailure{errno, ""};
    if (old && !made_like(beside.get(), folder, name, *old)) return write_over(folder, name, *old, content, beside);
    if (!old) {
        if (geteuid() == 0 && owner.first != 0 && fchown(beside.get(), owner.first, owner.second) != 0) return WriteFailure{errno, ""};
        std::vector<char> inherited;
        // What a folder's access list gives to new files is not widened.
        if (read_access_list(by_descriptor(beside.get()), inherited) && inherited.empty() && fchmod(beside.get(), 0644) != 0) return WriteFailure{errno, ""};
    }
    if (!beside.rename_to(name)) return WriteFailure{errno, ""};
    return std::nullopt;
}

}  // namespace sandbox
