#include "sandbox/workspace.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/utf8.h"
#include "sandbox/beneath.h"
#include "sandbox/git_folders.h"
#include "sandbox/paths.h"
#include "sandbox/replace_file.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

constexpr int kSafe = O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
constexpr std::size_t kBinaryProbe = 8192;  // a NUL this early makes a file binary
constexpr int kMaxDepth = 64;               // of folders in walk()

// O_DIRECTORY says ENOTDIR of a symbolic link too; a second try tells the two apart.
Fd open_folder(int root, const std::string& relative) {
    Fd opened = open_beneath(root, relative, O_RDONLY | O_DIRECTORY);
    if (opened || errno != ENOTDIR) return opened;
    const Fd again = open_beneath(root, relative, O_RDONLY);
    if (again) errno = ENOTDIR;
    return Fd();
}

// Whom the file modes are asked about: "the user ann".
std::string this_user() {
    passwd entry{}, *found = nullptr;
    char space[4096];
    if (getpwuid_r(geteuid(), &entry, space, sizeof space, &found) == 0 && found) return std::string("the user ") + found->pw_name;
    return "the user with uid " + std::to_string(geteuid());
}

Error failed(const std::string& path, int number) {
    const std::string quoted = "\"" + path + "\"";
    switch (number) {
        case ENOENT: return base::error(Code::not_found, quoted + " does not exist");
        case ELOOP: return base::error(Code::permission_denied, quoted + " is or passes through a symbolic link, which is not followed");
        case EXDEV: return base::error(Code::permission_denied, quoted + " leads outside the workspace");
        case ENOTDIR: return base::error(Code::invalid_argument, quoted + " passes through something that is not a folder");
        case EISDIR: return base::error(Code::invalid_argument, quoted + " is a folder, a regular file expected");
        case ENXIO: case ENODEV: return base::error(Code::invalid_argument, quoted + " is not a regular file");
        case ENAMETOOLONG: return base::error(Code::invalid_argument, std::string(base::beginning(quoted, 80)) + "… has a name that is too long");
        case EACCES: case EPERM:
            return base::error(Code::permission_denied, quoted + " is closed to " + this_user() + ", whose rights the tools have: " + std::strerror(number),
                               "ask the person to change its mode, its owner or its access list");
        case EROFS: return base::error(Code::permission_denied, quoted + ": " + std::strerror(number));
        case EBUSY: return base::error(Code::conflict, quoted + " changed while it was written", "read it again");
        case ENOSPC: case EDQUOT: return base::error(Code::resource_exhausted, quoted + ": " + std::strerror(number));
        default: return base::error(Code::io, quoted + ": " + std::strerror(number));
    }
}

struct Folder {
    explicit Folder(int fd) : dir(fdopendir(fd)) {
        if (!dir) close(fd);
    }
    ~Folder() {
        if (dir) closedir(dir);
    }
    Folder(const Folder&) = delete;
    DIR* dir;
};

Entry::Kind kind_of(mode_t mode) {
    if (S_ISREG(mode)) return Entry::Kind::file;
    if (S_ISDIR(mode)) return Entry::Kind::folder;
    return S_ISLNK(mode) ? Entry::Kind::symlink : Entry::Kind::other;
}

class OpenWorkspace final : public Workspace {
public:
    OpenWorkspace(Fd folder, fs::path root, Access access, std::vector<fs::path> masked, const struct stat& about)
        : folder_(std::move(folder)), root_(std::move(root)), access_(access), masked_(std::move(masked)),
          device_(about.st_dev), owner_(about.st_uid), group_(about.st_gid) {}

    base::Result<std::string> read(const std::string& path, std::uint64_t max_bytes) const override;
    base::Result<void> write(const std::string& path, const std::string& content) override;
    base::Result<std::vector<Entry>> list(const std::string& path) const override;
    base::Result<std::vector<Entry>> walk(const std::string& path, std::size_t limit) const override;
    int fd() const override { return folder_.get(); }
    const fs::path& root() const override { return root_; }
    Access access() const override { return access_; }
    const std::vector<std::string>& writable() const override { return writable_; }
    void narrow(const std::vector<std::string>& folders) override;
    const std::vector<fs::path>& masked() const override { return masked_; }

private:
    base::Result<std::string> place(const std::string& path) const;
    bool hidden(const std::string& relative) const;
    bool may_write(const std::string& relative) const;
    base::Result<Fd> folder(const std::string& relative, const std::string& path) const;
    base::Result<Fd> make_parents(const std::string& relative, const std::string& path);
    base::Result<std::optional<struct stat>> replaceable(int parent, const std::string& name, const std::string& path) const;
    void give_to_owner(int fd) const;
    std::vector<Entry> entries(int fd, const std::string& relative) const;
    void descend(int fd, const std::string& relative, std::size_t limit, int depth, std::vector<Entry>& out) const;

