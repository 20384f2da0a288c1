// Operations on rows: norms, activations, sums and scales, rope. A block a row where the row has a sum, else threads in a line.
#include "engine/cuda/activated.cuh"
#include "engine/cuda/kernels.h"

namespace engine::cuda {
namespace {

constexpr int row_threads = 256, row_warps = row_threads / warp_size;

// Of the whole block; room: a float a warp. All threads come here.
__device__ float block_sum(float v, float* room) {
    v = warp_sum(v);
    __syncthreads();  // room may still be read
    if (lane() == 0) room[warp()] = v;
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < row_warps; ++i) sum += room[i];
    return sum;
}

// A row is one of `groups` parts, which have their own part of w one after another.
__global__ void rms_norm_kernel(float* out, const float* x, const float* w, int groups, float eps, int cols) {
    const float* const in = x + std::size_t(blockIdx.x) * cols;
    float* const to = out + std::size_t(blockIdx.x) * cols;
    float sum = 0;
    for (int c = int(threadIdx.x); c < cols; c += row_threads) sum = fmaf(in[c], in[c], sum);
    const float factor = 1 / sqrtf(block_sum(sum, shared<float>()) / float(cols) + eps);
    const float* const of_row = w ? w + std::size_t(blockIdx.x) % std::size_t(groups) * std::size_t(cols) : nullptr;
    for (int c = int(threadIdx.x); c < cols; c += row_threads) to[c] = in[c] * factor * (of_row ? of_row[c] : 1.0f);
}

__global__ void layer_norm_kernel(float* out, const float* x, const float* w, const float* b, float eps, int cols) {
    const float* const in = x + std::size_t(blockIdx.x) * cols;
    float* const to = out + std::size_t(blockIdx.x) * cols;
    float sum = 0, squares = 0;
    for (int c = int(threadIdx.x); c < cols; c += row_threads) sum += in[c];
    const float mean = block_sum(sum, shared<float>()) / float(cols);
    for (int c = int(threadIdx.x); c < cols; c += row_threads) squares = fmaf(in[c] - mean, in[c] - mean, squares);
    const float factor = 1 / sqrtf(block_sum(squares, shared<float>()) / float(cols) + eps);
    for (int c = int(threadIdx.x); c < cols; c += row_threads) to[c] = (in[c] - mean) * factor * w[c] + b[c];
}

// value(i) of n, in a line.
__device__ std::size_t nth() { return std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; }

__global__ void activate_kernel(float* out, const float* gate, const float* up, Activation activation, std::size_t n) {
    if (const std::size_t i = nth(); i < n) out[i] = activated(activation, gate[i], up[i]);
}

// In double: the complement's relative error grows with the square of x.
__global__ void gelu_kernel(float* x, std::size_t n) {
    if (const std::size_t i = nth(); i < n) x[i] = float(0.5 * double(x[i]) * erfc(-double(x[i]) * 0.70710678118654752440));
}

__global__ void add_scaled_kernel(float* out, const float* x, float factor, std::size_t n) {
    if (const std::size_t i = nth(); i < n) out[i] = fmaf(factor, x[i], out[i]);
}

__global__ void scale_kernel(float* x, float factor, std::size_t n) {
    if (const std::size_t i = nth(); i < n) x[i] *= factor;
}

__global__ void scale_rows_kernel(float* x, const float* gate, int cols, int gate_cols, std::size_t n) {
    if (const std::size_t i = nth(); i < n) x[i] *= sigmoid(gate[i / std::size_t(cols) * std::size_t(gate_cols)]);
}

__global__ void softcap_kernel(float* x, float cap, std::size_t n) {
    if (const std::size_t i = nth(); i < n) x[i] = cap * tanhf(x[i] / cap);
}

__global__ void subtract_row_kernel(float* x, const float* row, int cols, std::size_t n) {
    if (const std::size_t i = nth(); i < n) x[i] -= row[i % std::size_t(cols)];
}

// x: already its first column that is copied.
__global__ void copy_columns_kernel(float* out, int out_cols, const float* x, int x_cols, int columns, std::size_t n) {
    const std::size_t i = nth(), wide = std::size_t(columns);
    if (i < n) out[i / wide * std::size_t(out_cols) + i % wide] = x[i / wide * std::size_t(x_cols) + i % wide];
}

__global__ void gather_rows_kernel(float* out, const float* x, const std::int32_t* rows, int cols, std::size_t n) {
    const std::size_t i = nth(), wide = std::size_t(cols);
    if (i < n) out[i] = x[std::size_t(rows[i / wide]) * wide + i % wide];
}

// A block a row; a thread turns the same pair of every head, so that the angle is worked out once.
__global__ void rope_kernel(float* x, RopeArgs args, int cols) {
    float* const row = x + std::size_t(blockIdx.x) * cols;
    const int half = args.dim / 2;
    for (int i = int(threadIdx.x); i < half; i += int(blockDim.x)) {
        const float angle = float(args.positions[blockIdx.x]) * args.inverse_frequencies[i];
        const float c = cosf(angle) * args.magnitude, s = sinf(angle) * args.magnitude;
        const int first = args.neox ? i : 2 * i, second = args.neox ? i + half : 2 * i + 1;
        for (float* head = row; head < row + cols; head += args.head_dim) {
            const float a = head[first], b = head[second];
            head[first] = a * c - b * s;
            head[second] = a * s + b * c;
        }
    }
}

std::size_t size_of(Mat m) { return std::size_t(m.rows) * std::size_t(m.cols); }

// A thread a value of m.
template <class Kernel, class... A>
void line(const char* name, Kernel kernel, Mat m, A... args) {
    launch(name, kernel, parts(size_of(m), row_threads), row_threads, 0, args..., size_of(m));
}

}  // namespace

