#include "engine/ops/quant.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/fixtures.h"

using engine::Format;

namespace {

const Format kAll[] = {Format::f16,  Format::bf16, Format::q8_0, Format::q4_0, Format::q4_1,
                       Format::q5_0, Format::q4_k, Format::q5_k, Format::q6_k};

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

TEST(Quant, EveryFormatIsBitExactOnTheVectors) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    for (const Format format : kAll) {
        SCOPED_TRACE(engine::info(format).name);
        const std::string base = (*vectors / "models/dequant" / engine::info(format).name).string();
        const std::string raw = support::read_text(base + ".bin"), wanted = support::read_text(base + ".f32");
        const std::size_t n = wanted.size() / sizeof(float);
        ASSERT_EQ(raw.size(), engine::row_bytes(format, n));
        std::vector<float> out(n);
        engine::dequantise(format, raw.data(), out.data(), n);
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
