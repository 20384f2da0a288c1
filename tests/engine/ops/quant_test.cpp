#include "engine/ops/quant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/ops/quant_blocks.h"
#include "support/fixtures.h"

using engine::Format;

namespace {

std::vector<float> expanded(Format format, const std::vector<std::uint8_t>& block) {
    std::vector<float> out(std::size_t(engine::info(format).values));
    EXPECT_EQ(block.size(), std::size_t(engine::info(format).bytes));
    engine::dequantise(format, block.data(), out.data(), out.size());
    return out;
}

bool rising(const std::uint16_t* rows, std::size_t n) { return std::adjacent_find(rows, rows + n, std::greater_equal<>()) == rows + n; }

}  // namespace

TEST(Quant, OneBlockByHand) {
    // Q4_0, d = 0.5: nibble 0 is -8, nibble 15 is 7; low nibbles come first.
    std::uint8_t block[18] = {0x00, 0x38};
    block[2] = 0xf0;
    float out[32];
    engine::dequantise(Format::q4_0, block, out, 32);
    EXPECT_EQ(out[0], -4.0f);
    EXPECT_EQ(out[16], 3.5f);
    EXPECT_EQ(out[1], -4.0f);
}

TEST(Quant, HalvesAreExact) {
    EXPECT_EQ(engine::half_to_float(0x3c00), 1.0f);
    EXPECT_EQ(engine::half_to_float(0x8001), -std::ldexp(1.0f, -24));
    EXPECT_EQ(engine::half_to_float(0x03ff), std::ldexp(1023.0f, -24));
    EXPECT_EQ(engine::half_to_float(0x7bff), 65504.0f);
    EXPECT_TRUE(std::isinf(engine::half_to_float(0xfc00)));
    EXPECT_TRUE(std::isnan(engine::half_to_float(0x7e01)));
    EXPECT_TRUE(std::signbit(engine::half_to_float(0x8000)));
}

TEST(Quant, EveryHalfSurvivesTheRoundTrip) {
    for (int h = 0; h < 65536; ++h) {
        const float value = engine::half_to_float(std::uint16_t(h));
        if (std::isnan(value)) continue;
        ASSERT_EQ(engine::float_to_half(value), h) << value;
    }
    EXPECT_EQ(engine::float_to_half(1.00048828125f), 0x3c00);   // halfway, down to even
    EXPECT_EQ(engine::float_to_half(1.00146484375f), 0x3c02);   // halfway, up to even
    EXPECT_EQ(engine::float_to_half(65520.0f), 0x7c00);         // rounds to infinity
    EXPECT_EQ(engine::float_to_half(std::ldexp(1.0f, -25)), 0);  // halfway to the least subnormal, to even
}

TEST(Quant, Bf16RoundsToNearestEven) {
    EXPECT_EQ(engine::float_to_bf16(1.0f), 0x3f80);
    EXPECT_EQ(engine::float_to_bf16(1.00390625f), 0x3f80);  // halfway, down to even
    EXPECT_EQ(engine::float_to_bf16(1.01171875f), 0x3f82);  // halfway, up to even
    EXPECT_TRUE(std::isnan(engine::bf16_to_float(engine::float_to_bf16(NAN))));
}

