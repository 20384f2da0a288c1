// A folder that tools may touch. Everything is opened from its descriptor by
// openat2(RESOLVE_BENEATH | NO_MAGICLINKS | NO_SYMLINKS); no path is ever checked and opened again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sandbox {

// Owns a file descriptor.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd();
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

// The kernel's path for what a descriptor is open on; empty when it is none.
std::string path_of(int fd);

struct Entry {
    std::string path;  // relative to the workspace
    enum class Kind { file, folder, symlink, other } kind = Kind::file;
    std::uint64_t bytes = 0;
};

class Workspace {
public:
    enum class Access { read_only, read_write };
    // `masked`: folders (state, configuration) and files (keys) that must not be visible. A workspace that equals or
    // lies under one is refused; inside an ancestor they are missing from listings, and whoever names one or what would
    // lie in it is told that it is protected, whether or not it is there.
    static base::Result<std::unique_ptr<Workspace>> open(const std::filesystem::path& root, Access access,
                                                         std::vector<std::filesystem::path> masked);
    // From a descriptor that another process opened (SCM_RIGHTS); `root`, its absolute path, must be the
    // kernel's own for it, since masks go by paths.
    static base::Result<std::unique_ptr<Workspace>> from_fd(Fd folder, const std::filesystem::path& root, Access access,
                                                            std::vector<std::filesystem::path> masked);
    virtual ~Workspace() = default;

    // `path` is relative, or absolute inside root. Errors name the path and say what is wrong:
    // outside, symbolic link, not a regular file, binary, too large, missing.
    virtual base::Result<std::string> read(const std::string& path, std::uint64_t max_bytes) const = 0;
    // Keeps owner, mode and access list of an existing file: a new one takes its place at once where it can be given
    // them, else the old one is written over (see replace_file.h). Parents are made.
    virtual base::Result<void> write(const std::string& path, const std::string& content) = 0;
    virtual base::Result<std::vector<Entry>> list(const std::string& path) const = 0;
    // Depth first, symbolic links not followed, `.git` skipped; stops at `limit`.
    virtual base::Result<std::vector<Entry>> walk(const std::string& path, std::size_t limit) const = 0;

    virtual int fd() const = 0;
    virtual const std::filesystem::path& root() const = 0;
    virtual Access access() const = 0;
    // With read_write what is written lies in one of these folders, relative; empty: anywhere.
    virtual const std::vector<std::string>& writable() const = 0;
    // Only these from now on, as far as they could be written to before; nothing makes them more again.
    virtual void narrow(const std::vector<std::string>& folders) = 0;
    virtual const std::vector<std::filesystem::path>& masked() const = 0;
};

}  // namespace sandbox
