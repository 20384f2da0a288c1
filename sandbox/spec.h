// What a sandbox is made for, as far as bubblewrap and the limits of its processes depend on it.
#pragma once

#include <sys/types.h>

#include <string>

#include "sandbox/launcher.h"

namespace sandbox {

// Whose rights the programs have: the owner of the workspace; nobody where there is none.
struct Owner {
    uid_t uid = 65534;
    gid_t gid = 65534;
};

struct Spec {
    Owner owner;
    Limits limits;
    std::string host;  // which files of the host are bound or copied into it

    // Whether a sandbox made for this is as one made for `wanted` now. The time and the output of a run are no part of it.
    bool serves(const Spec& wanted) const;
};

// `workspace`: -1 for none.
Spec spec_for(const Limits& limits, int workspace);

}  // namespace sandbox