void rms_norm(Mat out, Mat x, const float* w, float eps, Exec&) {
    launch("rms_norm", rms_norm_kernel, unsigned(x.rows), row_threads, row_warps * sizeof(float), out.data, x.data, w, 1, eps, x.cols);
}

void group_norm(Mat out, Mat x, const float* w, int groups, float eps, Exec&) {
    launch("group_norm", rms_norm_kernel, unsigned(x.rows * groups), row_threads, row_warps * sizeof(float), out.data, x.data, w, groups, eps, x.cols / groups);
}

void layer_norm(Mat out, Mat x, const float* w, const float* b, float eps, Exec&) {
    launch("layer_norm", layer_norm_kernel, unsigned(x.rows), row_threads, row_warps * sizeof(float), out.data, x.data, w, b, eps, x.cols);
}

void activate(Mat out, Mat gate, Mat up, Activation activation, Exec&) { line("activate", activate_kernel, out, out.data, gate.data, up.data, activation); }

void gelu(Mat x, Exec&) { line("gelu", gelu_kernel, x, x.data); }

void add_scaled(Mat out, Mat x, float factor, Exec&) { line("add_scaled", add_scaled_kernel, out, out.data, x.data, factor); }

void scale(Mat x, float factor, Exec&) { line("scale", scale_kernel, x, x.data, factor); }

void scale_rows(Mat x, Mat gate, Exec&) { line("scale_rows", scale_rows_kernel, x, x.data, gate.data, x.cols, gate.cols); }

void softcap(Mat x, float cap, Exec&) { line("softcap", softcap_kernel, x, x.data, cap); }

void subtract_row(Mat x, const float* row, Exec&) { line("subtract_row", subtract_row_kernel, x, x.data, row, x.cols); }

void copy_columns(Mat out, int at, Mat x, int from, int columns, Exec&) {
    line("copy_columns", copy_columns_kernel, {nullptr, x.rows, columns}, out.data + at, out.cols, x.data + from, x.cols, columns);
}

void gather_rows(Mat out, Mat x, const std::int32_t* rows, Exec&) { line("gather_rows", gather_rows_kernel, out, out.data, x.data, rows, x.cols); }

void clear(Mat x, Exec&) { check(cudaMemsetAsync(x.data, 0, size_of(x) * sizeof(float), stream), "clear"); }

void rope(Mat x, const RopeArgs& args, Exec&) { launch("rope", rope_kernel, unsigned(x.rows), 64, 0, x.data, args, x.cols); }

}  // namespace engine::cuda
