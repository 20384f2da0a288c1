// Texts to vectors: what a model is asked and what it answers. Shapes follow OpenAI's embeddings API.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "router/types.h"

namespace router {

// A text, or token ids of the model's own vocabulary, taken as they are.
using EmbeddingInput = std::variant<std::string, std::vector<std::int32_t>>;

struct EmbeddingRequest {
    std::string alias;
    OnBehalf on_behalf;
    std::vector<EmbeddingInput> inputs;
    int dimensions = 0;     // of a vector; 0: the model's
    bool truncate = false;  // what is longer than the context is cut; else Error{context_length_exceeded}
    std::string purpose;    // for usage
    base::StopToken stop;
};

struct EmbeddingReply {
    int width = 0;
    std::vector<float> values;  // (inputs, width)
    Usage usage;
    std::string backend, model, profile;
    std::vector<Fallback> fallbacks;
};

}  // namespace router
