// SentencePiece's own file, tokenizer.model: a ModelProto (sentencepiece_model.proto) of pieces with scores, and what happens to text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "text/tokenizer.h"

namespace text {

// `file` names it in errors. Models of words and of characters are refused.
base::Result<Vocabulary> read_sentence_piece(std::string_view bytes, const std::string& file);

}  // namespace text
