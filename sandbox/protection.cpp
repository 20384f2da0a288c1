#include "sandbox/protection.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/beneath.h"
#include "sandbox/paths.h"

namespace sandbox {
namespace {

// Of a name in a folder that may hold a symbolic link, which is then neither followed nor bound.
enum class State { absent, present, symlink };
State state_of(int workspace, const std::string& path) {
    const Fd parent = open_path(workspace, std::filesystem::path(path).has_parent_path() ? std::filesystem::path(path).parent_path().string() : ".");
    struct stat about{};
    const std::string leaf = std::filesystem::path(path).filename().string();
    if (!parent || fstatat(parent.get(), leaf.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) return State::absent;
    return S_ISLNK(about.st_mode) ? State::symlink : State::present;
}

bool make(int workspace, const std::string& path, bool folder) {
    if (!folder) return bool(open_beneath(workspace, path, O_WRONLY | O_CREAT | O_EXCL, 0444));
    const std::filesystem::path whole(path);
    const Fd parent = open_path(workspace, whole.has_parent_path() ? whole.parent_path().string() : ".");
    return parent && mkdirat(parent.get(), whole.filename().c_str(), 0555) == 0;
}

// Git stops at an empty `commondir`, so that one is removed afterwards instead.
bool breaks_as_placeholder(const std::string& path) { return path.ends_with("/commondir"); }

void remove_made(int workspace, const std::string& path, bool folder) {
    struct stat about{};
    const Fd now = open_path(workspace, path);
    const std::filesystem::path whole(path);
    const Fd parent = open_path(workspace, whole.has_parent_path() ? whole.parent_path().string() : ".");
    if (!now || !parent || fstat(now.get(), &about) != 0) return;
    // A placeholder that somebody outside filled meanwhile is theirs.
    if (folder ? S_ISDIR(about.st_mode) : S_ISREG(about.st_mode) && about.st_size == 0)
        unlinkat(parent.get(), whole.filename().c_str(), folder ? AT_REMOVEDIR : 0);
}

}  // namespace

std::vector<Overlay> Protection::hold(int workspace, Key& key) {
    struct stat about{};
    fstat(workspace, &about);
    key = {about.st_dev, about.st_ino};
    Held& held = held_[key];
    if (held.runs++ == 0) held.workspace = Fd(fcntl(workspace, F_DUPFD_CLOEXEC, 0));
    const bool no_git = state_of(workspace, ".git") == State::absent;
    if (no_git && make(workspace, ".git", true)) held.made.emplace_back(".git", true);
    bool placeholder = false;
    for (const auto& [path, folder] : held.made) placeholder = placeholder || path == ".git";
    std::vector<Overlay> out;
    if (Fd git = open_path(workspace, ".git")) {
        fstat(git.get(), &about);
        out.push_back({std::move(git), ".git", S_ISDIR(about.st_mode) && !placeholder});
    }
    const bool inside_git = !out.empty() && out[0].writable;
    for (const Protected& row : protected_paths()) {
        if (row.path.starts_with(".git/") && !inside_git) continue;
        if (state_of(workspace, row.path) == State::absent) {
            if (breaks_as_placeholder(row.path)) {
                held.unwanted.push_back(row.path);
                continue;
            }
            if (make(workspace, row.path, row.folder)) held.made.emplace_back(row.path, row.folder);
        }
        if (Fd fd = open_path(workspace, row.path)) out.push_back({std::move(fd), row.path, false});
    }
    return out;
}

void Protection::release(const Key& key) {
    const auto found = held_.find(key);
    if (found == held_.end() || --found->second.runs > 0) return;
    Held& held = found->second;
    const int workspace = held.workspace.get();
    for (auto row = held.made.rbegin(); row != held.made.rend(); ++row) remove_made(workspace, row->first, row->second);
    for (const std::string& path : held.unwanted)
        if (const Fd parent = open_path(workspace, ".git")) unlinkat(parent.get(), std::filesystem::path(path).filename().c_str(), 0);
    held_.erase(found);
}

}  // namespace sandbox
