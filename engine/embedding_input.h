// The tokens of a text to embed.
#pragma once

#include <vector>

#include "base/result.h"
#include "engine/request.h"

namespace engine {

struct EmbeddingLimits {
    int vocabulary = 0, context = 0;
    bool truncate = false;  // to the context; else what is longer is refused
};

// Of every input, in order. A text gets the tokens that its vocabulary adds around one, which are kept when it is cut.
base::Result<std::vector<std::vector<TokenId>>> embedding_tokens(const std::vector<EmbeddingInput>& inputs, const text::Tokenizer& tokenizer, const EmbeddingLimits& limits);

}  // namespace engine
