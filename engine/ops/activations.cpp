// Where the parts of quantised activations lie.
#include "engine/ops/kernels.h"

namespace engine::packed {
namespace {

size_t line(size_t bytes) { return (bytes + 63) & ~size_t(63); }

}  // namespace

size_t activations_bytes(int rows, int columns) {
    const size_t n = size_t(rows) * columns;
    return line(n) + 3 * line(n / 8) + line(n / 4);
}

Activations activations_at(void* memory, int rows, int columns) {
    const size_t n = size_t(rows) * columns;
    char* p = static_cast<char*>(memory);
    Activations a{rows, columns, reinterpret_cast<int8_t*>(p), nullptr, nullptr, nullptr, nullptr};
    p += line(n);
    a.scale = reinterpret_cast<float*>(p);
    p += line(n / 8);
    a.scaled = reinterpret_cast<float*>(p);
    p += line(n / 8);
    a.sum = reinterpret_cast<int32_t*>(p);
    p += line(n / 8);
    a.sum16 = reinterpret_cast<int32_t*>(p);
    return a;
}

}  // namespace engine::packed
