#include "engine/ops/panel.h"

#include <string.h>

#include "engine/ops/quant_blocks.h"

namespace engine {
namespace {

struct Shape {
    int head, data;  // bytes of a packed block (see block_columns): scales before it (shared by a pair where `pair`), data
    bool pair;
};

Shape shape(Format format) {
    switch (format) {
        case Format::q8_0: return {64, 512, true};
        case Format::q4_0: return {64, 256, true};
        case Format::q4_1: return {64, 256, false};
        case Format::q5_0: return {64, 320, true};
        case Format::q5_1: return {64, 320, false};
        case Format::q4_k: return {256, 2048, false};
        case Format::q5_k: return {256, 2560, false};
        case Format::q6_k: return {64, Quarters<Format::q6_k>::data, true};
        case Format::q3_k: return {64, Quarters<Format::q3_k>::data, true};
        case Format::q2_k: return {64, Quarters<Format::q2_k>::data, false};
        case Format::mxfp4: case Format::iq4_nl: case Format::iq4_xs: return {64, 256, false};
        case Format::nvfp4: case Format::e2m1: return {64, 256, true};
        case Format::int4: return {128, 256, false};
        case Format::fp8: return {64, 512, false};
        default: return {64, 64 * words_of_block(format), true};  // floats have no blocks
    }
}

int block_columns(Format format) { return has_float_scales(format) || has_e4m3_scales(format) ? 32 : info(format).values; }

// Where a block of the file has its first half.
int scale_at(Format format) {
    switch (format) {
        case Format::q6_k: return 208;
        case Format::q3_k: return 108;
        case Format::q2_k: return 80;
        case Format::tq1_0: return 52;
        case Format::tq2_0: return 64;
        default: return 0;
    }
}

void put(uint8_t* to, int lane, const uint8_t* four) { memcpy(to + 4 * lane, four, 4); }

// 32 fifth bits, bit c for column c, to byte t, bit j for column 4j+t.
void put_fifth_bits(uint8_t* to, int lane, const uint8_t* bits) {
    uint32_t h;
    memcpy(&h, bits, 4);
    for (int t = 0; t < 4; ++t) {
        unsigned value = 0;
        for (int j = 0; j < 8; ++j) value |= (h >> (4 * j + t) & 1) << j;
        to[4 * lane + t] = static_cast<uint8_t>(value);
    }
}

void pack_k_head(const uint8_t* block, uint8_t* to, int lane) {
    int scale[8], minimum[8];
    for (int j = 0; j < 8; ++j) scale_and_min(j, block + 4, scale[j], minimum[j]);
    memcpy(to + 2 * lane, block, 2);
    memcpy(to + 32 + 2 * lane, block + 2, 2);
    for (int i = 0; i < 4; ++i) {
        const int high = minimum[i + 4];
        to[64 + 16 * i + lane] = static_cast<uint8_t>(scale[i] | (high & 3) << 6);
        to[128 + 16 * i + lane] = static_cast<uint8_t>(scale[i + 4] | (high >> 2 & 3) << 6);
        to[192 + 16 * i + lane] = static_cast<uint8_t>(minimum[i] | (high >> 4) << 6);
    }
}

void pack_q6_k(const uint8_t* block, uint8_t* data, int lane) {
    for (int quarter = 0; quarter < 4; ++quarter) {
        const int n = quarter / 2, h = quarter % 2;
        uint8_t* to = data + 832 * quarter;
        for (int g = 0; g < 4; ++g) to[16 * g + lane] = block[192 + 8 * n + 2 * g + h];
        for (int j = 0; j < 4; ++j) {
            uint8_t* words = to + 64 + 192 * j;
            const int at = 16 * h + 4 * j;
            put(words, lane, block + 128 + 32 * n + at);
            put(words + 64, lane, block + 64 * n + at);
            put(words + 128, lane, block + 64 * n + 32 + at);
        }
    }
}

// Quarters of Q2_K and Q3_K.
void pack_two_bits(const uint8_t* codes, const uint8_t* scales, uint8_t* to, int lane) {
    for (int quarter = 0; quarter < 4; ++quarter, to += 320) {
        const int n = quarter / 2, h = quarter % 2;
        for (int g = 0; g < 4; ++g) to[16 * g + lane] = scales[8 * n + 2 * g + h];
        for (int j = 0; j < 4; ++j) put(to + 64 + 64 * j, lane, codes + 32 * n + 16 * h + 4 * j);
    }
}

void pack_q3_k(const uint8_t* block, uint8_t* data, int lane) {
    uint8_t scales[16];
    for (int j = 0; j < 16; ++j) scales[j] = static_cast<uint8_t>(blocks::q3_k_scale(block, j));
    for (int j = 0; j < 8; ++j) put(data + 64 * j, lane, block + 4 * j);
    pack_two_bits(block + 32, scales, data + 512, lane);
}

void pack_block(Format format, const uint8_t* block, uint8_t* data, int lane) {
    switch (format) {
        case Format::q4_0:
            for (int j = 0; j < 4; ++j) put(data + 64 * j, lane, block + 2 + 4 * j);
            break;
        case Format::q4_1:
            for (int j = 0; j < 4; ++j) put(data + 64 * j, lane, block + 4 + 4 * j);
            break;
        case Format::q5_0: case Format::q5_1: {
            const uint8_t* bits = block + (format == Format::q5_0 ? 2 : 4);
            put_fifth_bits(data, lane, bits);
            for (int j = 0; j < 4; ++j) put(data + 64 + 64 * j, lane, bits + 4 + 4 * j);
            break;
        }
        case Format::q8_0:
            for (int c = 0; c < 32; ++c)
                data[64 * (c / 4) + 4 * lane + c % 4] = static_cast<uint8_t>(block[2 + c] ^ 0x80);
            break;
        case Format::q4_k:
            for (int j = 0; j < 32; ++j) put(data + 64 * j, lane, block + 16 + 4 * j);
            break;
        case Format::q5_k:
            for (int j = 0; j < 8; ++j) put(data + 64 * j, lane, block + 16 + 4 * j);
            for (int j = 0; j < 32; ++j) put(data + 512 + 64 * j, lane, block + 48 + 4 * j);
            break;
        case Format::q6_k: pack_q6_k(block, data, lane); break;
        case Format::q3_k: pack_q3_k(block, data, lane); break;
        case Format::q2_k: pack_two_bits(block + 16, block, data, lane); break;
        default: {
            const bool scale_first = scale_at(format) == 0 && format != Format::iq1_m;
            for (int j = 0; j < words_of_block(format); ++j) put(data + 64 * j, lane, block + (scale_first ? 2 : 0) + 4 * j);
        }
    }
}

// 32 columns of a block with float scales.
struct Nibbles {
    float scale;
    const uint8_t* codes;
    int zero;
};
Nibbles nibbles_of(Format format, const uint8_t* row, int j) {
    switch (format) {
        case Format::mxfp4: return {e8m0_to_float(row[17 * j]) * 0.5f, row + 17 * j + 1, 0};
        case Format::iq4_nl: return {half_to_float(load_u16(row + 18 * j)), row + 18 * j + 2, 0};
        case Format::iq4_xs: {
            const uint8_t* block = row + 136 * (j / 8);
            return {blocks::iq4_xs_scale(block, j % 8), block + 8 + 16 * (j % 8), 0};
        }
        default: {
            const uint8_t* block = row + 21 * j;
            float scale;
            memcpy(&scale, block, 4);
            return {scale, block + 5, block[4]};
        }
    }
}

void pack_nibbles(Format format, const uint8_t* row, int columns, uint8_t* panel, int lane) {
    const Shape s = shape(format);
    for (int j = 0; j < columns / 32; ++j, panel += s.head + s.data) {
        const Nibbles n = nibbles_of(format, row, j);
        memcpy(panel + 4 * lane, &n.scale, 4);
        if (format == Format::int4) memset(panel + 64 + 4 * lane, 128 - n.zero, 4);
        for (int i = 0; i < 4; ++i) put(panel + s.head + 64 * i, lane, n.codes + 4 * i);
    }
}

// A scale without sign, as NVFP4 has it, is zero where E4M3 has no number.
void pack_e4m3_scales(Format format, const uint8_t* row, int columns, uint8_t* panel, int lane) {
    for (int u = 0; u < columns / 16; ++u) {
        uint8_t* pair = panel + 576 * (u / 4);
        const uint8_t *scale = row + 9 * u, *codes = scale + 1;
        if (format == Format::nvfp4) {
            scale = row + 36 * (u / 4) + u % 4;
            codes = row + 36 * (u / 4) + 4 + 8 * (u % 4);
        }
        pair[16 * (u % 4) + lane] = format == Format::e2m1 ? *scale : (*scale & 0x7f) == 0x7f ? 0 : *scale & 0x7f;
        for (int j = 0; j < 2; ++j) put(pair + 64 + 128 * (u % 4) + 64 * j, lane, codes + 4 * j);
    }
}

void pack_fp8(const uint8_t* row, int columns, uint8_t* panel, int lane) {
    for (int b = 0; b < columns / 32; ++b, row += 36, panel += 576) {
        float scale;
        memcpy(&scale, row, 4);
        scale *= 256;
        for (int c = 0; c < 32; ++c) {
            panel[64 + 16 * c + lane] = row[4 + c];
            if ((row[4 + c] & 0x7f) == 0x7f) scale = __builtin_nanf("");
        }
        memcpy(panel + 4 * lane, &scale, 4);
    }
}

void pack_floats(Format format, const uint8_t* row, int columns, uint8_t* panel, int lane) {
    if (format == Format::f32) {
        for (int c = 0; c < columns; ++c) memcpy(panel + 64 * size_t(c) + 4 * lane, row + 4 * size_t(c), 4);
    } else {
        for (int c = 0; c < columns; ++c)
            memcpy(panel + 64 * size_t(c / 2) + 4 * lane + 2 * (c % 2), row + 2 * size_t(c), 2);
    }
}

}  // namespace

bool has_panels(Format format, int columns) { return columns % block_columns(format) == 0; }

size_t panel_bytes(Format format, int columns) {
    const Shape s = shape(format);
    const size_t blocks = size_t(columns) / block_columns(format);
    if (format == Format::f32) return blocks * 64;
    if (s.data == 0) return (blocks + 1) / 2 * 64;
    return (s.pair ? (blocks + 1) / 2 : blocks) * s.head + blocks * s.data;
}

void pack_panel(Format format, const uint8_t* source, size_t row_bytes, int rows, int columns, uint8_t* panel) {
    const Shape s = shape(format);
    const FormatInfo& file = info(format);
    memset(panel, 0, panel_bytes(format, columns));
    for (int lane = 0; lane < rows; ++lane) {
        const uint8_t* row = source + lane * row_bytes;
        if (s.data == 0) {
            pack_floats(format, row, columns, panel, lane);
            continue;
        }
        if (format == Format::fp8) {
            pack_fp8(row, columns, panel, lane);
            continue;
        }
        if (has_e4m3_scales(format)) {
            pack_e4m3_scales(format, row, columns, panel, lane);
            continue;
        }
        if (has_float_scales(format)) {
            pack_nibbles(format, row, columns, panel, lane);
            continue;
        }
        for (int b = 0; b < columns / file.values; ++b, row += file.bytes) {
            uint8_t* head = panel + (s.pair ? size_t(b / 2) * (s.head + 2 * s.data) : size_t(b) * (s.head + s.data));
            uint8_t* data = head + s.head + (s.pair ? (b & 1) * s.data : 0);
            if (format == Format::q4_k || format == Format::q5_k) {
                pack_k_head(row, head, lane);
            } else if (s.pair) {
                const uint16_t d = format == Format::iq1_m ? blocks::iq1_m_scale(row) : load_u16(row + scale_at(format));
                memcpy(head + 32 * (b & 1) + 2 * lane, &d, 2);
            } else {
                memcpy(head + 2 * lane, row + scale_at(format), 2);
                memcpy(head + 32 + 2 * lane, row + scale_at(format) + 2, 2);
            }
            pack_block(format, row, data, lane);
        }
    }
}

}  // namespace engine
