// Vocabularies of real models for tests: a reader of GGUF metadata that knows only the tokenizer's
// keys, and one of HF tokenizer.json files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "text/tokenizer.h"

namespace support {

text::Vocabulary read_gguf_vocabulary(const std::filesystem::path& file);  // throws std::runtime_error

// A byte-level BPE tokenizer.json, plain or .xz. The file names no pre-tokenizer, so `pre` is given.
text::Vocabulary read_hf_vocabulary(const std::filesystem::path& file, const std::string& pre);

// The default model: HEARTH_MODEL, else the file at its usual places.
std::optional<std::filesystem::path> default_model();

}  // namespace support
