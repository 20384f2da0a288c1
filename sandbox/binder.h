// The process beside a sandbox that mounts the folder of a call into it and hands the command over. It is forked with
// the sandbox, since a call would wait for a fork, and ends with its one call.
#pragma once

#include <string>
#include <vector>

#include "sandbox/protection.h"
#include "sandbox/wire.h"

namespace sandbox {

// In the freshly forked child, which has become the owner of the sandbox: waits for what tell_binder() says. `socket`: to
// the launcher process; `waiter`: to the waiter; what goes wrong is said to `complain`.
[[noreturn]] void serve_call(int socket, int waiter, int complain);

// In the launcher process, one after the other: the call and the mount namespace of the sandbox; then what to hold, which
// may take a while to find and must stay open until the binder ends. False with errno when the binder cannot be told.
bool tell_binder(int socket, const Descriptors& call, int mounts);
bool tell_binder(int socket, const std::vector<Overlay>& held);

}  // namespace sandbox
