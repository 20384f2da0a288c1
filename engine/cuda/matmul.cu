// Matrix products on plain weights: a warp makes an output of up to eight rows of x, so that a weight is read once for them.
#include "engine/cuda/kernels.h"
#include "engine/cuda/matrix.cuh"

namespace engine::cuda {
namespace {

constexpr int warps = 8;  // of a block, an output each

struct Product {
    Matrix m;
    Mat out, x;
    const float* bias = nullptr;
    bool accumulate = false;
};

template <Format F, int N>
__global__ void __launch_bounds__(warps * warp_size) matmul_kernel(Product p, int first, const Tables* t) {
    const int row = int(blockIdx.x) * warps + warp();
    if (row >= p.m.w.rows) return;
    const int r = first + int(blockIdx.y) * N;
    float sum[N];
    dots<F>(p.m, 0, row, p.x.data + std::size_t(r) * p.x.cols, std::size_t(p.x.cols), *t, sum);
    if (lane() != 0) return;
    for (int n = 0; n < N; ++n) {
        float& to = p.out.data[std::size_t(r + n) * p.out.cols + row];
        const float value = p.bias ? sum[n] + p.bias[row] : sum[n];
        to = p.accumulate ? to + value : value;
    }
}

template <Format F, int N>
void rows_of(const Product& p, int& first) {
    const int times = (p.x.rows - first) / N;
    launch("matmul", matmul_kernel<F, N>, dim3(parts(std::size_t(p.m.w.rows), warps), unsigned(times)), warps * warp_size, 0, p, first, tables());
    first += times * N;
}

template <Format F>
__global__ void embed_kernel(float* out, Matrix m, const std::int32_t* ids, const Tables* t) {
    Block const row = m.w.data + std::size_t(ids[blockIdx.x]) * m.row_bytes;
    float* const to = out + std::size_t(blockIdx.x) * m.w.cols;
    for (int c = int(threadIdx.x) * run_values; c < m.w.cols; c += int(blockDim.x) * run_values) {
        float run[run_values];
        decode_run<F>(row, c, m.w.cols, m.block_bytes, *t, run);
        for (int i = 0; i < run_values && c + i < m.w.cols; ++i) to[c + i] = run[i];
    }
}

}  // namespace

void matmul(const MatmulJob* jobs, int n_jobs, Mat x, Exec&) {
    for (const MatmulJob* job = jobs; job < jobs + n_jobs; ++job)
        with_format(job->w->format, [&]<Format F>() {
            const Product p{matrix(*job->w), job->out, x, job->bias, job->accumulate};
            int first = 0;
            rows_of<F, 8>(p, first);
            rows_of<F, 4>(p, first);
            rows_of<F, 1>(p, first);
        });
}

void embed(Mat out, const Weight& table, const std::int32_t* ids, Exec&) {
    with_format(table.format, [&]<Format F>() { launch("embed", embed_kernel<F>, unsigned(out.rows), 128, 0, out.data, matrix(table), ids, tables()); });
}

}  // namespace engine::cuda