    Fd folder_;
    fs::path root_;
    Access access_;
    std::vector<fs::path> masked_;
    std::vector<std::string> writable_;
    dev_t device_;
    uid_t owner_;
    gid_t group_;
};

bool OpenWorkspace::may_write(const std::string& relative) const {
    return writable_.empty() || std::any_of(writable_.begin(), writable_.end(), [&](const std::string& folder) { return lies_in(relative, folder); });
}

void OpenWorkspace::narrow(const std::vector<std::string>& folders) {
    std::vector<std::string> kept;
    for (const std::string& folder : folders)
        if (may_write(folder)) kept.push_back(folder);
    writable_ = std::move(kept);
    if (writable_.empty()) access_ = Access::read_only;
}

bool OpenWorkspace::hidden(const std::string& relative) const {
    const fs::path whole = relative == "." ? root_ : root_ / relative;
    return std::any_of(masked_.begin(), masked_.end(), [&](const fs::path& mask) { return lies_in(whole, mask); });
}

base::Result<std::string> OpenWorkspace::place(const std::string& path) const {
    auto relative = relative_path(root_, path);
    // By the path alone: the same is said whatever is or is not there.
    if (relative && hidden(*relative))
        return base::error(Code::permission_denied, "\"" + path + "\" is protected: Hearth's own state, settings and keys can be neither read nor written from here",
                           "ask the person who runs Hearth");
    return relative;
}

base::Result<std::string> OpenWorkspace::read(const std::string& path, std::uint64_t max_bytes) const {
    auto relative = place(path);
    if (!relative) return relative;
    const Fd file = open_beneath(fd(), *relative, O_RDONLY);
    if (!file) return failed(path, errno);
    struct stat about{};
    if (fstat(file.get(), &about) != 0) return failed(path, errno);
    if (S_ISDIR(about.st_mode)) return failed(path, EISDIR);
    if (!S_ISREG(about.st_mode)) return base::error(Code::invalid_argument, "\"" + path + "\" is not a regular file");
    if (about.st_dev != device_) return base::error(Code::permission_denied, "\"" + path + "\" lies on another file system than the workspace");
    const auto too_large = [&](std::uint64_t bytes) {
        return base::error(Code::resource_exhausted, "\"" + path + "\" has " + std::to_string(bytes) + " bytes, at most " +
                                                         std::to_string(max_bytes) + " are read");
    };
    if (std::uint64_t(about.st_size) > max_bytes) return too_large(std::uint64_t(about.st_size));
    std::string out;
    char buffer[65536];
    for (;;) {
        const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed(path, errno);
        if (n == 0) break;
        out.append(buffer, std::size_t(n));
        if (out.size() > max_bytes) return too_large(out.size());
    }
    if (out.substr(0, kBinaryProbe).find('\0') != std::string::npos)
        return base::error(Code::unsupported, "\"" + path + "\" is a binary file of " + std::to_string(out.size()) + " bytes");
    return out;
}

void OpenWorkspace::give_to_owner(int fd) const {
    if (geteuid() == 0 && owner_ != 0 && fchown(fd, owner_, group_) != 0) return;  // stays ours: still readable
}

base::Result<Fd> OpenWorkspace::make_parents(const std::string& relative, const std::string& path) {
    Fd at = open_beneath(fd(), ".", O_RDONLY | O_DIRECTORY);
    if (!at) return failed(path, errno);
    for (const fs::path& part : fs::path(relative).parent_path()) {
        if (mkdirat(at.get(), part.c_str(), 0755) == 0) {
            const Fd made = open_beneath(at.get(), part.string(), O_RDONLY | O_DIRECTORY);
            if (made) give_to_owner(made.get());
        } else if (errno != EEXIST) {
            return failed(path, errno);
        }
        Fd next = open_folder(at.get(), part.string());
        if (!next) return failed(path, errno);
        at = std::move(next);
    }
    struct stat about{};
    if (fstat(at.get(), &about) != 0) return failed(path, errno);
    if (about.st_dev != device_) return base::error(Code::permission_denied, "\"" + path + "\" lies on another file system than the workspace");
    return at;
}

