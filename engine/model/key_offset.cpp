#include "engine/model/key_offset.h"

#include <algorithm>

#include "engine/model/blocks.h"

namespace engine {

std::vector<float> mean_key(const float* bias, int width, const RopeArgs* rope, const Ops& ops, Pool& pool) {
    if (!rope) return {bias, bias + width};
    // Triangular numbers: no frequency meets them in step, and early positions, which every sequence has, count most.
    constexpr int samples = 64;  // up to position 2016
    std::vector<std::int32_t> positions;
    std::vector<float> rows, mean(std::size_t(width), 0.0f);
    for (int i = 0; i < samples; ++i) {
        positions.push_back(i * (i + 1) / 2);
        rows.insert(rows.end(), bias, bias + width);
    }
    RopeArgs args = *rope;
    args.positions = positions.data();
    Exec exec{&pool, nullptr};
    const Mat turned{rows.data(), samples, width};
    ops.rope(turned, args, exec);
    for (int i = 0; i < samples; ++i)
        for (int c = 0; c < width; ++c) mean[std::size_t(c)] += turned.row(i)[c] / samples;
    return mean;
}

void find_key_offsets(Model& m, Pool& pool) {
    m.key_offsets.assign(m.layers.size(), nullptr);
    // On the CPU, wherever the model computes.
    const Ops& ops = m.ops->device->apart() ? ref_ops() : *m.ops;
    for (std::size_t i = 0; i < m.layers.size(); ++i) {
        const Layer& l = m.layers[i];
        const LayerConfig& shape = m.config.layer[i];
        // A norm comes between bias and rotation; a sink's logit is not among the scores that are shifted.
        if (!l.k_bias || l.k_norm || l.sinks) continue;
        RopeArgs rope = rope_of(m, shape, nullptr);
        if (shape.rope >= 0) rope.inverse_frequencies = m.arrays.host(rope.inverse_frequencies).data();
        m.key_offsets[i] = m.arrays.keep(*m.ops->device, mean_key(m.arrays.host(l.k_bias).data(), shape.kv_heads * shape.head_dim, shape.rope >= 0 ? &rope : nullptr, ops, pool));
    }
}

}  // namespace engine
