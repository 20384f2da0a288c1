// One file from a model, whatever form it has: with everything of it, its weights as the kernels of a target want them, so
// that a load maps them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/result.h"
#include "engine/engine.h"

namespace engine {

struct Conversion {
    std::uint64_t bytes = 0;     // of the new file
    std::string target;
};
// `options` name the source and choose target and CPU threads; `progress` is told bytes of weights, done and in all. `out`
// is there whole or not at all; what stands there is replaced only where it was converted too.
base::Result<Conversion> convert(const LoadOptions& options, const std::filesystem::path& out, const std::function<void(std::uint64_t, std::uint64_t)>& progress, base::StopToken stop = {});

}  // namespace engine
