// Rows of a module's tensors to blocks.
#include "engine/model/linear_read.h"

#include "engine/model/linear.h"

namespace engine {
namespace {

using Kind = Linear::Kind;

// Bytes of two neighbouring codes to bytes of one code and the one half a block further.
void split_halves(const std::uint8_t* pairs, int bytes, std::uint8_t* out) {
    const auto code = [&](int i) { return pairs[i / 2] >> i % 2 * 4 & 15; };
    for (int i = 0; i < bytes; ++i) out[i] = std::uint8_t(code(i) | code(i + bytes) << 4);
}

void fp8_row(const Linear& l, std::size_t row, std::uint8_t* out) {
    const std::size_t tiles = (std::size_t(l.cols) + std::size_t(l.group) - 1) / std::size_t(l.group);
    const std::size_t tile_row = l.tile_rows == 0 ? 0 : row / std::size_t(l.tile_rows);
    for (int c = 0; c < l.cols; c += 32, out += 36) {
        const float scale = read::number(*l.scales, tile_row * tiles + std::size_t(c / l.group));
        std::memcpy(out, &scale, 4);
        std::memcpy(out + 4, l.codes->data.data() + row * std::size_t(l.cols) + std::size_t(c), 32);
    }
}

// In which word's nibble AWQ has output 8c + i.
constexpr int kAwqPlace[8] = {0, 4, 1, 5, 2, 6, 3, 7};
std::size_t awq_place(std::size_t row) { return row / 8 * 8 + std::size_t(kAwqPlace[row % 8]); }

int int4_code(const Linear& l, std::size_t row, std::size_t column) {
    const std::size_t rows = std::size_t(l.rows), cols = std::size_t(l.cols);
    if (l.kind == Kind::int4_packed) return read::nibble(*l.codes, row * cols + column);
    if (l.kind == Kind::awq) return read::nibble(*l.codes, column * rows + awq_place(row));
    return read::nibble(*l.codes, (column / 8 * rows + row) * 8 + column % 8);
}

int int4_zero(const Linear& l, std::size_t row, std::size_t group) {
    if (!l.zeros) return 8;
    const std::size_t groups = std::size_t(l.cols / l.group), rows = std::size_t(l.rows);
    if (l.kind == Kind::int4_packed) return read::nibble(*l.zeros, (row / 8 * groups + group) * 8 + row % 8);
    if (l.kind == Kind::awq) return read::nibble(*l.zeros, group * rows + awq_place(row));
    return (read::nibble(*l.zeros, group * rows + row) + l.zero_less_one) & 15;
}

void int4_row(const Linear& l, std::size_t row, std::uint8_t* out) {
    const std::size_t groups = std::size_t(l.cols / l.group);
    const auto code = [&](int c) { return int4_code(l, row, std::size_t(l.order.empty() ? c : l.order[std::size_t(c)])); };
    for (int c = 0; c < l.cols; c += 32, out += 21) {
        const std::size_t group = std::size_t(c / l.group);
        const float scale = read::number(*l.scales, l.kind == Kind::int4_packed ? row * groups + group : group * std::size_t(l.rows) + row);
        std::memcpy(out, &scale, 4);
        out[4] = std::uint8_t(int4_zero(l, row, group));
        for (int i = 0; i < 16; ++i) out[5 + i] = std::uint8_t(code(c + i) | code(c + i + 16) << 4);
    }
}

// A scale byte before the codes of each group.
void e2m1_row(const Linear& l, std::size_t row, std::uint8_t* out) {
    const std::size_t groups = std::size_t(l.cols / l.group), bytes = std::size_t(l.group) / 2;
    for (std::size_t g = row * groups; g < (row + 1) * groups; ++g, out += 1 + bytes) {
        out[0] = l.scales->data[g];
        split_halves(l.codes->data.data() + g * bytes, int(bytes), out + 1);
    }
}

}  // namespace

void read_rows(const Linear& l, int begin, int end, std::uint8_t* out) {
    const std::size_t bytes = row_bytes(l.format, std::size_t(l.cols));
    for (int r = begin; r < end; ++r, out += bytes) {
        const std::size_t row = std::size_t(l.first_row) + std::size_t(r) * std::size_t(l.row_step);
        switch (l.kind) {
            case Kind::plain: std::memcpy(out, l.codes->data.data() + row * bytes, bytes); break;
            case Kind::fp8: fp8_row(l, row, out); break;
            case Kind::int4_packed: case Kind::gptq: case Kind::awq: int4_row(l, row, out); break;
            case Kind::nvfp4: case Kind::mxfp4: e2m1_row(l, row, out); break;
        }
    }
}

}  // namespace engine
