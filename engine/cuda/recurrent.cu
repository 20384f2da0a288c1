// Mixers that carry a state from row to row. A sequence's rows follow each other within one launch, the state's tile stays in shared
// memory meanwhile, and results do not depend on how the rows are cut into steps.
#include "engine/cuda/device.cuh"
#include "engine/cuda/kernels.h"

namespace engine::cuda {
namespace {

constexpr int channels = 128;  // of a block of the convolution, a thread each

__global__ void convolve_kernel(ConvArgs args, Sequences sequences) {
    const SequenceRows& s = sequences.of[blockIdx.y];
    const int c = int(blockIdx.x) * channels + int(threadIdx.x), width = args.x.cols, before = args.kernel - 1;
    if (c >= width) return;
    float* const state = s.state + args.state + c;
    const float* const x = args.x.data + std::size_t(s.first_row) * width + c;
    const auto in = [&](int t) { return t < 0 ? state[std::size_t(t + before) * width] : x[std::size_t(t) * width]; };
    for (int t = 0; t < s.rows; ++t) {
        float sum = args.bias ? args.bias[c] : 0;
        for (int j = 0; j < args.kernel; ++j) sum = fmaf(args.w[std::size_t(j) * width + c], in(t - before + j), sum);
        args.out.data[std::size_t(s.first_row + t) * width + c] = args.silu ? sum * sigmoid(sum) : sum;
    }
    for (int i = 0; i < before; ++i) state[std::size_t(i) * width] = in(s.rows - before + i);  // ascending: none that is still needed
}

constexpr int delta_warps = 8;  // each has a share of the key's dimensions; a lane has a dimension of the value

// factor / |x|, by a warp.
__device__ float unit(const float* x, int n, float factor) {
    float sum = 0;
    for (int i = lane(); i < n; i += warp_size) sum = fmaf(x[i], x[i], sum);
    return factor / sqrtf(warp_sum(sum) + 1e-6f);
}

// Sums of a lane's column over the warps; room: a float a thread.
__device__ float over_warps(float v, float* room) {
    __syncthreads();
    room[warp() * warp_size + lane()] = v;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < delta_warps; ++i) sum += room[i * warp_size + lane()];
    return sum;
}

// A block has 32 columns of the state of one head: grid (columns, value heads, sequences).
__global__ void __launch_bounds__(delta_warps * warp_size) delta_kernel(DeltaArgs args, Sequences sequences) {
    const SequenceRows& s = sequences.of[blockIdx.z];
    const int dk = args.key_dim, dv = args.value_dim, head = int(blockIdx.y), column = int(blockIdx.x) * warp_size + lane();
    const int key_head = args.tiled ? head % args.key_heads : head / (args.value_heads / args.key_heads);
    const bool inside = column < dv;
    float *const tile = shared<float>(), *const q = tile + dk * warp_size, *const k = q + dk, *const room = k + dk;
    float* const state = s.state + args.state + std::size_t(head) * dk * dv + column;
    for (int i = warp(); i < dk; i += delta_warps) tile[i * warp_size + lane()] = inside ? state[std::size_t(i) * dv] : 0;
    for (int r = s.first_row; r < s.first_row + s.rows; ++r) {
        const float* const row = args.qkv.data + std::size_t(r) * args.qkv.cols;
        __syncthreads();  // q and k of the row before are read
        if (warp() < 2) {
            const float* const from = row + std::size_t(warp() * args.key_heads + key_head) * dk;
            const float factor = unit(from, dk, warp() == 0 ? 1 / sqrtf(float(dk)) : 1);
            for (int i = lane(); i < dk; i += warp_size) (warp() == 0 ? q : k)[i] = from[i] * factor;
        }
        __syncthreads();
        const std::size_t at = std::size_t(r) * args.value_heads + head;
        const float decay = expf(args.a[head] * softplus(args.alpha.data[at] + args.dt_bias[head])), beta = sigmoid(args.beta.data[at]);
        const float v = inside ? row[std::size_t(2 * args.key_heads) * dk + std::size_t(head) * dv + column] : 0;
        float known = 0, out = 0;
        for (int i = warp(); i < dk; i += delta_warps) {
            float& value = tile[i * warp_size + lane()];
            value *= decay;
            known = fmaf(value, k[i], known);
        }
        const float delta = beta * (v - over_warps(known, room));
        for (int i = warp(); i < dk; i += delta_warps) {
            float& value = tile[i * warp_size + lane()];
            value = fmaf(k[i], delta, value);
            out = fmaf(value, q[i], out);
        }
        out = over_warps(out, room);
        if (warp() == 0 && inside) args.out.data[std::size_t(r) * args.out.cols + std::size_t(head) * dv + column] = out;
    }
    for (int i = warp(); i < dk; i += delta_warps)
        if (inside) state[std::size_t(i) * dv] = tile[i * warp_size + lane()];
}

constexpr int scan_warps = 8;  // a warp has one of a head's P rows of the state

// grid (rows of the state, heads, sequences)
__global__ void __launch_bounds__(scan_warps * warp_size) scan_kernel(ScanArgs args, Sequences sequences) {
    const SequenceRows& s = sequences.of[blockIdx.z];
    const int p = args.head_dim, n = args.state_size, head = int(blockIdx.y), i = int(blockIdx.x) * scan_warps + warp();
    if (i >= p) return;
    float* const tile = shared<float>() + warp() * n;  // lanes read what they wrote
    float* const state = s.state + args.state + (std::size_t(head) * p + i) * n;
    for (int j = lane(); j < n; j += warp_size) tile[j] = state[j];
    for (int r = s.first_row; r < s.first_row + s.rows; ++r) {
        const float* const row = args.xbc.data + std::size_t(r) * args.xbc.cols;
        const float x = row[std::size_t(head) * p + i];
        const float* const b = row + std::size_t(args.heads) * p + std::size_t(head * args.groups / args.heads) * n;
        const float* const c = b + std::size_t(args.groups) * n;
        const float step = softplus(args.dt.data[std::size_t(r) * args.dt.cols + head] + args.dt_bias[head]), decay = expf(step * args.a[head]), in = step * x;
        float sum = 0;
        for (int j = lane(); j < n; j += warp_size) {
            tile[j] = tile[j] * decay + in * b[j];
            sum = fmaf(tile[j], c[j], sum);
        }
        sum = warp_sum(sum);
        if (lane() == 0) args.out.data[std::size_t(r) * args.out.cols + std::size_t(head) * p + i] = sum + args.d[head] * x;
    }
    for (int j = lane(); j < n; j += warp_size) state[j] = tile[j];
}

}  // namespace

