// The memory of the CUDA device that this process computes on. Each CPU thread's operations and copies are a stream of their own.
#pragma once

#include "engine/device/device.h"

namespace engine {

Device& cuda_device();

}  // namespace engine
