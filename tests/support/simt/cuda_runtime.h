// As much of CUDA as the kernels of engine/cuda use, for a C++ compiler: the same sources run on the CPU in tests. It is found by its
// include path in place of the toolkit's. simt.cpp runs the threads of a block as fibers, which change at barriers and at operations of
// a warp alone, and blocks one after another.
//
// Caught, and told as the error of the launch: a barrier or an operation of a warp that some of its threads never reach, lanes that
// disagree about the operation or its mask, a lane read that takes no part, more threads or shared memory than the hardware has, writes
// beyond the shared memory asked for. Shared memory begins as NaN in every block. What cudaMalloc gave ends at a page that faults.
// Not caught: races between barriers (threads run one after another, so an order that no hardware promises may look right), what the
// memory model leaves open, banks, occupancy, time, host code that reads device memory. Mathematical functions are the C library's.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __host__
#define __shared__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct alignas(16) float4 {
    float x, y, z, w;
};

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2, cudaErrorInvalidConfiguration = 9, cudaErrorLaunchFailure = 719 };
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice, cudaMemcpyDefault };
using cudaStream_t = void*;
inline const cudaStream_t cudaStreamPerThread = nullptr;
struct cudaLaunchAttribute;
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    std::size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute* attrs;
    unsigned numAttrs;
};

namespace simt {

enum class Warp : std::uint8_t { sync, shuffle, ballot };
// What every lane of `mask` gets of its warp: the value of lane `from`, or the lanes whose value is not 0.
std::uint64_t together(Warp operation, unsigned mask, std::uint64_t value, unsigned from);
void barrier();
cudaError_t run(const cudaLaunchConfig_t& config, const std::function<void()>& kernel);

template <class T>
T shuffle(unsigned mask, T value, unsigned from) {
    static_assert(sizeof(T) <= 8);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = together(Warp::shuffle, mask, bits, from);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
unsigned lane();

}  // namespace simt

extern dim3 threadIdx, blockIdx, gridDim, blockDim;  // of the thread that runs

inline void __syncthreads() { simt::barrier(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { simt::together(simt::Warp::sync, mask, 0, 0); }
template <class T>
T __shfl_sync(unsigned mask, T value, int from) {
    return simt::shuffle(mask, value, unsigned(from) % 32);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int with) {
    return simt::shuffle(mask, value, simt::lane() ^ unsigned(with));
}
inline unsigned __ballot_sync(unsigned mask, int predicate) { return unsigned(simt::together(simt::Warp::ballot, mask, predicate != 0, 0)); }
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }

inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __dp4a(int a, int b, int sum) {
    for (int i = 0; i < 32; i += 8) sum += int(std::int8_t(a >> i)) * int(std::int8_t(b >> i));
    return sum;
}
template <class T>
T __ldg(const T* p) {
    return *p;
}
template <class T>
T atomicAdd(T* p, T value) {
    const T old = *p;
    *p = old + value;
    return old;
}
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }

cudaError_t cudaMalloc(void** out, std::size_t bytes);
cudaError_t cudaFree(void* p);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream = nullptr);
inline cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) { return cudaMemcpyAsync(to, from, bytes, kind); }
cudaError_t cudaMemsetAsync(void* at, int byte, std::size_t bytes, cudaStream_t stream = nullptr);
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* all);
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
const char* cudaGetErrorString(cudaError_t error);

template <class... P, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(P...), A&&... args) {
    return simt::run(*config, [&] { kernel(P(args)...); });
}
