#include "sandbox/protection.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "sandbox/beneath.h"
#include "sandbox/paths.h"

namespace sandbox {
namespace {

// The protected paths lie in the workspace itself and in `.git`: each by its folder and its name there.
class Folders {
public:
    explicit Folders(int workspace) : workspace_(workspace), git_(open_path(workspace, ".git")) {}
    int of(const std::string& path) const { return in_git(path) ? git_.get() : workspace_; }
    static const char* leaf(const std::string& path) { return path.c_str() + (in_git(path) ? 5 : 0); }

private:
    static bool in_git(const std::string& path) { return path.starts_with(".git/"); }

    const int workspace_;
    const Fd git_;
};

// Nobody can make this, and whoever looks at the link learns whose it is.
constexpr const char* kNowhere = "/proc/held-by-hearth";

// A placeholder of that type, open; empty where none can be made.
Fd make(int in, const char* name, mode_t type) {
    if (type == S_IFREG) return Fd(openat(in, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
    const bool made = type == S_IFLNK ? symlinkat(kNowhere, in, name) == 0 : type == S_IFDIR ? mkdirat(in, name, 0555) == 0 : mknodat(in, name, S_IFSOCK | 0444, 0) == 0;
    return made ? open_path(in, name) : Fd();
}

// Whether it is one that a killed launcher left, to be taken over.
bool is_left(int in, const char* name, mode_t type) {
    struct stat about{};
    return type == S_IFLNK ? is_placeholder(link_target(in, name)) : fstatat(in, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(about.st_mode);
}

// As above, with the type that it has; a file system without such nodes gets an empty file or folder.
Fd make_placeholder(int in, const char* name, bool folder, mode_t& type) {
    type = std::strcmp(name, ".git") == 0 ? S_IFLNK : S_IFSOCK;
    Fd made = make(in, name, type);
    if (made || (errno == EEXIST && !is_left(in, name, type))) return made;
    if (errno == EEXIST) return open_path(in, name);
    type = folder ? S_IFDIR : S_IFREG;
    return make(in, name, type);
}

// Git stops at an empty `commondir`, so that one is removed afterwards instead.
bool breaks_as_placeholder(const std::string& path) { return path.ends_with("/commondir"); }

void remove_made(int in, const char* name, mode_t type) {
    struct stat about{};
    if (fstatat(in, name, &about, AT_SYMLINK_NOFOLLOW) != 0 || (about.st_mode & S_IFMT) != type) return;
    // A placeholder that somebody outside filled or replaced meanwhile is theirs.
    const bool ours = type == S_IFLNK ? is_placeholder(link_target(in, name)) : type != S_IFREG || about.st_size == 0;
    if (ours) unlinkat(in, name, type == S_IFDIR ? AT_REMOVEDIR : 0);
}

// The file at the end of the links that begin with `link`, if it lies in the workspace too: code outside follows them.
void hold_target(int workspace, const Fd& link, int in, const char* name, std::vector<Overlay>& out) {
    struct stat about{};
    if (fstat(link.get(), &about) != 0 || !S_ISLNK(about.st_mode)) return;
    const Fd end(openat(in, name, O_PATH | O_CLOEXEC));
    const std::string root = path_of(workspace), path = end ? path_of(end.get()) : "";
    if (path.empty() || !lies_in(path, root)) return;
    const std::string relative = std::filesystem::path(path).lexically_relative(root);
    if (Fd there = open_path(workspace, relative); there && relative != ".") out.push_back({std::move(there), relative, false});
}

// False: too many, or not to be read.
bool hold_second_names(int workspace, const std::string& path, std::vector<Overlay>& out) {
    const Fd folder = open_path(workspace, path);
    const std::unique_ptr<DIR, int (*)(DIR*)> list(fdopendir(openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), closedir);
    if (!list) return false;
    while (const dirent* entry = readdir(list.get())) {
        const std::string name = entry->d_name;
        struct stat about{};
        if (name == "." || name == ".." || fstatat(folder.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
        const std::string whole = path + "/" + name;
        if (S_ISDIR(about.st_mode) && !hold_second_names(workspace, whole, out)) return false;
        if (!S_ISREG(about.st_mode) || about.st_nlink == 1) continue;
        if (out.size() > std::size_t(kMostSecondNames)) return false;
        out.push_back({open_path(workspace, whole), whole, false});
    }
    return true;
}

}  // namespace

void open_folder(int workspace, const std::string& path, std::vector<Overlay>& out) {
    Fd there = open_path(workspace, path);
    if (!there) return;
    std::vector<Overlay> all;
    all.push_back({std::move(there), path, true});
    if (!hold_second_names(workspace, path, all)) return;
    for (auto& one : all) out.push_back(std::move(one));
}

bool is_placeholder(std::string_view target) { return target == kNowhere; }

void hold_present(int workspace, const std::string& path, std::vector<Overlay>& out) {
    const std::filesystem::path whole(path);
    Fd there = open_path(workspace, path);
    const Fd parent = open_path(workspace, whole.has_parent_path() ? whole.parent_path().string() : ".");
    if (!there || !parent) return;
    hold_target(workspace, there, parent.get(), whole.filename().c_str(), out);
    out.push_back({std::move(there), path, false});
}

std::vector<Overlay> Protection::hold(int workspace, Key& key) {
    struct stat about{};
    fstat(workspace, &about);
    key = {about.st_dev, about.st_ino};
    Held& held = held_[key];
    if (held.runs++ == 0) held.workspace = Fd(fcntl(workspace, F_DUPFD_CLOEXEC, 0));
    mode_t type = 0;
    if (make_placeholder(workspace, ".git", true, type)) held.made.emplace_back(".git", type);
    const bool placeholder = std::any_of(held.made.begin(), held.made.end(), [](const auto& row) { return row.first == ".git"; });
    const Folders folders(workspace);
    std::vector<Overlay> out;
    if (Fd git = open_path(workspace, ".git")) {
        fstat(git.get(), &about);
        hold_target(workspace, git, workspace, ".git", out);
        out.push_back({std::move(git), ".git", S_ISDIR(about.st_mode) && !placeholder});
    }
    const bool inside_git = !out.empty() && out.back().writable;
    for (const Protected& row : protected_paths()) {
        if (row.path.starts_with(".git/") && !inside_git) continue;
        const int in = folders.of(row.path);
        const char* const name = Folders::leaf(row.path);
        const bool no_placeholder = breaks_as_placeholder(row.path);
        if (Fd made = no_placeholder ? Fd() : make_placeholder(in, name, row.folder, type)) {
            held.made.emplace_back(row.path, type);
            out.push_back({std::move(made), row.path, false});
        } else if (Fd present = open_path(in, name)) {
            hold_target(workspace, present, in, name, out);
            out.push_back({std::move(present), row.path, false});
        } else if (no_placeholder) {
            held.unwanted.push_back(row.path);
        }
    }
    return out;
}

void Protection::release(const Key& key) {
    const auto found = held_.find(key);
    if (found == held_.end() || --found->second.runs > 0) return;
    Held& held = found->second;
    {
        const Folders folders(held.workspace.get());
        for (auto row = held.made.rbegin(); row != held.made.rend(); ++row) remove_made(folders.of(row->first), Folders::leaf(row->first), row->second);
        for (const std::string& path : held.unwanted) unlinkat(folders.of(path), Folders::leaf(path), 0);
    }
    held_.erase(found);
}

}  // namespace sandbox
