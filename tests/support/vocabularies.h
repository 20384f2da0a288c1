// Vocabularies of real models for tests: a reader of GGUF metadata that knows only the tokenizer's
// keys, and the reader of tokenizer.json over files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "text/tokenizer.h"

namespace support {

text::Vocabulary read_gguf_vocabulary(const std::filesystem::path& file);  // throws std::runtime_error

// A tokenizer.json, plain or .xz, with the tokenizer_config.json beside it when there is one.
text::Vocabulary read_hf_vocabulary(const std::filesystem::path& file);

// The default model: HEARTH_MODEL, else the file at its usual places.
std::optional<std::filesystem::path> default_model();

}  // namespace support
