// Single values of a stored tensor; the caller has checked dtype and count.
#pragma once

#include <cstring>

#include "engine/model/safetensors.h"
#include "engine/ops/quant.h"

namespace engine::read {

template <class T>
T value(const SafeTensor& tensor, std::size_t at) {
    T out;
    std::memcpy(&out, tensor.data.data() + at * sizeof(T), sizeof(T));
    return out;
}

// I32 or I64
inline std::int64_t integer(const SafeTensor& tensor, std::size_t at) {
    return tensor.dtype == Dtype::i64 ? value<std::int64_t>(tensor, at) : value<std::int32_t>(tensor, at);
}

// F32, F16 or BF16
inline float number(const SafeTensor& tensor, std::size_t at) {
    switch (tensor.dtype) {
        case Dtype::f16: return half_to_float(value<std::uint16_t>(tensor, at));
        case Dtype::bf16: return bf16_to_float(value<std::uint16_t>(tensor, at));
        default: return value<float>(tensor, at);
    }
}

// Nibble i of the words of an I32 tensor, lowest first.
inline int nibble(const SafeTensor& tensor, std::size_t at) { return tensor.data[at / 2] >> at % 2 * 4 & 15; }

}  // namespace engine::read
