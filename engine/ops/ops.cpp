#include "engine/ops/ops.h"

#include <stdexcept>

#include "engine/ops/ref.h"
#include "engine/ops/simd_targets.h"

namespace engine {

void* Scratch::take(std::size_t bytes) {
    const std::size_t rounded = (bytes + 63) / 64 * 64;
    if (rounded > size_ - used_)
        throw std::logic_error("scratch memory planned too small: " + std::to_string(used_ + rounded) + " of " +
                               std::to_string(size_) + " bytes wanted");
    void* out = data_ + used_;
    used_ += rounded;
    return out;
}

const Ops& ref_ops() {
    static const Ops table = {
        .target = "ref",
        .packed_bytes = ref::packed_bytes,
        .pack = ref::pack,
        .embed = ref::embed,
        .rms_norm = ref::rms_norm,
        .group_norm = ref::group_norm,
        .layer_norm = ref::layer_norm,
        .matmul = ref::matmul,
        .rope = ref::rope,
        .kv_append = ref::kv_append,
        .attention = ref::attention,
        .convolve = ref::convolve,
        .gated_delta = ref::gated_delta,
        .selective_scan = ref::selective_scan,
        .activate = ref::activate,
        .gelu = ref::gelu,
        .moe_route = ref::moe_route,
        .moe_ffn = ref::moe_ffn,
        .add_scaled = ref::add_scaled,
        .scale = ref::scale,
        .scale_rows = ref::scale_rows,
        .softcap = ref::softcap,
        .subtract_row = ref::subtract_row,
        .copy_columns = ref::copy_columns,
        .gather_rows = ref::gather_rows,
        .clear = ref::clear,
        .peak = ref::peak,
    };
    return table;
}

std::vector<Target> targets(bool exact) {
    std::vector<Target> out;
    const auto add = [&](const Ops* ops, const std::string& missing, const char* found) {
        if (ops) out.push_back({ops->target, ops, missing.empty(), missing.empty() ? found : "the processor lacks " + missing});
    };
    add(avx512_ops(exact), avx512_missing(), "AVX-512 with VNNI and BF16");
    add(avx2_ops(exact), avx2_missing(), "AVX2 with FMA and F16C");
    add(i8mm_ops(exact), i8mm_missing(), "NEON with I8MM and BF16");
    add(neon_ops(exact), neon_missing(), "NEON with dot products");
    out.push_back({"ref", &ref_ops(), true, "plain C++, runs everywhere"});
    return out;
}

}  // namespace engine
