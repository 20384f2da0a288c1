// One byte with descriptors over a local socket. Without the C++ library, since the waiter uses it too.
#pragma once

namespace sandbox {

constexpr int kMostPassed = 6;

// False with errno on failure.
bool pass_descriptors(int socket, char byte, const int* descriptors, int count);

// Into `descriptors`, which has room for kMostPassed; they are close-on-exec. How many came with the byte; -1 at end of file or with
// errno on failure. `flags` as for recvmsg().
int take_descriptors(int socket, char& byte, int* descriptors, int flags = 0);

}  // namespace sandbox
