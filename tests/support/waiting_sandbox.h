// Whether a sandbox of this process's launcher waits for a call shows in the processes alone.
#pragma once

namespace support {

// Returns once one waits and none is being made; false when that takes half a minute.
bool await_waiting_sandbox();

}  // namespace support
