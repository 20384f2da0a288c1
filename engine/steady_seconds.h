// Time for measuring how long something takes.
#pragma once

#include <chrono>

namespace engine {

inline double steady_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace engine
