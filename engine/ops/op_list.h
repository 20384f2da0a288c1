// The operations that decoders' steps and encoders consist of, with their names: for what treats all of them alike.
#pragma once

#include <tuple>

#include "engine/ops/ops.h"

namespace engine {

template <class F>
struct ListedOp {
    const char* name;
    F Ops::*op;
};
template <class F>
ListedOp(const char*, F Ops::*) -> ListedOp<F>;

inline constexpr std::tuple kStepOps{
    ListedOp{"embed", &Ops::embed},
    ListedOp{"rms_norm", &Ops::rms_norm},
    ListedOp{"group_norm", &Ops::group_norm},
    ListedOp{"matmul", &Ops::matmul},
    ListedOp{"rope", &Ops::rope},
    ListedOp{"kv_append", &Ops::kv_append},
    ListedOp{"attention", &Ops::attention},
    ListedOp{"convolve", &Ops::convolve},
    ListedOp{"gated_delta", &Ops::gated_delta},
    ListedOp{"selective_scan", &Ops::selective_scan},
    ListedOp{"activate", &Ops::activate},
    ListedOp{"moe_route", &Ops::moe_route},
    ListedOp{"moe_ffn", &Ops::moe_ffn},
    ListedOp{"add_scaled", &Ops::add_scaled},
    ListedOp{"scale", &Ops::scale},
    ListedOp{"scale_rows", &Ops::scale_rows},
    ListedOp{"softcap", &Ops::softcap},
    ListedOp{"subtract_row", &Ops::subtract_row},
    ListedOp{"copy_columns", &Ops::copy_columns},
    ListedOp{"gather_rows", &Ops::gather_rows},
    ListedOp{"clear", &Ops::clear},
};

inline constexpr std::tuple kEncoderOps{
    ListedOp{"embed", &Ops::embed},
    ListedOp{"layer_norm", &Ops::layer_norm},
    ListedOp{"matmul", &Ops::matmul},
    ListedOp{"kv_append", &Ops::kv_append},
    ListedOp{"attention", &Ops::attention},
    ListedOp{"gelu", &Ops::gelu},
    ListedOp{"add_scaled", &Ops::add_scaled},
};

// Calls f(listed) with each of a list.
template <class List, class F>
constexpr void each_op(const List& list, F&& f) {
    std::apply([&](const auto&... listed) { (f(listed), ...); }, list);
}

}  // namespace engine