void convolve(const ConvArgs& args, Exec&) {
    each_sequences(args.sequences, args.n_sequences, [&](const Sequences& some) {
        launch("convolve", convolve_kernel, dim3(parts(std::size_t(args.x.cols), channels), unsigned(some.n)), channels, 0, args, some);
    });
}

void gated_delta(const DeltaArgs& args, Exec&) {
    const std::size_t room = (std::size_t(args.key_dim) * (warp_size + 2) + delta_warps * warp_size) * sizeof(float);
    each_sequences(args.sequences, args.n_sequences, [&](const Sequences& some) {
        launch("gated_delta", delta_kernel, dim3(parts(std::size_t(args.value_dim), warp_size), unsigned(args.value_heads), unsigned(some.n)), delta_warps * warp_size, room, args, some);
    });
}

void selective_scan(const ScanArgs& args, Exec&) {
    const std::size_t room = std::size_t(args.state_size) * scan_warps * sizeof(float);
    each_sequences(args.sequences, args.n_sequences, [&](const Sequences& some) {
        launch("selective_scan", scan_kernel, dim3(parts(std::size_t(args.head_dim), scan_warps), unsigned(args.heads), unsigned(some.n)), scan_warps * warp_size, room, args, some);
    });
}

}  // namespace engine::cuda