TEST(Quant, SmallFloatsAreExact) {
    EXPECT_EQ(engine::e4m3_to_float(0x7e), 448.0f);
    EXPECT_EQ(engine::e4m3_to_float(0xb8), -1.0f);
    EXPECT_EQ(engine::e4m3_to_float(0x01), std::ldexp(1.0f, -9));
    EXPECT_EQ(engine::e4m3_to_float(0x08), std::ldexp(1.0f, -6));
    EXPECT_TRUE(std::isnan(engine::e4m3_to_float(0x7f)) && std::isnan(engine::e4m3_to_float(0xff)));
    EXPECT_EQ(engine::e8m0_to_float(0), std::ldexp(1.0f, -127));
    EXPECT_EQ(engine::e8m0_to_float(1), std::ldexp(1.0f, -126));
    EXPECT_EQ(engine::e8m0_to_float(254), std::ldexp(1.0f, 127));
    EXPECT_TRUE(std::isnan(engine::e8m0_to_float(255)));
    const float e2m1[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    for (int code = 0; code < 16; ++code) EXPECT_EQ(engine::e2m1_to_float(code), code & 8 ? -e2m1[code & 7] : e2m1[code]);
}

// NVFP4 has no vectors: scales 1, 448, the largest code (zero by definition) and the smallest.
// Against the nearest of all codes, found by looking at them.
TEST(Quant, FloatsBecomeTheNearestE4m3) {
    for (int code = 0; code < 256; ++code)
        if ((code & 0x7f) != 0x7f) {
            EXPECT_EQ(engine::float_to_e4m3(engine::e4m3_to_float(std::uint8_t(code))), code);
        }
    for (int code = 0; code < 0x7e; ++code) {
        const float low = engine::e4m3_to_float(std::uint8_t(code)), high = engine::e4m3_to_float(std::uint8_t(code + 1)), middle = (low + high) / 2;
        EXPECT_EQ(engine::float_to_e4m3(std::nextafter(middle, 0.0f)), code) << middle;
        EXPECT_EQ(engine::float_to_e4m3(middle), code + code % 2) << middle;  // to even
        EXPECT_EQ(engine::float_to_e4m3(-std::nextafter(middle, high)), 0x80 + code + 1) << middle;
    }
    for (const float large : {449.0f, 1e30f, INFINITY, NAN}) EXPECT_EQ(engine::float_to_e4m3(large) & 0x7f, 0x7e) << large;
    EXPECT_EQ(engine::float_to_e4m3(-1e9f), 0xfe);
}

TEST(Quant, Nvfp4ByHand) {
    std::vector<std::uint8_t> block(36, 0x17);  // 6 low, 0.5 high
    block[0] = 0x38, block[1] = 0x7e, block[2] = 0x7f, block[3] = 0x01;
    const auto out = expanded(Format::nvfp4, block);
    EXPECT_EQ(out[0], 6.0f);
    EXPECT_EQ(out[8], 0.5f);
    EXPECT_EQ(out[16], 2688.0f);
    EXPECT_EQ(out[24], 224.0f);
    EXPECT_EQ(out[32], 0.0f);
    EXPECT_EQ(out[48], 6 * std::ldexp(1.0f, -9));
}

// The grids hold every row once, in order: most slips of a digit would break that.
TEST(Quant, GridsRise) {
    using namespace engine::blocks;
    EXPECT_TRUE(rising(iq2_xxs_grid, 256) && rising(iq2_xs_grid, 512) && rising(iq2_s_grid, 1024) && rising(iq1_grid, 2048));
    EXPECT_TRUE(rising(iq3_xxs_grid, 256) && rising(iq3_s_grid, 512));
}

TEST(Quant, EveryFormatIsBitExactOnTheVectors) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    const auto manifest = nlohmann::json::parse(support::read_text(*vectors / "models/dequant/manifest.json"));
    for (const auto& entry : manifest["dequantize"]) {
        const std::string type = entry["type"];
        SCOPED_TRACE(type);
        int f = 0;
        while (f < engine::kFormatCount && engine::info(Format(f)).name != type) ++f;
        ASSERT_LT(f, engine::kFormatCount) << "no such format";
        const auto& format = engine::info(Format(f));
        EXPECT_EQ(format.ggml_type, entry["ggml_type"].get<int>());
        EXPECT_EQ(format.values, entry["block_size"].get<int>());
        EXPECT_EQ(format.bytes, entry["type_size"].get<int>());
        const auto folder = *vectors / "models/dequant";
        const std::string raw = support::read_text(folder / entry["bin"].get<std::string>());
        const std::string wanted = support::read_text(folder / entry["expected_f32"].get<std::string>());
        const std::size_t n = wanted.size() / sizeof(float);
        ASSERT_EQ(raw.size(), engine::row_bytes(Format(f), n));
        std::vector<float> out(n);
        engine::dequantise(Format(f), raw.data(), out.data(), n);
        int different = 0;
        for (std::size_t i = 0; i < n; ++i) {
            float expected;
            std::memcpy(&expected, wanted.data() + 4 * i, 4);
            const bool same = std::memcmp(&expected, &out[i], 4) == 0 || (std::isnan(expected) && std::isnan(out[i]));
            if (!same && ++different < 4) ADD_FAILURE() << "value " << i << ": " << out[i] << ", expected " << expected;
        }
        EXPECT_EQ(different, 0);
    }
}
