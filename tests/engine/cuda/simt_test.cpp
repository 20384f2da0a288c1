// The emulator itself: what it computes, and the faults that it must find.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/cuda/device.cuh"

using namespace engine::cuda;

namespace {

void places(int* out) { out[(blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x]++; }

void reverse(int* out) {
    int* const room = shared<int>();
    room[threadIdx.x] = int(threadIdx.x);
    __syncthreads();
    out[threadIdx.x] = room[blockDim.x - 1 - threadIdx.x];
}

void warp_words(float* sum, unsigned* odd, int* from) {
    sum[threadIdx.x] = warp_sum(float(threadIdx.x));
    odd[threadIdx.x] = __ballot_sync(all_lanes, int(threadIdx.x % 2));
    if (lane() < 16) from[threadIdx.x] = __shfl_sync(0xffff, int(threadIdx.x), 3);  // the others meanwhile
    else from[threadIdx.x] = __shfl_sync(0xffff0000u, int(threadIdx.x), 20);
}

void first_word(float* out) { *out = shared<float>()[0]; }
void partly_at_a_barrier(int) {
    if (threadIdx.x < 40) __syncthreads();
}
void warp_at_a_barrier(int) {
    if (threadIdx.x < 32) __syncthreads();
    else __syncwarp();
    if (threadIdx.x >= 32) __syncwarp();
}
void lanes_missing(int) {
    if (lane() != 5) __shfl_xor_sync(all_lanes, 1, 1);
}
void lane_outside_its_mask(int) { __shfl_sync(0xff, 1, 0); }
void reads_absent_lane(int) {
    if (lane() < 8) __shfl_sync(0xff, 1, 9);
}
void different_operations(int) {
    if (lane() < 8) __shfl_sync(all_lanes, 1, 0);
    else __ballot_sync(all_lanes, 1);
}
void lanes_disagree(int) {
    if (lane() < 8) __syncwarp(all_lanes);
    else __syncwarp(0xffffff00u);
}
void all_lanes_meet(int) { __syncwarp(); }
void beyond_shared(int) { shared<char>()[64 + threadIdx.x] = 1; }

template <class... P, class... A>
std::string fault_of(void (*kernel)(P...), unsigned threads, std::size_t room, A... args) {
    try {
        launch("kernel", kernel, 1, threads, room, args...);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return "";
}

}  // namespace

TEST(Simt, EveryThreadOfEveryBlockRunsOnce) {
    std::vector<int> out(3 * 2 * 70);
    launch("places", places, dim3(3, 2), 70, 0, out.data());
    EXPECT_EQ(out, std::vector<int>(out.size(), 1));
}

TEST(Simt, BarriersAndWarpsExchangeValues) {
    std::vector<int> turned(1024);
    launch("reverse", reverse, 1, 1024, 1024 * sizeof(int), turned.data());
    for (int i = 0; i < 1024; ++i) EXPECT_EQ(turned[std::size_t(i)], 1023 - i);
    std::vector<float> sum(64);
    std::vector<unsigned> odd(64);
    std::vector<int> from(64);
    launch("warp words", warp_words, 1, 64, 0, sum.data(), odd.data(), from.data());
    for (std::size_t i = 0; i < 64; ++i) {
        EXPECT_EQ(sum[i], i < 32 ? 496 : 1520);
        EXPECT_EQ(odd[i], 0xaaaaaaaau);
        EXPECT_EQ(from[i], int(i / 32 * 32 + (i % 32 < 16 ? 3 : 20)));
    }
}

TEST(Simt, SharedMemoryBeginsAsNan) {
    float first = 0;
    launch("first word", first_word, 1, 1, 64, &first);
    EXPECT_TRUE(std::isnan(first));
}

TEST(Simt, FaultsAreTold) {
    const auto holds = [](const std::string& told, const char* words) { EXPECT_NE(told.find(words), std::string::npos) << told; };
    holds(fault_of(partly_at_a_barrier, 64, 0, 0), "thread (0, 0, 0) of block (0, 0, 0) waits at a barrier that thread (40, 0, 0)");
    holds(fault_of(warp_at_a_barrier, 64, 0, 0), "waits at a barrier that");
    holds(fault_of(lanes_missing, 32, 0, 0), "waits in an operation of its warp that thread (5, 0, 0)");
    holds(fault_of(lane_outside_its_mask, 32, 0, 0), "whose mask leaves it out");
    holds(fault_of(reads_absent_lane, 32, 0, 0), "reads lane 9, which takes no part");
    holds(fault_of(different_operations, 32, 0, 0), "different operations");
    holds(fault_of(lanes_disagree, 32, 0, 0), "waits in an operation of its warp that thread (8, 0, 0)");
    holds(fault_of(all_lanes_meet, 20, 0, 0), "lanes that the block does not have");
    holds(fault_of(beyond_shared, 32, 64, 0), "byte 64 of shared memory was written, 64 were asked for");
    holds(fault_of(partly_at_a_barrier, 1025, 0, 0), "invalid configuration");
    holds(fault_of(partly_at_a_barrier, 32, std::size_t(49) << 10, 0), "invalid argument");
    EXPECT_EQ(fault_of(partly_at_a_barrier, 40, 0, 0), "");  // and the device goes on
}

TEST(SimtDeathTest, ReadsBeyondAnAllocationFault) {
    void* p = nullptr;
    ASSERT_EQ(cudaMalloc(&p, 256), cudaSuccess);
    [[maybe_unused]] static volatile unsigned char seen;
    seen = static_cast<unsigned char*>(p)[255];
    EXPECT_DEATH(seen = static_cast<unsigned char*>(p)[256], "");
    EXPECT_EQ(cudaFree(p), cudaSuccess);
    EXPECT_EQ(cudaFree(&p), cudaErrorInvalidValue);
}
