// The command line of bubblewrap: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sandbox {

// Descriptors that bubblewrap finds open, by number; -1: absent.
struct BwrapDescriptors {
    int passwd = -1, group = -1, seccomp = -1, localtime = -1;
    int status = -1;  // bubblewrap writes its JSON documents here
    int block = -1;   // the program starts once a byte can be read here
};

struct InsideIds {
    unsigned uid = 65534, gid = 65534;
};

// A sandbox without the folder that programs work in, its root still writable: mount_folder() does the rest.
// `etc`: entries of the host's /etc that exist and may be seen, bound read-only. `program`: what runs in it.
std::vector<std::string> bwrap_args(const BwrapDescriptors& fds, InsideIds ids, std::uint64_t tmp_bytes, const std::vector<std::string>& etc,
                                    const std::vector<std::string>& program);

// Of /etc: what programs need to start, and nothing that names a person or a secret. Each costs a mount.
const std::vector<std::string>& visible_etc();

}  // namespace sandbox
