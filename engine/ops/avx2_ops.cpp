#include "engine/ops/simd_targets.h"

#if defined(__x86_64__)

#include <cpuid.h>

#include "engine/ops/kernels.avx2.h"
#include "engine/ops/packed_ops.h"

namespace engine {
namespace {

constexpr packed::Kernels kKernels = {
    .quantise_blocks = avx2::quantise_blocks,
    .scratch_bytes = avx2::scratch_bytes,
    .matmul_int8 = avx2::matmul_int8,
    .matmul_float = avx2::matmul_float,
    .to_bf16 = nullptr,
    .matmul_bf16 = nullptr,
    .rms_norm = avx2::rms_norm,
    .layer_norm = avx2::layer_norm,
    .activate = avx2::activate,
    .gelu = avx2::gelu,
    .add_scaled = avx2::add_scaled,
    .rope = avx2::rope,
    .attend_span_bytes = avx2::attend_span_bytes,
    .attend_span = avx2::attend_span,
    .attend_join = avx2::attend_join,
    .tile_rows = 16,
    .attend_tile_bytes = avx2::attend_tile_bytes,
    .attend_tile = avx2::attend_tile,
    .delta_head = avx2::delta_head,
    .delta_chunk = avx2::delta_chunk,
    .scan_head = avx2::scan_head,
    .convolve_row = avx2::convolve_row,
    .peak = avx2::peak,
};

}  // namespace

const Ops* avx2_ops(bool exact) {
    using Table = packed::PackedOps<kKernels>;
    static const Ops fast_table = Table::table<false>("avx2"), exact_table = Table::table<true>("avx2");
    return exact ? &exact_table : &fast_table;
}

std::string avx2_missing() {
    __builtin_cpu_init();
    std::string missing;
    auto need = [&](bool there, const char* name) {
        if (!there) missing += (missing.empty() ? "" : ", ") + std::string(name);
    };
    need(__builtin_cpu_supports("avx2"), "avx2");
    need(__builtin_cpu_supports("fma"), "fma");
    unsigned a = 0, b = 0, c = 0, d = 0;  // clang 14's __builtin_cpu_supports does not know the word
    need(__get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C), "f16c");
    return missing;
}

}  // namespace engine

#else

namespace engine {

const Ops* avx2_ops(bool) { return nullptr; }
std::string avx2_missing() { return "an x86-64 processor"; }

}  // namespace engine

#endif
