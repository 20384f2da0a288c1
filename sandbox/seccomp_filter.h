// The system calls that no program in the sandbox may make.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "base/result.h"

namespace sandbox {

// Built once; installing it costs one system call. Foreign architectures (and x32) kill the process,
// clone3 answers ENOSYS so that the C library falls back to clone, the rest answers EPERM.
base::Result<std::vector<sock_filter>> seccomp_program();
// In the process that will exec; needs no_new_privs.
bool install_seccomp(const std::vector<sock_filter>& program);

}  // namespace sandbox
