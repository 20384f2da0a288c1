#include "engine/model/model_file.h"

#include "engine/model/gguf_file.h"

namespace engine {

base::Result<std::unique_ptr<ModelFile>> ModelFile::open(const std::filesystem::path& path) { return GgufFile::open(path); }

}  // namespace engine
