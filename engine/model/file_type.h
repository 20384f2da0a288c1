// What a GGUF calls its quantisation (general.file_type), held against what its tensors are.
#pragma once

#include <string>

#include "engine/model/gguf.h"

namespace engine {

struct FileType {
    std::string shown;         // "Q4_K_M"; where the key is not there, not known or wrong: the format of most of the layers' weights
    std::string contradicted;  // what the key says and the tensors do not; empty: nothing
};
base::Result<FileType> file_type_of(const Gguf& gguf);

}  // namespace engine
