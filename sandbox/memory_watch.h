// How much memory the programs of one run hold together, where no control group counts it.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace sandbox {

// Whether `top` (pid 1 of a namespace) and everything below it hold more than `limit` bytes, resident or swapped out;
// pages that several share count once. Costs microseconds a process, and more only near the limit.
bool uses_more_memory(pid_t top, std::uint64_t limit);

}  // namespace sandbox
