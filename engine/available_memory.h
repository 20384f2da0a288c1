// How much memory this process may still take, and has taken.
#pragma once

#include <cstdint>
#include <string_view>

namespace engine {

// Bytes: what is free on the machine, what the control groups around this process leave it, and its address space. Looked up while
// answers are written: nothing is allocated.
std::uint64_t available_memory();

// The most that was resident of this program, in bytes; 0 where the system does not say. getrusage would count what its parent held before
// the program began.
std::uint64_t peak_resident_memory();

// The same by the files below `root` ("" is the machine's), without the address space; UINT64_MAX where they say nothing.
std::uint64_t free_memory(std::string_view root);

}  // namespace engine
