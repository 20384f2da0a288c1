// Hugging Face's tokenizer files: what tokenizer.json says of normalizer, splitters, model, decoder and added
// tokens, as a Vocabulary. What it says and this engine does not do is refused, never ignored.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "text/tokenizer.h"

namespace text {

// `file` is the name that errors carry, with key, found and expected.
base::Result<Vocabulary> read_tokenizer_json(std::string_view json, const std::string& file);

// tokenizer_config.json beside it: which tokens begin and end a text and pad, and whether they are added.
base::Result<void> apply_tokenizer_config(Vocabulary& vocabulary, std::string_view json, const std::string& file);

}  // namespace text
