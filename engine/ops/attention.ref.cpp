// Paged keys and values, and attention over them.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/ops/ref.h"
#include "engine/ops/rotation.h"

namespace engine::ref {
namespace {

// One position of one head, as stored: its value i lies i dimensions on.
struct Row {
    std::uint8_t* values;
    std::size_t dimension;
    float* scale;  // of eight bits
    template <class T>
    T& at(int i) const { return *reinterpret_cast<T*>(values + std::size_t(i) * dimension); }
};
Row row_at(const KvLayer& kv, void* memory, const std::int32_t* blocks, int p, int h) {
    const std::size_t block = std::size_t(blocks[p / kKvBlock]), in_block = std::size_t(p % kKvBlock), dimension = kv_dimension_bytes(kv.format);
    std::uint8_t* const head = static_cast<std::uint8_t*>(memory) + (block * std::size_t(kv.kv_heads) + std::size_t(h)) * kv_head_bytes(kv.format, kv.head_dim);
    return {head + in_block * kv_value_bytes(kv.format), dimension, reinterpret_cast<float*>(head + std::size_t(kv.head_dim) * dimension) + in_block};
}

float load(const KvLayer& kv, const Row& row, int i) {
    switch (kv.format) {
        case KvFormat::f32: return row.at<float>(i);
        case KvFormat::f16: return half_to_float(row.at<std::uint16_t>(i));
        case KvFormat::bf16: return bf16_to_float(row.at<std::uint16_t>(i));
        case KvFormat::int8: return float(row.at<std::int8_t>(i)) * *row.scale;
        case KvFormat::fp8: break;
    }
    return e4m3_to_float(row.at<std::uint8_t>(i)) / 256 * *row.scale;
}

// What d values are multiplied by so that `most` is the largest; the scale is its inverse.
float to_range(const float* x, int d, float most, float& scale) {
    constexpr float least = 1e-30f;  // what all are below counts as nothing: the factor would be infinite
    float largest = 0;
    for (int i = 0; i < d; ++i) largest = std::max(largest, std::fabs(x[i]));
    scale = largest / most;
    return largest > least ? most / largest : 0;
}

void store(const KvLayer& kv, const Row& row, const float* x) {
    const int d = kv.head_dim;
    switch (kv.format) {
        case KvFormat::f32:
            for (int i = 0; i < d; ++i) row.at<float>(i) = x[i];
            return;
        case KvFormat::f16:
            for (int i = 0; i < d; ++i) row.at<std::uint16_t>(i) = float_to_half(x[i]);
            return;
        case KvFormat::bf16:
            for (int i = 0; i < d; ++i) row.at<std::uint16_t>(i) = float_to_bf16(x[i]);
            return;
        case KvFormat::int8: {
            const float factor = to_range(x, d, 127, *row.scale);
            for (int i = 0; i < d; ++i) row.at<std::int8_t>(i) = std::int8_t(std::lrintf(x[i] * factor));
            return;
        }
        case KvFormat::fp8: break;
    }
    const float factor = to_range(x, d, 448.0f / 256, *row.scale) * 256;
    for (int i = 0; i < d; ++i) row.at<std::uint8_t>(i) = float_to_e4m3(x[i] * factor);
}

void append(const KvLayer& kv, Mat k, Mat v, const SequenceRows* sequences, int n_sequences) {
    for (int s = 0; s < n_sequences; ++s)
        for (int r = 0; r < sequences[s].rows; ++r) {
            const int row = sequences[s].first_row + r;
            for (int h = 0; h < kv.kv_heads; ++h) {
                const int position = sequences[s].context + r;
                store(kv, row_at(kv, kv.k, sequences[s].blocks, position, h), k.row(row) + h * kv.head_dim);
                store(kv, row_at(kv, kv.v, sequences[s].blocks, position, h), v.row(row) + h * kv.head_dim);
            }
        }
}

// A copy, turned.
Mat turned(Mat x, int d, Exec& exec) {
    const Mat out{exec.scratch->take<float>(std::size_t(x.rows) * std::size_t(x.cols)), x.rows, x.cols};
    std::copy_n(x.data, std::size_t(x.rows) * std::size_t(x.cols), out.data);
    rotate_heads(out, d);
    return out;
}

void attend(const AttentionArgs& args, Exec& exec) {
    const KvLayer& kv = args.kv;
    const int d = kv.head_dim, group = args.heads / kv.kv_heads;
    auto one = [&](const SequenceRows& s, int r, int h) {
        const int last = s.context + (args.causal ? r : s.rows - 1), first = args.window > 0 ? std::max(0, last - args.window + 1) : 0;
        const float* q = args.q.row(s.first_row + r) + std::size_t(h) * d;
        std::vector<double> score(last + 1);
        double largest = args.sinks ? args.sinks[h] : -INFINITY, total = 0;
        for (int p = first; p <= last; ++p) {
            const Row key = row_at(kv, kv.k, s.blocks, p, h / group);
            double sum = 0;
            for (int i = 0; i < d; ++i) sum += double(q[i]) * load(kv, key, i);
            score[p] = sum * args.scale;
            largest = std::max(largest, score[p]);
        }
        if (args.sinks) total = std::exp(args.sinks[h] - largest);
        std::vector<double> out(d);
        for (int p = first; p <= last; ++p) {
            const Row value = row_at(kv, kv.v, s.blocks, p, h / group);
            const double weight = std::exp(score[p] - largest);
            total += weight;
            for (int i = 0; i < d; ++i) out[i] += weight * load(kv, value, i);
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

}  // namespace

void kv_append(const KvLayer& kv, Mat k, Mat v, const SequenceRows* sequences, int n_sequences, Exec& exec) {
    if (!has_scales(kv.format)) return append(kv, k, v, sequences, n_sequences);
    const Taken taken(*exec.scratch);
    append(kv, turned(k, kv.head_dim, exec), turned(v, kv.head_dim, exec), sequences, n_sequences);
}

void attention(const AttentionArgs& args, Exec& exec) {
    attend_turned(args, exec, [&](const AttentionArgs& turned) { attend(turned, exec); });
}

}  // namespace engine::ref
