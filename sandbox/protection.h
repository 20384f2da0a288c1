// Holds the protected paths of workspaces while programs run in them: each is bound read-only over
// itself, an absent one over a placeholder that disappears afterwards. A placeholder is a socket that nobody listens on:
// programs find no file there and git, which knows files, links and folders, sees nothing. `.git` itself is a symbolic link
// that leads nowhere, which git takes for no repository. Neither is a folder: some file systems need milliseconds for rmdir.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/workspace.h"

namespace sandbox {

// One mount over a path of the workspace.
struct Overlay {
    Fd fd;             // O_PATH
    std::string path;  // relative to the workspace
    bool writable = false;
};

// Adds what holds `path` as it is, if it is there at all: a symbolic link itself, and the file of the workspace that it leads to.
void hold_present(int workspace, const std::string& path, std::vector<Overlay>& out);

// Adds what makes a folder writable in a workspace that is shut otherwise. Its files that have a second name, which may lie outside of it,
// are held as they are; with more than kMostSecondNames of those, or a folder that cannot be read, nothing is added.
inline constexpr int kMostSecondNames = 64;
void open_folder(int workspace, const std::string& path, std::vector<Overlay>& out);

// Whether a symbolic link with this target is a placeholder.
bool is_placeholder(std::string_view target);

class Protection {
public:
    using Key = std::pair<unsigned long, unsigned long>;  // device and inode of the workspace

    // What to bind, outer folders first. `.git` itself is bound too (writable): a mount point cannot be
    // renamed away with what is protected inside it.
    std::vector<Overlay> hold(int workspace, Key& key);
    // After the run that hold() was called for; the last one in a workspace removes the placeholders.
    void release(const Key& key);

private:
    struct Held {
        Fd workspace;
        int runs = 0;
        std::vector<std::pair<std::string, mode_t>> made;  // path, and the type that its placeholder has
        std::vector<std::string> unwanted;                 // absent before, and no placeholder is possible
    };
    std::map<Key, Held> held_;
};

}  // namespace sandbox
