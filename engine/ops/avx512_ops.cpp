#include "engine/ops/simd_targets.h"

#if defined(__x86_64__)

#include "engine/ops/kernels.avx512.h"
#include "engine/ops/packed_ops.h"

namespace engine {
namespace {

constexpr packed::Kernels kKernels = {
    .quantise_blocks = avx512::quantise_blocks,
    .scratch_bytes = avx512::scratch_bytes,
    .matmul_int8 = avx512::matmul_int8,
    .matmul_float = avx512::matmul_float,
    .to_bf16 = avx512::to_bf16,
    .matmul_bf16 = avx512::matmul_bf16,
    .rms_norm = avx512::rms_norm,
    .layer_norm = avx512::layer_norm,
    .activate = avx512::activate,
    .gelu = avx512::gelu,
    .add_scaled = avx512::add_scaled,
    .rope = avx512::rope,
    .attend_span_bytes = avx512::attend_span_bytes,
    .attend_span = avx512::attend_span,
    .attend_join = avx512::attend_join,
    .tile_rows = 32,
    .attend_tile_bytes = avx512::attend_tile_bytes,
    .attend_tile = avx512::attend_tile,
    .delta_head = avx512::delta_head,
    .delta_chunk = avx512::delta_chunk,
    .scan_head = avx512::scan_head,
    .convolve_row = avx512::convolve_row,
    .peak = avx512::peak,
};

}  // namespace

const Ops* avx512_ops(bool exact) {
    using Table = packed::PackedOps<kKernels>;
    static const Ops fast_table = Table::table<false>("avx512"), exact_table = Table::table<true>("avx512");
    return exact ? &exact_table : &fast_table;
}

std::string avx512_missing() {
    __builtin_cpu_init();
    std::string missing;
    auto need = [&](bool there, const char* name) {
        if (!there) missing += (missing.empty() ? "" : ", ") + std::string(name);
    };
    need(__builtin_cpu_supports("avx512f"), "avx512f");
    need(__builtin_cpu_supports("avx512bw"), "avx512bw");
    need(__builtin_cpu_supports("avx512dq"), "avx512dq");
    need(__builtin_cpu_supports("avx512vl"), "avx512vl");
    need(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
    need(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
    need(__builtin_cpu_supports("fma"), "fma");
    return missing;
}

}  // namespace engine

#else

namespace engine {

const Ops* avx512_ops(bool) { return nullptr; }
std::string avx512_missing() { return "an x86-64 processor"; }

}  // namespace engine

#endif
