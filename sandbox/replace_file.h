// Writes a file whole: whose it was, its mode and its access list stay.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>

namespace sandbox {

struct WriteFailure {
    int number = 0;          // errno
    std::string left;        // the file beside it that holds the new content, where the old one may be cut
};

// Into `name` of the folder that `folder` is open on. `old`: the regular file by that name; null: there is none, and the
// new one goes to `owner` when this process may do that. Nothing on success.
// A new file takes the old one's place, so that readers see one content or the other. Where owner and access list cannot
// be given to a new file (the old one is somebody else's), the old one is written over instead: the new content lies
// durably beside it meanwhile.
std::optional<WriteFailure> replace_file(int folder, const std::string& name, const struct stat* old, const std::string& content,
                                         std::pair<uid_t, gid_t> owner);

}  // namespace sandbox
