#include "engine/model/model_file.h"

#include "engine/model/checkpoint.h"
#include "engine/model/converted_file.h"
#include "engine/model/gguf_file.h"

namespace engine {

const char* shown_name(Format format) { return info(format == Format::e2m1 ? Format::nvfp4 : format).name; }

base::Result<std::unique_ptr<ModelFile>> ModelFile::open(const std::filesystem::path& path) {
    if (ConvertedFile::is_one(path)) return ConvertedFile::open(path);
    return Checkpoint::is_one(path) ? Checkpoint::open(path) : GgufFile::open(path);
}

}  // namespace engine
