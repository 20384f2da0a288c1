// What can be said of a model's file without loading it.
#pragma once

#include "base/result.h"
#include "engine/engine.h"
#include "engine/model/config.h"
#include "engine/model/gguf.h"

namespace engine {

base::Result<ModelInfo> describe(const Gguf& gguf, const Config& config, const text::Vocabulary& vocabulary);

}  // namespace engine
