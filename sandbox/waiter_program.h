// The first program of every sandbox (waiter/main.cpp).
#pragma once

#include "sandbox/workspace.h"

namespace sandbox {

// A memory file that holds it, which nobody can change any more. Empty with errno on failure.
Fd waiter_program();

}  // namespace sandbox
