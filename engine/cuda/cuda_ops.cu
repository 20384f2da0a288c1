#include "engine/cuda/cuda_ops.h"

#include "engine/cuda/cuda_device.h"
#include "engine/cuda/device.cuh"
#include "engine/cuda/kernels.h"

namespace engine {
namespace cuda {
namespace {

// A lane reads eight values of a row at a time and a warp reads a row's blocks one after another, so the file's own layout serves.
std::size_t packed_bytes(Format, int, int) { return 0; }
void pack(const Weight&, std::uint8_t*) {}

constexpr int peak_blocks = 264, peak_threads = 256, peak_sums = 8;

__global__ void float_peak_kernel(float* out, long rounds) {
    float sum[peak_sums];
    for (int i = 0; i < peak_sums; ++i) sum[i] = float(threadIdx.x);
    for (long r = 0; r < rounds; ++r)
        for (float& s : sum) s = fmaf(s, 0.5f, 1.0f);
    float all = 0;
    for (const float s : sum) all += s;
    if (all < 0) *out = all;  // never: keeps the sums
}

__global__ void int8_peak_kernel(float* out, long rounds) {
    int sum[peak_sums];
    for (int i = 0; i < peak_sums; ++i) sum[i] = int(threadIdx.x);
    for (long r = 0; r < rounds; ++r)
        for (int& s : sum) s = __dp4a(s, 0x01010101, 1);
    int all = 0;
    for (const int s : sum) all |= s;
    if (all == 0x7fffffff) *out = float(all);
}

// BF16 is computed in floats as long as no product is made on tensor cores.
double peak(Arithmetic arithmetic, long rounds) {
    const bool int8 = arithmetic == Arithmetic::int8;
    launch("peak", int8 ? int8_peak_kernel : float_peak_kernel, peak_blocks, peak_threads, 0, nullptr, rounds);
    check(cudaStreamSynchronize(stream), "peak");
    return double(rounds) * peak_blocks * peak_threads * peak_sums * (int8 ? 8 : 2);
}

}  // namespace
}  // namespace cuda

// Both profiles compute in floats.
const Ops& cuda_ops(bool) {
    static const Ops table = {
        .target = "cuda",
        .device = &cuda_device(),
        .packed_bytes = cuda::packed_bytes,
        .pack = cuda::pack,
        .embed = cuda::embed,
        .rms_norm = cuda::rms_norm,
        .group_norm = cuda::group_norm,
        .layer_norm = cuda::layer_norm,
        .matmul = cuda::matmul,
        .rope = cuda::rope,
        .kv_append = cuda::kv_append,
        .attention = cuda::attention,
        .convolve = cuda::convolve,
        .gated_delta = cuda::gated_delta,
        .selective_scan = cuda::selective_scan,
        .activate = cuda::activate,
        .gelu = cuda::gelu,
        .moe_route = cuda::moe_route,
        .moe_ffn = cuda::moe_ffn,
        .add_scaled = cuda::add_scaled,
        .scale = cuda::scale,
        .scale_rows = cuda::scale_rows,
        .softcap = cuda::softcap,
        .subtract_row = cuda::subtract_row,
        .copy_columns = cuda::copy_columns,
        .gather_rows = cuda::gather_rows,
        .clear = cuda::clear,
        .peak = cuda::peak,
    };
    return table;
}

}  // namespace engine
