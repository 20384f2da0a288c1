// Cuts text into the words within which byte-level BPE may merge. Each scheme that model files name
// is a row of stages, each stage a list of matchers; they do what the model's published regular
// expressions do, in linear time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace text {

struct PreTokenizer;  // a row of the table

// The row that `tokenizer.ggml.pre` names; an empty name means "default". Unknown: Error{unsupported}.
base::Result<const PreTokenizer*> find_pre_tokenizer(std::string_view name);
std::vector<std::string> pre_tokenizer_names();

// Byte offsets where words end, ascending; the last is text.size(). Empty for empty text.
std::vector<std::size_t> split_words(const PreTokenizer& scheme, std::string_view text);

bool wants_nfc(const PreTokenizer& scheme);       // text is brought to NFC first
bool whole_words_first(const PreTokenizer& scheme);  // a word that is a token is taken without merging

}  // namespace text
