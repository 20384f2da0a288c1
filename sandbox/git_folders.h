// What in a workspace makes the git of the person run commands, below the root as well: seen before programs
// run there, and taken out afterwards where they put or changed it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sandbox/workspace.h"

namespace sandbox {

// A repository's own folder is one by the name `.git`, or one that git takes for it: HEAD beside objects and refs
// (a bare repository, `.git/modules/NAME`) or beside commondir (`.git/worktrees/NAME`).
class GitFolders {
public:
    using Key = std::pair<unsigned long, unsigned long>;  // device and inode

    // As they are now. Every folder is visited (but for the objects inside of `.git` and the masked folders), through
    // the workspace's descriptor and following no symbolic link. `masked`: relative to the workspace.
    static GitFolders of(int workspace, const std::vector<std::string>& masked);

    // Settings and hooks of the first repositories below the root, for mounts that hold them read-only.
    std::vector<std::string> held() const;

    // Takes out what makes git run commands and was not there before: harmless settings of new or changed repositories
    // stay, other settings, hooks and links to folders elsewhere go. `root`: the path of the workspace. What was done, in lines.
    std::vector<std::string> disarm(int workspace, const std::string& root) const;

    // For another process to disarm by.
    std::string packed() const;
    static GitFolders unpacked(const std::string& bytes);

    std::size_t visited() const { return visited_; }

private:
    friend class Disarming;
    using Files = std::map<std::string, std::string>;  // name: kind and content
    struct Repository {
        std::string path;
        Files files;
    };
    std::map<Key, Repository> repositories_;
    std::vector<std::string> order_;           // paths of the repositories, outer ones first
    std::map<std::string, std::string> links_;  // `.git` that is no folder
    std::map<std::string, Key> masked_;
    std::size_t visited_ = 0;
};

// Whether a file that is written here lies in, or completes, a repository's own folder that is not named `.git`.
bool makes_repository(int workspace, const std::string& relative);

// The repositories as they were before the first of the programs that run in a workspace at the same time: what
// one of them just made is nothing that the next may build on. Thread-safe.
class GitGuard {
public:
    struct Watched {
        std::mutex lock;
        std::unique_ptr<const GitFolders> before;
    };
    // Held during the run.
    std::shared_ptr<Watched> enter(const Workspace& workspace, const std::vector<std::string>& masked);

private:
    std::mutex lock_;
    std::map<GitFolders::Key, std::weak_ptr<Watched>> watched_;
};

}  // namespace sandbox