// The file by that name, if there is one and it may be replaced.
base::Result<std::optional<struct stat>> OpenWorkspace::replaceable(int parent, const std::string& name, const std::string& path) const {
    struct stat about{};
    if (fstatat(parent, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return std::optional<struct stat>();
        return failed(path, errno);
    }
    if (S_ISLNK(about.st_mode)) return failed(path, ELOOP);
    if (S_ISDIR(about.st_mode)) return failed(path, EISDIR);
    if (!S_ISREG(about.st_mode)) return base::error(Code::invalid_argument, "\"" + path + "\" is not a regular file");
    if (about.st_nlink != 1)
        return base::error(Code::permission_denied, "\"" + path + "\" has " + std::to_string(about.st_nlink) +
                                                        " hard links, so that writing could reach outside the workspace");
    return std::optional(about);
}

base::Result<void> OpenWorkspace::write(const std::string& path, const std::string& content) {
    if (access_ == Access::read_only) return base::error(Code::permission_denied, "the workspace is read-only: \"" + path + "\" is not written");
    auto relative = place(path);
    if (!relative) return std::move(relative).error();
    if (*relative == ".") return failed(path, EISDIR);
    if (!may_write(*relative)) {
        std::string folders;
        for (const std::string& folder : writable_) folders += (folders.empty() ? "" : " and ") + folder + "/";
        return base::error(Code::permission_denied, "\"" + path + "\" is not written: only what lies in " + folders + " is in this run");
    }
    if (is_protected(*relative))
        return base::error(Code::permission_denied, "\"" + path + "\" is protected: programs outside the sandbox obey it", "ask the person to change it");
    if (makes_repository(fd(), *relative))
        return base::error(Code::permission_denied, "\"" + path + "\" lies in a git repository's own folder, whose settings programs outside the sandbox obey",
                           "use git in bash for it");
    auto parent = make_parents(*relative, path);
    if (!parent) return std::move(parent).error();
    const std::string name = fs::path(*relative).filename();
    const auto old = replaceable(parent->get(), name, path);
    if (!old) return old.error();
    const auto failure = replace_file(parent->get(), name, *old ? &**old : nullptr, content, {owner_, group_});
    if (!failure) return {};
    Error error = failed(path, failure->number);
    if (!failure->left.empty()) error.message += "; it may be cut, and the new content lies beside it in " + failure->left;
    return error;
}

base::Result<Fd> OpenWorkspace::folder(const std::string& relative, const std::string& path) const {
    Fd opened = open_folder(fd(), relative);
    if (!opened && errno == ENOTDIR) return base::error(Code::invalid_argument, "\"" + path + "\" is not a folder");
    if (!opened) return failed(path, errno);
    return opened;
}

// Takes over nothing: `fd` stays open.
std::vector<Entry> OpenWorkspace::entries(int fd, const std::string& relative) const {
    std::vector<Entry> out;
    const int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return out;
    Folder folder(copy);
    while (const dirent* row = folder.dir ? readdir(folder.dir) : nullptr) {
        const std::string name = row->d_name;
        if (name == "." || name == "..") continue;
        struct stat about{};
        if (fstatat(fd, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
        Entry entry{relative == "." ? name : relative + "/" + name, kind_of(about.st_mode), std::uint64_t(about.st_size)};
        if (!hidden(entry.path)) out.push_back(std::move(entry));
    }
    std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.path < b.path; });
    return out;
}

base::Result<std::vector<Entry>> OpenWorkspace::list(const std::string& path) const {
    auto relative = place(path);
    if (!relative) return std::move(relative).error();
    auto opened = folder(*relative, path);
    if (!opened) return std::move(opened).error();
    return entries(opened->get(), *relative);
}

void OpenWorkspace::descend(int fd, const std::string& relative, std::size_t limit, int depth, std::vector<Entry>& out) const {
    for (Entry& entry : entries(fd, relative)) {
        if (out.size() >= limit) return;
        const std::string name = fs::path(entry.path).filename();
        if (name == ".git") continue;
        const bool deeper = entry.kind == Entry::Kind::folder && depth < kMaxDepth;
        const std::string below = entry.path;
        out.push_back(std::move(entry));
        if (!deeper) continue;
        const Fd next = open_beneath(fd, name, O_RDONLY | O_DIRECTORY);
        if (next) descend(next.get(), below, limit, depth + 1, out);
    }
}

base::Result<std::vector<Entry>> OpenWorkspace::walk(const std::string& path, std::size_t limit) const {
    auto relative = place(path);
    if (!relative) return std::move(relative).error();
    auto opened = folder(*relative, path);
    if (!opened) return std::move(opened).error();
    std::vector<Entry> out;
    descend(opened->get(), *relative, limit, 0, out);
    return out;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) close(fd_);
        fd_ = other.release();
    }
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) close(fd_);
}

