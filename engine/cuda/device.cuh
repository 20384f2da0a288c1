// What every kernel stands on: its launch, its shared memory, sums over a warp. A kernel is a plain function that launch() starts, so that
// a C++ compiler takes the same sources (tests/support/simt).
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

// The only name of the shared memory of a block, all of which is asked for at the launch.
extern __shared__ __align__(16) unsigned char hearth_shared[];

namespace engine::cuda {

constexpr int warp_size = 32;
constexpr unsigned all_lanes = 0xffffffffu;

template <class T>
__device__ inline T* shared() {
    return reinterpret_cast<T*>(hearth_shared);
}

inline void check(cudaError_t error, const char* what) {
    if (error != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(error));
}

// Of the CPU thread that calls.
inline const cudaStream_t stream = cudaStreamPerThread;

template <class... P, class... A>
void launch(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, std::size_t shared_bytes, A&&... args) {
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;  // no rows
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    check(cudaLaunchKernelEx(&config, kernel, static_cast<P>(args)...), name);
}

constexpr unsigned parts(std::size_t n, std::size_t of) { return unsigned((n + of - 1) / of); }

__device__ inline int lane() { return int(threadIdx.x % warp_size); }
__device__ inline int warp() { return int(threadIdx.x / warp_size); }

// Every lane gets the sum; in the same order whatever the launch.
__device__ inline float warp_sum(float v) {
    for (int with = warp_size / 2; with > 0; with /= 2) v += __shfl_xor_sync(all_lanes, v, with);
    return v;
}
__device__ inline float warp_max(float v) {
    for (int with = warp_size / 2; with > 0; with /= 2) v = fmaxf(v, __shfl_xor_sync(all_lanes, v, with));
    return v;
}

__device__ inline float sigmoid(float x) { return 1 / (1 + expf(-x)); }
__device__ inline float softplus(float x) { return x > 20 ? x : log1pf(expf(x)); }

}  // namespace engine::cuda
