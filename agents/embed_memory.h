// Vectors of what is remembered, by the household's model for it (Options::embedding), where there is one.
#pragma once

#include "agents/service.h"
#include "memory/person_indexes.h"

namespace agents {

memory::Embedder embedder(router::Gateway& gateway, std::string alias);

struct Embedded {
    int vectors = 0;          // made
    bool done = false;        // there is nothing left without one
    base::Error trouble{};    // why it ended before; message empty: it did not
};
// Of the person's facts and segments; off the path of every request. Error{conflict}: another model than a moment ago answers, or one of another width.
net::Task<Embedded> embed_memory(const Parts& parts, const Options& options, store::Identity who, base::StopToken stop);

}  // namespace agents
