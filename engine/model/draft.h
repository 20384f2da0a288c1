// Multi-token prediction (DeepSeek-V3, 2024, §2.2): a head of one layer that guesses the token behind the next one from a model's
// state, and from its own state those behind it, so that the model can verify several at once.
#pragma once

#include <optional>

#include "engine/model/forward.h"
#include "engine/model/weights.h"

namespace engine {

struct DraftHead {
    Model decoder;                                  // its layer and the norm behind it; shape, embedding and output are the model's
    Weight joint;                                   // (H, 2H): of [norm(embedding) | norm(state)]
    const float *embedding_norm = nullptr, *state_norm = nullptr;  // (H)
};

// The shape of the file's head; none where it has none.
base::Result<std::optional<Config>> draft_head_config(const ModelFile& file, const Config& config);

// What the file's head would take beside the model; nothing where it has none. Its keys and values are those of one more layer.
base::Result<WeightBytes> measure_draft_head(const ModelFile& file, const Config& config, const Ops& ops);

// Null where the model's file has no head. `model` must outlive it: it lends embedding, output and file.
base::Result<std::unique_ptr<DraftHead>> load_draft_head(const Model& model, Pool& pool);

// Scratch bytes that draft needs for up to `rows` rows, ops included.
std::size_t draft_scratch(const Config& config, int rows, int threads);

// A row at position p takes token p + 1 and the state of position p: of the model after its last norm (Batch::states of
// forward), or where that token is a guess, of the head (Batch::states of draft). Its logits are those of token p + 2.
// batch, logits: as in forward; Batch::states may be `states`, (n, H). kv: of the head, the rows before included. Allocates nothing.
void draft(const DraftHead& head, const Batch& batch, Mat states, const KvLayer& kv, float* logits, Exec& exec);

}  // namespace engine
