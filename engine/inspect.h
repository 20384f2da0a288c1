// What can be said of a model's file without loading it.
#pragma once

#include "base/result.h"
#include "engine/engine.h"
#include "engine/model/config.h"
#include "engine/model/model_file.h"

namespace engine {

// Family and vocabulary of a file; whatever of them a load would refuse is refused here.
struct Head {
    Config config;
    text::Vocabulary vocabulary;
};
base::Result<Head> read_head(const ModelFile& file);

// Leaves what shows in such a context.
void keep_telling(std::vector<Unsaid>& unsaid, int context);

base::Result<ModelInfo> describe(const ModelFile& file, const Config& config, const text::Vocabulary& vocabulary);

}  // namespace engine
