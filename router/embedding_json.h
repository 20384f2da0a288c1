// The JSON of OpenAI's embeddings, as an upstream is asked and answers.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "router/embedding.h"

namespace router {

base::Json embedding_body(const EmbeddingRequest& request, const std::string& model);
// Vectors in the order of their inputs, usage and the model's name. {corrupt}: not one vector of one length for each of `inputs`.
base::Result<EmbeddingReply> read_embeddings(const std::string& body, std::size_t inputs);

}  // namespace router
