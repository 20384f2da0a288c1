// A model that is to guess for another: read and measured before anything is allocated.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "engine/model/model_file.h"
#include "engine/ops/ops.h"

namespace engine {

struct DraftFile {
    std::unique_ptr<ModelFile> file;
    Config config;
    std::uint64_t weights = 0;
};
// Refuses by name what cannot guess for a model of that vocabulary. `target`: what that model is called.
base::Result<DraftFile> open_draft(const std::filesystem::path& path, const Ops& ops, const text::Vocabulary& vocabulary, const std::string& target);

}  // namespace engine
