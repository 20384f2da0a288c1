// What an embedding model makes of what is remembered: of each fact and segment a vector, by the model that made it.
#pragma once

#include "store/segments.h"

namespace store {

enum class VectorOf { fact, segment };

struct StoredVector {
    base::Uuid of;             // the fact or segment
    std::string bytes;         // a signed byte each
    MemoryPlace place{};
};

// Texts of which there is no vector by that model yet, at most so many: what the transaction's person may see, the newest first.
struct Unembedded {
    VectorOf kind;
    base::Uuid of;
    std::string text;
};
std::vector<Unembedded> without_vector(Tx& tx, const std::string& model, int most);
// Of what is still there; each once, whoever else makes it.
void keep_vector(Tx& tx, const std::string& model, const Unembedded& text, const std::string& bytes);

// Of each audience of the transaction's person, his groups' too: what that model made of the text by which models are told apart when its vectors were made; empty: none were.
struct VectorProbe {
    base::AudienceId audience;
    std::string probe;
};
std::vector<VectorProbe> vector_probes(Tx& tx, const std::string& model);
// From now on of that audience; the vectors that it has go.
void begin_vectors(Tx& tx, base::AudienceId audience, const std::string& model, const std::string& probe);

// As facts_behind, by one model.
std::vector<StoredVector> vectors_behind(Tx& tx, VectorOf kind, const std::string& model, base::AudienceId audience, const MemoryPlace& place, int most);

}  // namespace store
