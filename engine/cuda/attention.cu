// Paged keys and values, and attention over them. A row's positions are cut into pieces of a fixed length, whose results are joined in
// their order: by blocks beside each other where there are few rows, by one block where there are many, to the same bits.
#include "engine/cuda/device.cuh"
#include "engine/cuda/kernels.h"
#include "engine/ops/quant.h"

namespace engine::cuda {
namespace {

constexpr int piece = 256, most_dim = 576, dims_of_lane = most_dim / warp_size;
constexpr int most_warps = 16;  // of a block of attention: query heads of one head of keys

__device__ std::uint8_t* head_of(const KvLayer& kv, void* memory, const std::int32_t* blocks, int p, int h) {
    return static_cast<std::uint8_t*>(memory) + (std::size_t(blocks[p / kKvBlock]) * kv.kv_heads + h) * kv_head_bytes(kv.format, kv.head_dim);
}

// Value `i` of position `in_block` of a block's head, without its scale.
template <KvFormat F>
__device__ float value_at(const std::uint8_t* head, int i, int in_block) {
    const std::size_t at = std::size_t(i) * kKvBlock + in_block;
    if constexpr (F == KvFormat::f32) return reinterpret_cast<const float*>(head)[at];
    else if constexpr (F == KvFormat::f16) return half_to_float(reinterpret_cast<const std::uint16_t*>(head)[at]);
    else if constexpr (F == KvFormat::bf16) return bf16_to_float(reinterpret_cast<const std::uint16_t*>(head)[at]);
    else if constexpr (F == KvFormat::int8) return float(reinterpret_cast<const std::int8_t*>(head)[at]);
    else return e4m3_to_float(head[at]) / 256;
}
__device__ float* scales_of(const KvLayer& kv, std::uint8_t* head) { return reinterpret_cast<float*>(head + std::size_t(kv.head_dim) * kv_dimension_bytes(kv.format)); }

template <KvFormat F>
__device__ void store(const KvLayer& kv, std::uint8_t* head, int in_block, const float* x) {
    const int d = kv.head_dim;
    float factor = 1;
    if constexpr (has_scales(F)) {
        float largest = 0;
        for (int i = lane(); i < d; i += warp_size) largest = fmaxf(largest, fabsf(x[i]));
        largest = warp_max(largest);
        const float most = F == KvFormat::int8 ? 127.0f : 448.0f / 256;
        if (lane() == 0) scales_of(kv, head)[in_block] = largest / most;
        factor = largest > 1e-30f ? most / largest : 0;  // what all are below counts as nothing
    }
    for (int i = lane(); i < d; i += warp_size) {
        const std::size_t at = std::size_t(i) * kKvBlock + in_block;
        if constexpr (F == KvFormat::f32) reinterpret_cast<float*>(head)[at] = x[i];
        else if constexpr (F == KvFormat::f16) reinterpret_cast<std::uint16_t*>(head)[at] = float_to_half(x[i]);
        else if constexpr (F == KvFormat::bf16) reinterpret_cast<std::uint16_t*>(head)[at] = float_to_bf16(x[i]);
        else if constexpr (F == KvFormat::int8) reinterpret_cast<std::int8_t*>(head)[at] = std::int8_t(lrintf(x[i] * factor));
        else head[at] = float_to_e4m3(x[i] * (factor * 256));
    }
}

// grid (rows, heads, sequences), a warp each for the keys and the values.
template <KvFormat F>
__global__ void append_kernel(KvLayer kv, const float* k, const float* v, Sequences sequences) {
    const SequenceRows& s = sequences.of[blockIdx.z];
    const int r = int(blockIdx.x), h = int(blockIdx.y), p = s.context + r;
    if (r >= s.rows) return;
    const std::size_t from = (std::size_t(s.first_row + r) * kv.kv_heads + h) * kv.head_dim;
    store<F>(kv, head_of(kv, warp() == 0 ? kv.k : kv.v, s.blocks, p, h), p % kKvBlock, (warp() == 0 ? k : v) + from);
}

// out = x, each stretch of n numbers multiplied by Walsh and Hadamard's matrix: see rotation.h. A block a stretch; out may be x.
__global__ void rotate_kernel(float* out, const float* x, int n, float factor) {
    float* const at = shared<float>();
    const std::size_t begin = std::size_t(blockIdx.x) * n;
    for (int i = int(threadIdx.x); i < n; i += int(blockDim.x)) at[i] = x[begin + i];
    for (int half = 1; half < n; half *= 2) {
        __syncthreads();
        for (int pair = int(threadIdx.x); pair < n / 2; pair += int(blockDim.x)) {
            const int j = pair / half * 2 * half + pair % half;
            const float a = at[j], b = at[j + half];
            at[j] = a + b, at[j + half] = a - b;
        }
    }
    __syncthreads();
    for (int i = int(threadIdx.x); i < n; i += int(blockDim.x)) out[begin + i] = at[i] * factor;
}

// The rows of the sequences, and no other: out may have no more. Those that follow each other by one launch.
void rotate(Mat out, Mat x, const SequenceRows* sequences, int n_sequences, int d) {
    const int n = d & -d;
    for (int i = 0; i < n_sequences;) {
        const int first = sequences[i].first_row;
        int end = first;
        for (; i < n_sequences && sequences[i].first_row == end; ++i) end += sequences[i].rows;
        launch("rotate", rotate_kernel, unsigned(std::size_t(end - first) * x.cols / n), 64, std::size_t(n) * sizeof(float), out.row(first), x.row(first), n, 1 / std::sqrt(float(n)));
    }
}

// A softmax over some of the positions: their largest score, the sum of exponents and of weighted values. Each lane has dimensions
// lane, lane + 32 …
struct Softmax {
    float largest = -INFINITY, total = 0;
    float values[dims_of_lane] = {};
};

__device__ void join(Softmax& to, float largest, float total, const float* values, int stride, int d) {
    const float most = fmaxf(to.largest, largest);
    if (most == -INFINITY) return;
    const float old = expf(to.largest - most), fresh = expf(largest - most);
    to.total = to.total * old + total * fresh;
    for (int n = 0; n < dims_of_lane && n * warp_size + lane() < d; ++n) to.values[n] = to.values[n] * old + values[n * stride] * fresh;
    to.largest = most;
}

__device__ void finish(const Softmax& s, const AttentionArgs& args, int row, int h) {
    const int d = args.kv.head_dim;
    Softmax all = s;
    if (args.sinks) {
        const float none[dims_of_lane] = {};
        join(all, args.sinks[h], 1, none, 1, d);
    }
    float* const to = args.out.data + std::size_t(row) * args.out.cols + std::size_t(h) * d;
    for (int n = 0; n < dims_of_lane && n * warp_size + lane() < d; ++n) to[n * warp_size + lane()] = all.values[n] / all.total;
}

// Positions [begin, end) of one piece, by a warp, for one query head. weights: room for a number a lane.
template <KvFormat F>
__device__ Softmax attend(const AttentionArgs& args, const SequenceRows& s, const float* q, int kv_head, int begin, int end, float* weights) {
    const KvLayer& kv = args.kv;
    const int d = kv.head_dim;
    Softmax sum;
    for (int block = begin / kKvBlock * kKvBlock; block < end; block += kKvBlock) {
        const int p = block + lane();
        const bool seen = p >= begin && p < end;
        std::uint8_t *const keys = head_of(kv, kv.k, s.blocks, block, kv_head), *const values = head_of(kv, kv.v, s.blocks, block, kv_head);
        float score = 0;
        if (seen) {
            for (int i = 0; i < d; ++i) score = fmaf(q[i], value_at<F>(keys, i, lane()), score);
            if constexpr (has_scales(F)) score *= scales_of(kv, keys)[lane()];
            score *= args.scale;
        }
        const float most = fmaxf(sum.largest, warp_max(seen ? score : -INFINITY)), old = expf(sum.largest - most);
        const float weight = seen ? expf(score - most) : 0;
        sum.total = sum.total * old + warp_sum(weight);
        sum.largest = most;
        __syncwarp();  // the weights before are read
        if constexpr (has_scales(F)) weights[lane()] = seen ? weight * scales_of(kv, values)[lane()] : 0;
        else weights[lane()] = weight;
        __syncwarp();
        const int from = begin > block ? begin - block : 0, to = end - block < kKvBlock ? end - block : kKvBlock;  // what was never written may be NaN
        for (int n = 0; n < dims_of_lane; ++n) {
            const int i = n * warp_size + lane();
            if (i >= d) break;
            float value = sum.values[n] * old;
            for (int at = from; at < to; ++at) value = fmaf(weights[at], value_at<F>(values, i, at), value);
            sum.values[n] = value;
        }
    }
    return sum;
}

struct Attention {
    AttentionArgs args;
    float* pieces = nullptr;  // (rows, heads, most_pieces, 2 + d): of rows whose pieces are computed beside each other; null: joined at once
    int most_pieces = 1;
};

struct Span {
    int first, end;  // positions
};
__device__ Span span_of(const AttentionArgs& args, const SequenceRows& s, int r) {
    const int end = s.context + (args.causal ? r : s.rows - 1) + 1;
    return {args.window > 0 && end > args.window ? end - args.window : 0, end};
}
__device__ float* piece_at(const Attention& a, int row, int h, int nth) {
    return a.pieces + ((std::size_t(row) * a.args.heads + h) * a.most_pieces + nth) * (2 + a.args.kv.head_dim);
}

// grid (rows or rows times pieces, heads of keys times parts of their query heads, sequences); a warp a query head.
template <KvFormat F>
__global__ void attention_kernel(Attention a, Sequences sequences, int heads_of_block) {
    const AttentionArgs& args = a.args;
    const SequenceRows& s = sequences.of[blockIdx.z];
    const int d = args.kv.head_dim, group = args.heads / args.kv.kv_heads, parts = (group + heads_of_block - 1) / heads_of_block;
    const int kv_head = int(blockIdx.y) / parts, in_group = int(blockIdx.y) % parts * heads_of_block + warp();
    const int r = int(blockIdx.x) / a.most_pieces, nth = int(blockIdx.x) % a.most_pieces;
    if (r >= s.rows || in_group >= group) return;
    const int h = kv_head * group + in_group, row = s.first_row + r;
    float *const weights = shared<float>() + warp() * (warp_size + d), *const q = weights + warp_size;
    for (int i = lane(); i < d; i += warp_size) q[i] = args.q.data[std::size_t(row) * args.q.cols + std::size_t(h) * d + i];
    __syncwarp();
    const Span span = span_of(args, s, r);
    Softmax all;
    for (int n = span.first / piece; n * piece < span.end; ++n) {
        if (a.pieces && n != nth) continue;
        const int begin = n * piece > span.first ? n * piece : span.first, end = (n + 1) * piece < span.end ? (n + 1) * piece : span.end;
        const Softmax of = attend<F>(args, s, q, kv_head, begin, end, weights);
        if (!a.pieces) {
            join(all, of.largest, of.total, of.values, 1, d);
            continue;
        }
        float* const to = piece_at(a, row, h, n);
        if (lane() == 0) to[0] = of.largest, to[1] = of.total;
        for (int k = 0; k < dims_of_lane && k * warp_size + lane() < d; ++k) to[2 + k * warp_size + lane()] = of.values[k];
    }
    if (!a.pieces) finish(all, args, row, h);
}

// grid (rows, heads, sequences), a warp each.
__global__ void join_kernel(Attention a, Sequences sequences) {
    const SequenceRows& s = sequences.of[blockIdx.z];
    const int r = int(blockIdx.x), h = int(blockIdx.y), d = a.args.kv.head_dim;
    if (r >= s.rows) return;
    const Span span = span_of(a.args, s, r);
    Softmax all;
    for (int n = span.first / piece; n * piece < span.end; ++n) {
        const float* const from = piece_at(a, s.first_row + r, h, n);
        join(all, from[0], from[1], from + 2 + lane(), warp_size, d);
    }
    finish(all, a.args, s.first_row + r, h);
}

template <class F>
void with_kv_format(KvFormat format, F&& f) {
    switch (format) {
        case KvFormat::f32: return f.template operator()<KvFormat::f32>();
        case KvFormat::f16: return f.template operator()<KvFormat::f16>();
        case KvFormat::bf16: return f.template operator()<KvFormat::bf16>();
        case KvFormat::int8: return f.template operator()<KvFormat::int8>();
        case KvFormat::fp8: return f.template operator()<KvFormat::fp8>();
    }
}

void attend_all(const AttentionArgs& args, Exec& exec) {
    constexpr int enough = 264;  // blocks that keep a large device busy
    const int d = args.kv.head_dim, group = args.heads / args.kv.kv_heads;
    int depth = 1;
    for (const SequenceRows* s = args.sequences; s < args.sequences + args.n_sequences; ++s) depth = depth > s->context + s->rows ? depth : s->context + s->rows;
    Attention a{args, nullptr, 1};
    const bool split = depth > piece && args.q.rows * args.kv.kv_heads < enough;
    if (split) {
        a.most_pieces = int(parts(std::size_t(depth), piece));
        a.pieces = exec.scratch->take<float>(std::size_t(args.q.rows) * args.heads * a.most_pieces * (2 + d));
    }
    const std::size_t of_warp = std::size_t(warp_size + d) * sizeof(float);
    const int warps = group < most_warps ? group : most_warps;
    each_sequences(args.sequences, args.n_sequences, [&](const Sequences& some) {
        with_kv_format(args.kv.format, [&]<KvFormat F>() {
            launch("attention", attention_kernel<F>, dim3(unsigned(some.most_rows * a.most_pieces), unsigned(args.kv.kv_heads) * parts(std::size_t(group), std::size_t(warps)), unsigned(some.n)),
                   unsigned(warps * warp_size), std::size_t(warps) * of_warp, a, some, warps);
        });
        if (split) launch("attention's pieces", join_kernel, dim3(unsigned(some.most_rows), unsigned(args.heads), unsigned(some.n)), warp_size, 0, a, some);
    });
}

}  // namespace

void kv_append(const KvLayer& kv, Mat k, Mat v, const SequenceRows* sequences, int n_sequences, Exec& exec) {
    const Taken taken(*exec.scratch);
    if (has_scales(kv.format))
        for (Mat* m : {&k, &v}) {
            const Mat turned{exec.scratch->take<float>(std::size_t(m->rows) * m->cols), m->rows, m->cols};
            rotate(turned, *m, sequences, n_sequences, kv.head_dim);
            *m = turned;
        }
    each_sequences(sequences, n_sequences, [&](const Sequences& some) {
        with_kv_format(kv.format, [&]<KvFormat F>() {
            launch("kv_append", append_kernel<F>, dim3(unsigned(some.most_rows), unsigned(kv.kv_heads), unsigned(some.n)), 2 * warp_size, 0, kv, k.data, v.data, some);
        });
    });
}

void attention(const AttentionArgs& args, Exec& exec) {
    if (args.kv.head_dim > most_dim) throw std::logic_error("heads of more than 576 dimensions are not computed on CUDA");
    const Taken taken(*exec.scratch);
    if (!has_scales(args.kv.format)) return attend_all(args, exec);
    AttentionArgs turned = args;
    turned.q.data = exec.scratch->take<float>(std::size_t(args.q.rows) * args.q.cols);
    rotate(turned.q, args.q, args.sequences, args.n_sequences, args.kv.head_dim);
    attend_all(turned, exec);
    rotate(args.out, args.out, args.sequences, args.n_sequences, args.kv.head_dim);
}

}  // namespace engine::cuda
