#include "engine/ops/quant_blocks.h"

namespace engine {
namespace {

using blocks::Block;

// In the order of Format.
constexpr struct {
    FormatInfo info;
    void (*expand)(Block b, float* out);  // one block
} kTable[] = {
    {{"F32", 0, 1, 4}, [](Block b, float* out) { std::memcpy(out, b, 4); }},
    {{"F16", 1, 1, 2}, [](Block b, float* out) { *out = half_to_float(load_u16(b)); }},
    {{"BF16", 30, 1, 2}, [](Block b, float* out) { *out = bf16_to_float(load_u16(b)); }},
    {{"Q8_0", 8, 32, 34}, blocks::q8_0},
    {{"Q4_0", 2, 32, 18}, blocks::q4_0},
    {{"Q4_1", 3, 32, 20}, blocks::q4_1},
    {{"Q5_0", 6, 32, 22}, blocks::q5_0},
    {{"Q4_K", 12, 256, 144}, blocks::q4_k},
    {{"Q5_K", 13, 256, 176}, blocks::q5_k},
    {{"Q6_K", 14, 256, 210}, blocks::q6_k},
    {{"Q5_1", 7, 32, 24}, blocks::q5_1},
    {{"Q2_K", 10, 256, 84}, blocks::q2_k},
    {{"Q3_K", 11, 256, 110}, blocks::q3_k},
    {{"IQ4_NL", 20, 32, 18}, blocks::iq4_nl},
    {{"IQ4_XS", 23, 256, 136}, blocks::iq4_xs},
    {{"IQ2_XXS", 16, 256, 66}, blocks::iq2_xxs},
    {{"IQ2_XS", 17, 256, 74}, blocks::iq2_xs},
    {{"IQ2_S", 22, 256, 82}, blocks::iq2_s},
    {{"IQ3_XXS", 18, 256, 98}, blocks::iq3_xxs},
    {{"IQ3_S", 21, 256, 110}, blocks::iq3_s},
    {{"IQ1_S", 19, 256, 50}, blocks::iq1_s},
    {{"IQ1_M", 29, 256, 56}, blocks::iq1_m},
    {{"TQ1_0", 34, 256, 54}, blocks::tq1_0},
    {{"TQ2_0", 35, 256, 66}, blocks::tq2_0},
    {{"MXFP4", 39, 32, 17}, blocks::mxfp4},
    {{"NVFP4", 40, 64, 36}, blocks::nvfp4},
    {{"INT4", -1, 32, 21}, blocks::int4},
    {{"FP8", -1, 32, 36}, blocks::fp8},
    {{"E2M1", -1, 16, 9}, blocks::e2m1},
};
static_assert(sizeof kTable / sizeof kTable[0] == kFormatCount);

}  // namespace

const FormatInfo& info(Format format) { return kTable[int(format)].info; }

void dequantise(Format format, const void* data, float* out, std::size_t n) {
    const auto& [f, expand] = kTable[int(format)];
    Block p = static_cast<Block>(data);
    for (std::size_t i = 0; i < n; i += std::size_t(f.values), p += f.bytes) expand(p, out + i);
}

}  // namespace engine
