#include <array>

#include "engine/ops/panel.h"
#include "engine/ops/quant_blocks.h"

namespace engine {
namespace {

template <std::size_t n>
std::array<std::uint32_t, n> eight_columns(const std::uint16_t (&grid)[n]) {
    std::array<std::uint32_t, n> out{};
    for (std::size_t row = 0; row < n; ++row)
        for (int i = 0; i < 8; ++i) out[row] |= std::uint32_t(grid[row] >> 2 * i & 3) << (8 * (i % 4) + 4 * (i / 4));
    return out;
}

template <std::size_t n>
std::array<std::uint32_t, n> four_columns(const std::uint16_t (&grid)[n], const std::uint8_t (&magnitudes)[8]) {
    std::array<std::uint32_t, n> out{};
    for (std::size_t row = 0; row < n; ++row)
        for (int i = 0; i < 4; ++i) out[row] |= std::uint32_t(magnitudes[grid[row] >> 3 * i & 7]) << 8 * i;
    return out;
}

struct Grids {
    std::array<std::uint32_t, 256> iq2_xxs = eight_columns(blocks::iq2_xxs_grid);
    std::array<std::uint32_t, 512> iq2_xs = eight_columns(blocks::iq2_xs_grid);
    std::array<std::uint32_t, 1024> iq2_s = eight_columns(blocks::iq2_s_grid);
    std::array<std::uint32_t, 2048> iq1 = eight_columns(blocks::iq1_grid);
    std::array<std::uint32_t, 256> iq3_xxs = four_columns(blocks::iq3_xxs_grid, {4, 12, 20, 28, 36, 44, 52, 62});
    std::array<std::uint32_t, 512> iq3_s = four_columns(blocks::iq3_s_grid, {1, 3, 5, 7, 9, 11, 13, 15});
};

}  // namespace

const std::uint32_t* grid_rows(Format format) {
    static const Grids grids;
    switch (format) {
        case Format::iq2_xxs: return grids.iq2_xxs.data();
        case Format::iq2_xs: return grids.iq2_xs.data();
        case Format::iq2_s: return grids.iq2_s.data();
        case Format::iq3_xxs: return grids.iq3_xxs.data();
        case Format::iq3_s: return grids.iq3_s.data();
        case Format::iq1_s: case Format::iq1_m: return grids.iq1.data();
        default: return nullptr;
    }
}

}  // namespace engine
