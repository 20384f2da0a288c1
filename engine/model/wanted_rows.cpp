#include "engine/model/wanted_rows.h"

namespace engine {

bool leaves_rows_out(const Model& m, const Batch& batch) {
    const Config& c = m.config;
    const bool plain_attention = c.layer.back().mixer == Mixer::attention && !c.family->latent;  // other mixers carry a state through all rows
    return batch.n_logits < batch.n && !batch.states && !batch.observer && plain_attention && c.per_layer_width == 0;
}

Batch wanted_rows(const Batch& batch, Mat x, Scratch& scratch) {
    Batch out = batch;
    auto* const positions = scratch.take<std::int32_t>(std::size_t(batch.n));
    auto* const rows = scratch.take<std::int32_t>(std::size_t(batch.n_logits));
    auto* const sequences = scratch.take<SequenceRows>(std::size_t(batch.n_sequences));
    auto* const adapters = scratch.take<const Adapter*>(std::size_t(batch.n_sequences));
    int n = 0, n_sequences = 0, logit = 0;
    for (int i = 0; i < batch.n_sequences; ++i) {
        SequenceRows s = batch.sequences[i];
        const int end = s.first_row + s.rows;
        if (logit == batch.n_logits || batch.logit_rows[logit] >= end) continue;
        const int first = batch.logit_rows[logit], kept = end - first;
        for (; logit < batch.n_logits && batch.logit_rows[logit] < end; ++logit) rows[logit] = n + batch.logit_rows[logit] - first;
        std::memmove(x.row(n), x.row(first), std::size_t(kept) * std::size_t(x.cols) * sizeof(float));
        std::memcpy(positions + n, batch.positions + first, std::size_t(kept) * sizeof(std::int32_t));
        s.context += first - s.first_row, s.first_row = n, s.rows = kept;
        adapters[n_sequences] = batch.adapters ? batch.adapters[i] : nullptr;
        sequences[n_sequences++] = s;
        n += kept;
    }
    out.positions = positions, out.n = n, out.sequences = sequences, out.n_sequences = n_sequences, out.logit_rows = rows;
    if (batch.adapters) out.adapters = adapters;
    return out;
}

void narrow(Activations& a, const Batch& wanted) {
    for (Mat* const rows : {&a.x, &a.normed, &a.branch, &a.gate, &a.up, &a.own}) rows->rows = wanted.n;
    a.batch = &wanted;
    a.keys_there = true;
}

}  // namespace engine
