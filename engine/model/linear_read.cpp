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

// Value `at` of the words of an I32 tensor.
int packed_value(const Linear& l, const SafeTensor& tensor, std::size_t at) { return l.bits == 8 ? tensor.data[at] : read::nibble(tensor, at); }

// A stored signed byte as one that begins at 0.
int shifted(std::uint8_t byte) { return byte ^ 0x80; }

int integer_code(const Linear& l, std::size_t row, std::size_t column) {
    const std::size_t rows = std::size_t(l.rows), in_word = 32 / std::size_t(l.bits), inputs = std::size_t(l.inputs);
    switch (l.kind) {
        case Kind::packed: return packed_value(l, *l.codes, row * ((inputs + in_word - 1) / in_word * in_word) + column);
        case Kind::bytes: return shifted(l.codes->data[row * inputs + column]);
        case Kind::awq: return read::nibble(*l.codes, column * rows + awq_place(row));
        default: return packed_value(l, *l.codes, (column / in_word * rows + row) * in_word + column % in_word);
    }
}

int integer_zero(const Linear& l, std::size_t row, std::size_t group) {
    const int most = (1 << l.bits) - 1;
    if (!l.zeros) return (most + 1) / 2;
    const std::size_t groups = std::size_t(l.inputs / l.group), rows = std::size_t(l.rows), in_word = 32 / std::size_t(l.bits);
    switch (l.kind) {
        case Kind::packed: return packed_value(l, *l.zeros, (row / in_word * groups + group) * in_word + row % in_word);
        case Kind::bytes: return shifted(l.zeros->data[row * groups + group]);
        case Kind::awq: return read::nibble(*l.zeros, group * rows + awq_place(row));
        default: return (packed_value(l, *l.zeros, group * rows + row) + l.zero_less_one) & most;
    }
}

// Blocks of 32 columns; see linear.h for what 8 bits become.
void integer_row(const Linear& l, std::size_t row, std::uint8_t* out) {
    const bool by_row = l.kind == Kind::packed || l.kind == Kind::bytes;
    const std::size_t groups = std::size_t(l.inputs / l.group);
    const int width = int(groups) * l.padded;  // of one half of 8 bits, else of all
    for (int c = 0; c < l.cols; c += 32, out += 21) {
        const int first = c % width % l.padded;  // into its group
        const std::size_t group = std::size_t(c % width / l.padded);
        const int zero = integer_zero(l, row, group), shift = l.bits == 8 && c < width ? 4 : 0;
        float scale = read::number(*l.scales, by_row ? row * groups + group : group * std::size_t(l.rows) + row);
        if (shift > 0) scale *= 16;
        const auto code = [&](int i) {
            const int value = first + i < l.group ? integer_code(l, row, std::size_t(l.order.empty() ? c + i : l.order[std::size_t(c + i)])) : zero;
            return value >> shift & 15;
        };
        std::memcpy(out, &scale, 4);
        out[4] = std::uint8_t(zero >> shift & 15);
        for (int i = 0; i < 16; ++i) out[5 + i] = std::uint8_t(code(i) | code(i + 16) << 4);
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
            case Kind::packed: case Kind::bytes: case Kind::gptq: case Kind::awq: integer_row(l, row, out); break;
            case Kind::nvfp4: case Kind::mxfp4: e2m1_row(l, row, out); break;
        }
    }
}

}  // namespace engine
