// The command line of bubblewrap: pure.
#pragma once

#include <string>
#include <vector>

#include "sandbox/wire.h"

namespace sandbox {

// Descriptors that bubblewrap finds open, by number; -1: absent.
struct BwrapDescriptors {
    int workspace = -1, passwd = -1, group = -1, seccomp = -1, localtime = -1;
    int status = -1;  // bubblewrap writes its JSON documents here
    int block = -1;   // the program starts once a byte can be read here
    struct Overlay {
        int fd = -1;
        std::string path;  // absolute
        bool writable = false;
    };
    std::vector<Overlay> overlays;
};

struct InsideIds {
    unsigned uid = 65534, gid = 65534;
};

// `etc`: entries of the host's /etc that exist and may be seen, bound read-only.
std::vector<std::string> bwrap_args(const Request& request, const BwrapDescriptors& fds, InsideIds ids, const std::vector<std::string>& etc);

// Where the program's files live: the workspace's own path, or an empty folder.
std::string folder_inside(const Request& request);

// Of /etc: what programs need to start, and nothing that names a person or a secret. Each costs a mount.
const std::vector<std::string>& visible_etc();

}  // namespace sandbox
