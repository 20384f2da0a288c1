// Where the parts of quantised activations lie.
#include <string.h>

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

namespace {

// Where a row has its numbers: lane of the n rows of a group.
struct GroupMember {
    size_t first, lane, n;
    GroupMember(const Activations& x, int r) : first(size_t(r / group_rows * group_rows)), lane(size_t(r) - first), n(x.rows - int(first) < group_rows ? size_t(x.rows) - first : group_rows) {}
};

// So many of them, of four bytes each.
void copy_numbers(const void* from, const GroupMember& a, void* to, const GroupMember& b, size_t count) {
    const char* in = static_cast<const char*>(from) + 4 * (a.first * count + a.lane);
    char* out = static_cast<char*>(to) + 4 * (b.first * count + b.lane);
    for (size_t i = 0; i < count; ++i) memcpy(out + 4 * b.n * i, in + 4 * a.n * i, 4);
}

}  // namespace

void copy_row(const Activations& from, int r, const Activations& to, int at) {
    const GroupMember a(from, r), b(to, at);
    const size_t columns = size_t(from.columns);
    copy_numbers(from.q, a, to.q, b, columns / 4);
    copy_numbers(from.scale, a, to.scale, b, columns / 32);
    copy_numbers(from.scaled, a, to.scaled, b, columns / 32);
    copy_numbers(from.sum, a, to.sum, b, columns / 32);
    copy_numbers(from.sum16, a, to.sum16, b, columns / 16);
}

}  // namespace engine::packed
