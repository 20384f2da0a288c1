// XXH64 (Collet), the checksum of what this engine writes: not against forgers.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace engine {

inline std::uint64_t xxh64(std::span<const std::uint8_t> bytes) {
    constexpr std::uint64_t p1 = 11400714785074694791u, p2 = 14029467366897019727u, p3 = 1609587929392839161u, p4 = 9650029242287828579u, p5 = 2870177450012600261u;
    const auto rotate = [](std::uint64_t x, int by) { return x << by | x >> (64 - by); };
    const auto round = [&](std::uint64_t lane, std::uint64_t word) { return rotate(lane + word * p2, 31) * p1; };
    const auto word = [](const std::uint8_t* p) {
        std::uint64_t out;
        std::memcpy(&out, p, 8);
        return out;
    };
    const std::uint8_t *p = bytes.data(), *const end = p + bytes.size();
    std::uint64_t h = p5;
    if (bytes.size() >= 32) {
        std::uint64_t lanes[4] = {p1 + p2, p2, 0, 0 - p1};
        for (; end - p >= 32; p += 32)
            for (int i = 0; i < 4; ++i) lanes[i] = round(lanes[i], word(p + 8 * i));
        h = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
        for (const std::uint64_t lane : lanes) h = (h ^ round(0, lane)) * p1 + p4;
    }
    h += bytes.size();
    for (; end - p >= 8; p += 8) h = rotate(h ^ round(0, word(p)), 27) * p1 + p4;
    if (end - p >= 4) {
        std::uint32_t half;
        std::memcpy(&half, p, 4);
        h = rotate(h ^ half * p1, 23) * p2 + p3;
        p += 4;
    }
    for (; p < end; ++p) h = rotate(h ^ *p * p5, 11) * p1;
    h = (h ^ h >> 33) * p2;
    h = (h ^ h >> 29) * p3;
    return h ^ h >> 32;
}

}  // namespace engine
