// How much memory the programs of one run hold together, and how many they are, where no control group counts it.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace sandbox {

// Whether `top` (pid 1 of a namespace) and everything below it hold more than `limit` bytes, resident or swapped out;
// pages that several share count once. Costs microseconds a process, and more only near the limit.
bool uses_more_memory(pid_t top, std::uint64_t limit);
// Whether they are more than `limit`: the limit of a user's processes does not bind root's.
bool has_more_processes(pid_t top, int limit);

}  // namespace sandbox
