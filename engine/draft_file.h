// A model that is to guess for another: read and measured before anything is allocated.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "engine/draft_model.h"
#include "engine/model/model_file.h"

namespace engine {

struct DraftFile {
    std::unique_ptr<ModelFile> file;
    Config config;
    std::uint64_t weights = 0;
};
// Refuses by name what cannot guess for a model of that vocabulary. `target`: what that model is called.
base::Result<DraftFile> open_draft(const std::filesystem::path& path, const Ops& ops, const text::Vocabulary& vocabulary, const std::string& target);

// Guesses ids below `vocabulary` for `target`, whose blocks and sequences `shape` has.
base::Result<std::unique_ptr<DraftModel>> load_draft(DraftFile draft, const Ops& ops, const RunnerShape& shape, const Model& target, std::shared_ptr<Pool> pool, int vocabulary);

}  // namespace engine
