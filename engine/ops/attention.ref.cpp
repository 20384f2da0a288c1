// Paged keys and values, and attention over them.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/ops/ref.h"

namespace engine::ref {
namespace {

// Element index of position `p` of kv head `h` in a layer's K or V.
std::size_t element(const KvLayer& kv, const std::int32_t* blocks, int p, int h) {
    const std::size_t block = std::size_t(blocks[p / kKvBlock]);
    return ((block * kv.kv_heads + h) * kKvBlock + std::size_t(p % kKvBlock)) * kv.head_dim;
}

float load(const KvLayer& kv, const void* data, std::size_t i) {
    return kv.half ? half_to_float(static_cast<const std::uint16_t*>(data)[i]) : static_cast<const float*>(data)[i];
}

void store(const KvLayer& kv, void* data, std::size_t i, float value) {
    if (kv.half)
        static_cast<std::uint16_t*>(data)[i] = float_to_half(value);
    else
        static_cast<float*>(data)[i] = value;
}

}  // namespace

void kv_append(const KvLayer& kv, Mat k, Mat v, const SequenceRows* sequences, int n_sequences, Exec&) {
    for (int s = 0; s < n_sequences; ++s)
        for (int r = 0; r < sequences[s].rows; ++r) {
            const int row = sequences[s].first_row + r;
            for (int h = 0; h < kv.kv_heads; ++h) {
                const std::size_t at = element(kv, sequences[s].blocks, sequences[s].context + r, h);
                for (int i = 0; i < kv.head_dim; ++i) {
                    store(kv, kv.k, at + i, k.row(row)[h * kv.head_dim + i]);
                    store(kv, kv.v, at + i, v.row(row)[h * kv.head_dim + i]);
                }
            }
        }
}

void attention(const AttentionArgs& args, Exec& exec) {
    const KvLayer& kv = args.kv;
    const int d = kv.head_dim, group = args.heads / kv.kv_heads;
    auto one = [&](const SequenceRows& s, int r, int h) {
        const int last = s.context + (args.causal ? r : s.rows - 1), first = args.window > 0 ? std::max(0, last - args.window + 1) : 0;
        const float* q = args.q.row(s.first_row + r) + std::size_t(h) * d;
        std::vector<double> score(last + 1);
        double largest = args.sinks ? args.sinks[h] : -INFINITY, total = 0;
        for (int p = first; p <= last; ++p) {
            const std::size_t at = element(kv, s.blocks, p, h / group);
            double sum = 0;
            for (int i = 0; i < d; ++i) sum += double(q[i]) * load(kv, kv.k, at + i);
            score[p] = sum * args.scale;
            largest = std::max(largest, score[p]);
        }
        if (args.sinks) total = std::exp(args.sinks[h] - largest);
        std::vector<double> out(d);
        for (int p = first; p <= last; ++p) {
            const std::size_t at = element(kv, s.blocks, p, h / group);
            const double weight = std::exp(score[p] - largest);
            total += weight;
            for (int i = 0; i < d; ++i) out[i] += weight * load(kv, kv.v, at + i);
        }
        float* to = args.out.row(s.first_row + r) + std::size_t(h) * d;
        for (int i = 0; i < d; ++i) to[i] = float(out[i] / total);
    };
    for (int i = 0; i < args.n_sequences; ++i) {
        const SequenceRows& s = args.sequences[i];
        auto item = [&](int n, int) { one(s, n / args.heads, n % args.heads); };
        exec.pool->run(s.rows * args.heads, item);
    }
}

}  // namespace engine::ref
