// An encoder as an Engine: texts to vectors, nothing written.
#pragma once

#include <memory>

#include "engine/engine.h"

namespace engine {

base::Result<MemoryPlan> plan_encoder_engine(const LoadOptions& options);
base::Result<ModelInfo> inspect_encoder(const std::filesystem::path& path);
base::Result<std::unique_ptr<Engine>> load_encoder_engine(LoadOptions options);

}  // namespace engine