std::string path_of(int fd) {
    std::error_code none;
    return fs::read_symlink("/proc/self/fd/" + std::to_string(fd), none).string();
}

namespace {

constexpr auto kOfTheKernel = std::to_array<std::uint32_t>({PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
                                                            SECURITYFS_MAGIC, BPF_FS_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC, SELINUX_MAGIC, SMACK_MAGIC,
                                                            DEVPTS_SUPER_MAGIC, HUGETLBFS_MAGIC, NSFS_MAGIC, BINFMTFS_MAGIC, 0x62656570 /* configfs */, 0x19800202 /* mqueue */});

// Whether the folder shows the machine itself, its processes or devices, and holds nobody's files. Devices lie on a tmpfs as files of
// people may: they are known by where it is mounted.
bool is_of_the_machine(int folder, const struct stat& about, const fs::path& path) {
    struct statfs on {};
    if (fstatfs(folder, &on) != 0) return true;
    if (std::find(kOfTheKernel.begin(), kOfTheKernel.end(), std::uint32_t(on.f_type)) != kOfTheKernel.end()) return true;
    for (const char* place : {"/dev", "/proc", "/sys"})
        if (lies_in(path, place)) return true;
    struct stat devices {}, root {};
    return stat("/dev", &devices) == 0 && stat("/", &root) == 0 && devices.st_dev != root.st_dev && about.st_dev == devices.st_dev;
}

}  // namespace

base::Result<std::unique_ptr<Workspace>> Workspace::from_fd(Fd folder, const fs::path& root, Access access, std::vector<fs::path> masked) {
    struct stat about{};
    if (!folder || fstat(folder.get(), &about) != 0) return base::error(Code::io, "the workspace " + root.string() + " cannot be examined");
    if (!S_ISDIR(about.st_mode)) return base::error(Code::invalid_argument, "the workspace " + root.string() + " is not a folder");
    fs::path clean = fs::path(root).lexically_normal();
    if (clean.filename().empty()) clean = clean.parent_path();
    if (!clean.is_absolute() || clean == "/")
        return base::error(Code::invalid_argument, "the workspace \"" + root.string() + "\" is not usable", "name a folder by its absolute path, not /");
    if (const std::string real = path_of(folder.get()); real != clean)
        return base::error(Code::invalid_argument, "the folder that was opened is " + real + ", not " + clean.string(), "name the workspace by its own path, without symbolic links");
    if (is_of_the_machine(folder.get(), about, clean))
        return base::error(Code::permission_denied, "the workspace " + clean.string() + " is no place for files: it shows the machine's own processes, devices or settings",
                           "choose a folder of a disk");
    const Fd entered = open_beneath(folder.get(), ".", O_RDONLY | O_DIRECTORY);
    if (!entered && errno == EACCES)
        return base::error(Code::permission_denied, "the workspace " + clean.string() + " is closed to " + this_user() + ", whose rights the tools have",
                           "let that user read and enter it (chmod o+rx, chgrp or setfacl), or choose another folder");
    for (fs::path& mask : masked) {
        std::error_code ignored;
        const fs::path whole = fs::weakly_canonical(mask, ignored);
        mask = ignored ? mask.lexically_normal() : whole;
        if (mask.filename().empty()) mask = mask.parent_path();
        if (lies_in(clean, mask))
            return base::error(Code::permission_denied, "the workspace " + clean.string() + " lies in " + mask.string() + ", which holds state or settings",
                               "choose another folder");
    }
    return std::unique_ptr<Workspace>(std::make_unique<OpenWorkspace>(
        std::move(folder), std::move(clean), access, std::move(masked), about));
}

base::Result<std::unique_ptr<Workspace>> Workspace::open(const fs::path& root, Access access, std::vector<fs::path> masked) {
    std::error_code failure;
    const fs::path whole = fs::canonical(root, failure);
    if (failure) return base::error(Code::not_found, "the workspace " + root.string() + " cannot be reached: " + failure.message());
    Fd folder(::open(whole.c_str(), O_RDONLY | O_DIRECTORY | kSafe));
    if (!folder) return base::error(errno == ENOTDIR ? Code::invalid_argument : Code::permission_denied,
                                    "the workspace " + whole.string() + " cannot be opened: " + std::strerror(errno));
    return from_fd(std::move(folder), whole, access, std::move(masked));
}

}  // namespace sandbox
