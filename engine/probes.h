// Single findings about the machine; engine::probes() gathers them.
#pragma once

#include <filesystem>

#include "base/probe.h"

namespace engine {

// What /proc/driver/nvidia and /dev say below `root`; no library of CUDA is asked.
base::Probe gpu_probe(const std::filesystem::path& root = "/");

}  // namespace engine
