#include "engine/ops/simd_targets.h"

#if defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>

#include <initializer_list>
#include <utility>

#include "engine/ops/kernels.i8mm.h"
#include "engine/ops/kernels.neon.h"
#include "engine/ops/packed_ops.h"

namespace engine {
namespace {

constexpr packed::Kernels kNeon = {
    .quantise_blocks = neon::quantise_blocks,
    .scratch_bytes = neon::scratch_bytes,
    .matmul_int8 = neon::matmul_int8,
    .matmul_float = neon::matmul_float,
    .to_bf16 = nullptr,
    .matmul_bf16 = nullptr,
    .rms_norm = neon::rms_norm,
    .layer_norm = neon::layer_norm,
    .activate = neon::activate,
    .gelu = neon::gelu,
    .add_scaled = neon::add_scaled,
    .rope = neon::rope,
    .attend_span_bytes = neon::attend_span_bytes,
    .attend_span = neon::attend_span,
    .attend_join = neon::attend_join,
    .tile_rows = 16,
    .attend_tile_bytes = neon::attend_tile_bytes,
    .attend_tile = neon::attend_tile,
    .delta_head = neon::delta_head,
    .delta_chunk = neon::delta_chunk,
    .scan_head = neon::scan_head,
    .convolve_row = neon::convolve_row,
    .peak = neon::peak,
};

constexpr packed::Kernels with_i8mm(packed::Kernels k) {
    k.matmul_int8 = i8mm::matmul_int8;
    k.to_bf16 = i8mm::to_bf16;
    k.matmul_bf16 = i8mm::matmul_bf16;
    k.peak = i8mm::peak;
    return k;
}
constexpr packed::Kernels kI8mm = with_i8mm(kNeon);

std::string missing(std::initializer_list<std::pair<bool, const char*>> needed) {
    std::string out;
    for (const auto& [there, name] : needed)
        if (!there) out += (out.empty() ? "" : ", ") + std::string(name);
    return out;
}

}  // namespace

const Ops* neon_ops(bool exact) {
    using Table = packed::PackedOps<kNeon>;
    static const Ops fast_table = Table::table<false>("neon"), exact_table = Table::table<true>("neon");
    return exact ? &exact_table : &fast_table;
}

const Ops* i8mm_ops(bool exact) {
    using Table = packed::PackedOps<kI8mm>;
    static const Ops fast_table = Table::table<false>("i8mm"), exact_table = Table::table<true>("i8mm");
    return exact ? &exact_table : &fast_table;
}

std::string neon_missing() { return missing({{getauxval(AT_HWCAP) & HWCAP_ASIMDDP, "asimddp"}}); }

std::string i8mm_missing() {
    const unsigned long more = getauxval(AT_HWCAP2);
    return missing({{getauxval(AT_HWCAP) & HWCAP_ASIMDDP, "asimddp"}, {more & HWCAP2_I8MM, "i8mm"}, {more & HWCAP2_BF16, "bf16"}});
}

}  // namespace engine

#else

namespace engine {

const Ops* neon_ops(bool) { return nullptr; }
const Ops* i8mm_ops(bool) { return nullptr; }
std::string neon_missing() { return "an aarch64 processor"; }
std::string i8mm_missing() { return "an aarch64 processor"; }

}  // namespace engine

#endif
