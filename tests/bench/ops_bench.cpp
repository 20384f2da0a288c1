// Speed of the matrix products of the default model's and a mixture of experts' shapes: GB/s of weights
// for one row beside a plain load loop of the same run, GOP/s for many rows beside the int8 peak.
//
//   ops_bench [threads=1]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "engine/model/weights.h"
#include "engine/ops/ops.h"

using namespace engine;

double int8_operations(long rounds, int* result);

namespace {

constexpr std::size_t kColdBytes = 256 << 20;  // more than the caches hold

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Shape {
    int rows, cols;
    Format format;
};
constexpr Shape kShapes[] = {
    {896, 896, Format::q5_0},     {4864, 896, Format::q5_0},  {896, 4864, Format::q4_k}, {896, 4864, Format::q6_k},
    {151936, 896, Format::q8_0},  {512, 1024, Format::q4_0},  {1024, 512, Format::q4_0}, {512, 1024, Format::q4_k},
    {1024, 1024, Format::q4_1},   {1024, 1024, Format::q5_k}, {1024, 1024, Format::f16}, {49152, 1024, Format::q8_0},
    {1024, 1024, Format::mxfp4},  {1024, 1024, Format::int4}, {1024, 1024, Format::q3_k}, {1024, 1024, Format::fp8},
};

double load_loop(const std::uint8_t* data, std::size_t bytes, Pool& pool) {
    std::vector<std::uint64_t> sums(std::size_t(pool.threads()) * 8);
    const std::size_t each = bytes / std::size_t(pool.threads()) / 64 * 64;
    const double begin = now();
    auto part = [&](int item, int) {
        std::uint64_t sum[8] = {}, words[8];
        for (std::size_t i = std::size_t(item) * each; i < std::size_t(item + 1) * each; i += 64) {
            std::memcpy(words, data + i, 64);
            for (int j = 0; j < 8; ++j) sum[j] ^= words[j];
        }
        for (std::uint64_t s : sum) sums[std::size_t(item) * 8] ^= s;
    };
    pool.run(pool.threads(), part);
    const double seconds = now() - begin;
    if (sums[0] == 42) std::printf(" ");  // keeps the loop
    return double(each) * double(pool.threads()) / seconds / 1e9;
}

// Seconds of one product, the weights cold: matrix after matrix of the whole memory.
double product(const Ops& ops, const Shape& s, int n, const std::uint8_t* data, std::size_t bytes, std::size_t count, Exec& exec) {
    std::vector<float> x(std::size_t(n) * s.cols), out(std::size_t(n) * s.rows);
    std::mt19937 random(1);
    for (float& v : x) v = float(int(random() % 2001) - 1000) * 1e-3f;
    double best = 1e9;
    const std::size_t calls = std::min(count, std::max<std::size_t>(1, std::size_t(2e10 / (2.0 * n * s.rows * s.cols))));
    for (int round = 0; round < 3; ++round) {
        const double begin = now();
        for (std::size_t i = 0; i < calls; ++i) {
            const Weight w{s.format, Layout::panel16, s.rows, s.cols, data + i * bytes, bytes};
            const MatmulJob job{&w, {out.data(), n, s.rows}, nullptr, false};
            ops.matmul(&job, 1, {x.data(), n, s.cols}, exec);
        }
        best = std::min(best, (now() - begin) / double(calls));
    }
    return best;
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
    const Target best = targets(false).front();
    if (!best.available || best.name != "avx512") {
        std::printf("skipped: %s (%s)\n", best.name.c_str(), best.reason.c_str());
        return 0;
    }
    Pool pool(threads);
    int result = 0;
    double begin = now();
    const double operations = int8_operations(30'000'000, &result);
    const double peak = operations / (now() - begin) / 1e9 * threads;
    std::printf("%d threads, int8 peak %.0f GOP/s (of one core, times threads; check %d)\n", threads, peak, result);
    auto memory = HugeMemory::allocate(kColdBytes, "weights"), room = HugeMemory::allocate(64 << 20, "scratch");
    if (!memory || !room) return 1;
    std::memset(memory->data(), 0x11, kColdBytes);
    Scratch scratch(room->data(), room->size());
    Exec exec{&pool, &scratch};
    for (const Shape& s : kShapes) {
        const std::size_t packed = best.ops->packed_bytes(s.format, s.rows, s.cols);
        const std::size_t bytes = packed ? packed : row_bytes(s.format, std::size_t(s.cols)) * std::size_t(s.rows), count = kColdBytes / bytes;
        const double one = product(*best.ops, s, 1, memory->data(), bytes, count, exec);
        const double loop = load_loop(memory->data(), kColdBytes, pool), speed = double(bytes) / one / 1e9;
        std::printf("%-5s %6d x %-5d n=1: %5.1f GB/s (loop %5.1f, %3.0f %%)", info(s.format).name, s.rows, s.cols, speed, loop, 100 * speed / loop);
        for (int n : {4, 32, 128, 512}) {
            if (std::size_t(n) * std::size_t(s.rows) > (16u << 20)) continue;  // nobody wants all logits of a long prompt
            const double gops = 2.0 * n * s.rows * s.cols / product(*best.ops, s, n, memory->data(), bytes, count, exec) / 1e9;
            std::printf("  n=%d: %4.0f GOP/s (%2.0f %%)", n, gops, 100 * gops / peak);
        }
        std::printf("\n");
        std::fflush(stdout);
    }
    return 0;
}
