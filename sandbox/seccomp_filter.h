// The system calls that no program in the sandbox may make.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "base/result.h"

namespace sandbox {

struct SeccompOptions {
    // Memory that belongs to no process, which only a control group counts: memfd_create, shmget.
    bool hidden_memory = true;
};

// Built once; bubblewrap installs it. Foreign architectures (and x32) kill the process, clone3 answers ENOSYS so
// that the C library falls back to clone, the rest answers EPERM.
base::Result<std::vector<sock_filter>> seccomp_program(SeccompOptions options);

}  // namespace sandbox
