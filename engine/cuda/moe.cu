// Mixtures of experts: the router's choice in one launch, gate, up and their activation over (row's expert, outputs) in one, down, the
// weighted sum and the residual in one. Nothing comes back to the host between them.
#include "engine/cuda/activated.cuh"
#include "engine/cuda/kernels.h"
#include "engine/cuda/matrix.cuh"

namespace engine::cuda {
namespace {

constexpr int warps = 8;

struct Best {
    double value;
    int index;
};

// The largest of n, the lowest index first; by a warp. Absent ones are -INFINITY.
__device__ Best warp_best(const double* values, int n) {
    Best best{-INFINITY, n};
    for (int i = lane(); i < n; i += warp_size)
        if (best.index == n || values[i] > best.value) best = {values[i], i};
    for (int with = warp_size / 2; with > 0; with /= 2) {
        const double value = __shfl_xor_sync(all_lanes, best.value, with);
        const int index = __shfl_xor_sync(all_lanes, best.index, with);
        if (index < n && (best.index == n || value > best.value || (value == best.value && index < best.index))) best = {value, index};
    }
    return best;
}

__device__ double warp_total(double v) {
    for (int with = warp_size / 2; with > 0; with /= 2) v += __shfl_xor_sync(all_lanes, v, with);
    return v;
}

// Closes the experts of all groups but the best. best: room for a number a group.
__device__ void close_groups(const RouteArgs& args, double* preference, double* best) {
    const int size = args.logits.cols / args.groups;
    for (int g = lane(); g < args.groups; g += warp_size) {
        double first = -INFINITY, second = -INFINITY;
        for (int e = g * size; e < (g + 1) * size; ++e) {
            second = fmax(second, fmin(first, preference[e]));
            first = fmax(first, preference[e]);
        }
        best[g] = -(first + (size > 1 ? second : 0));  // turned, so that the worst are the largest
    }
    __syncwarp();
    for (int n = args.groups_used; n < args.groups; ++n) {
        const int worst = warp_best(best, args.groups).index;
        for (int e = lane(); e < size; e += warp_size) preference[worst * size + e] = -INFINITY;
        if (lane() == 0) best[worst] = -INFINITY;
        __syncwarp();
    }
}

// A warp a row. In double, as ref: experts that lie close must be told apart alike.
__global__ void route_kernel(RouteArgs args) {
    const int experts = args.logits.cols;
    double *const score = shared<double>(), *const preference = score + experts;
    const float* const in = args.logits.data + std::size_t(blockIdx.x) * experts;
    float largest = -INFINITY;
    for (int e = lane(); e < experts; e += warp_size) largest = fmaxf(largest, in[e]);
    largest = warp_max(largest);
    double total = 0;
    for (int e = lane(); e < experts; e += warp_size) total += exp(double(in[e]) - largest);
    total = warp_total(total);
    for (int e = lane(); e < experts; e += warp_size) {
        score[e] = args.sigmoid ? 1 / (1 + exp(-double(in[e]))) : exp(double(in[e]) - largest) / total;
        preference[e] = args.bias ? score[e] + args.bias[e] : args.sigmoid ? score[e] : double(in[e]);
    }
    __syncwarp();
    if (args.groups > 1) close_groups(args, preference, preference + experts);
    std::int32_t* const ids = args.chosen + std::size_t(blockIdx.x) * args.used;
    float* const to = args.weights + std::size_t(blockIdx.x) * args.used;
    double sum = 0;
    for (int k = 0; k < args.used; ++k) {
        const int best = warp_best(preference, experts).index;
        if (lane() == 0) ids[k] = best, preference[best] = -INFINITY;
        sum += score[best];
        __syncwarp();
    }
    for (int k = lane(); k < args.used; k += warp_size)
        to[k] = float(score[ids[k]] / (args.normalise ? sum : 1.0) * args.scale * (args.expert_scale ? args.expert_scale[ids[k]] : 1.0f));
}

struct Experts {
    Matrix gate, up, down;
    MoeArgs args;
    float* hidden = nullptr;  // (n * used, inner)
};

// blockIdx.y: which expert of which row; a warp an output of it.
template <Format G, Format U>
__global__ void __launch_bounds__(warps * warp_size) gate_up_kernel(Experts x, const Tables* t) {
    const int inner = x.gate.w.rows, i = int(blockIdx.x) * warps + warp();
    if (i >= inner) return;
    const std::size_t slot = blockIdx.y;
    const int e = x.args.chosen[slot];
    const float* const in = x.args.x.data + slot / std::size_t(x.args.used) * std::size_t(x.args.x.cols);
    float gate[1], up[1];
    dots<G>(x.gate, e, i, in, 0, *t, gate);
    dots<U>(x.up, e, i, in, 0, *t, up);
    if (lane() != 0) return;
    const std::size_t at = std::size_t(e) * inner + i;
    if (x.args.gate_bias) gate[0] += x.args.gate_bias[at];
    if (x.args.up_bias) up[0] += x.args.up_bias[at];
    x.hidden[slot * std::size_t(inner) + i] = activated(x.args.activation, gate[0], up[0]);
}

template <Format D>
__global__ void __launch_bounds__(warps * warp_size) down_kernel(Experts x, const Tables* t) {
    const int o = int(blockIdx.x) * warps + warp(), inner = x.gate.w.rows, cols = x.args.out.cols;
    if (o >= cols) return;
    float sum = 0;
    for (int k = 0; k < x.args.used; ++k) {
        const std::size_t slot = std::size_t(blockIdx.y) * x.args.used + k;
        const int e = x.args.chosen[slot];
        float down[1];
        dots<D>(x.down, e, o, x.hidden + slot * std::size_t(inner), 0, *t, down);
        if (x.args.down_bias) down[0] += x.args.down_bias[std::size_t(e) * cols + o];
        sum = fmaf(x.args.weights[slot], down[0], sum);
    }
    if (lane() == 0) x.args.out.data[std::size_t(blockIdx.y) * cols + o] += sum;
}

}  // namespace

void moe_route(const RouteArgs& args, Exec&) {
    const std::size_t room = (std::size_t(args.logits.cols) * 2 + std::size_t(args.groups)) * sizeof(double);
    launch("moe_route", route_kernel, unsigned(args.logits.rows), warp_size, room, args);
}

void moe_ffn(const MoeArgs& args, Exec& exec) {
    if (args.supply) throw std::logic_error("experts that come and go are not computed on CUDA");
    if (args.gate.format != args.up.format) throw std::logic_error("gate and up of one format are wanted on CUDA");
    const Taken taken(*exec.scratch);
    constexpr int most = 512;  // rows of one launch: bounds the scratch, and y stays within what a grid may have
    const int inner = args.gate.rows, n = args.x.rows < most ? args.x.rows : most;
    float* const hidden = exec.scratch->take<float>(std::size_t(n) * args.used * inner);
    for (int r = 0; r < args.x.rows; r += most) {
        MoeArgs part = args;
        const int rows = args.x.rows - r < most ? args.x.rows - r : most;
        part.x = {args.x.row(r), rows, args.x.cols};
        part.out = {args.out.row(r), rows, args.out.cols};
        part.chosen += std::size_t(r) * args.used;
        part.weights += std::size_t(r) * args.used;
        const Experts x{matrix(args.gate), matrix(args.up), matrix(args.down), part, hidden};
        with_format(args.gate.format, [&]<Format F>() {
            launch("moe gate and up", gate_up_kernel<F, F>, dim3(parts(std::size_t(inner), warps), unsigned(rows * args.used)), warps * warp_size, 0, x, tables());
        });
        with_format(args.down.format, [&]<Format F>() {
            launch("moe down", down_kernel<F>, dim3(parts(std::size_t(args.out.cols), warps), unsigned(rows)), warps * warp_size, 0, x, tables());
        });
    }
}

}  // namespace engine::cuda
