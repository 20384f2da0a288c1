// Runs a program of PostgreSQL to its end, as another user when that is asked for.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace store {

struct ProcessResult {
    int exit_code = -1;
    std::string output;  // of both streams
};

// argv[0] is a path. `user` empty: the current one. The environment is PATH and LC_ALL=C.UTF-8 only.
base::Result<ProcessResult> run_process(const std::vector<std::string>& argv, const std::string& user);

// uid and gid of a user; {not_found} naming it.
struct UserIds {
    unsigned uid = 0, gid = 0;
};
base::Result<UserIds> find_user(const std::string& name);

}  // namespace store
