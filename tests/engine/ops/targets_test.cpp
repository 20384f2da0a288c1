// Every target agrees with ref, through pack, on every format and on odd sizes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "engine/ops/ops.h"
#include "engine/ops/panel.h"

using namespace engine;

namespace {

std::vector<Format> formats() {
    std::vector<Format> out;
    for (int f = 0; f < kFormatCount; ++f) out.push_back(Format(f));
    return out;
}

// Numbers of columns: an odd number of blocks too, and E2M1 with and without panels.
std::vector<int> columns_of(Format f) {
    const int block = info(f).values;
    if (f == Format::e2m1) return {16, 96, 160};
    return block == 1 ? std::vector<int>{45, 600} : std::vector<int>{block, block * 3};
}

// Where a block holds numbers that scale it, as halves.
std::vector<int> halves_of(Format f) {
    switch (f) {
        case Format::q6_k: return {208};
        case Format::q4_1: case Format::q5_1: case Format::q4_k: case Format::q5_k: return {0, 2};
        case Format::q2_k: return {80, 82};
        case Format::q3_k: return {108};
        case Format::tq1_0: return {52};
        case Format::tq2_0: return {64};
        case Format::iq1_m: case Format::mxfp4: case Format::nvfp4: case Format::int4: case Format::fp8: case Format::e2m1: return {};
        default: return {0};
    }
}

// int8 activations: rounding is uniform over a step of amax/127, which for values spread evenly over
// [-1, 1] is 1/127/sqrt(12)/sqrt(1/3) = 0.4 % of their size, and so is the error of a sum of products
// measured by the root of its squared terms. One output alone may lie four deviations off.
constexpr double kInt8Error = 0.016;
// float32 sums of at most a few thousand terms against double.
constexpr double kFloatError = 1e-5;
// BF16 has 8 bits: 2^-9 a factor, and two factors in a product.
constexpr double kBf16Error = 8e-3;

double squares(const std::vector<float>& v) {
    double sum = 0;
    for (float x : v) sum += double(x) * x;
    return sum;
}

double relative_error(const std::vector<float>& got, const std::vector<float>& want, double size = 0) {
    double error = 0;
    for (std::size_t i = 0; i < want.size(); ++i) error += std::pow(double(got[i]) - want[i], 2);
    return std::sqrt(error / (size > 0 ? size : squares(want)));
}

// The squared terms of all sums of x(n, cols) · wᵀ: what rounding errors of the factors are measured by.
double squared_terms(const Weight& w, const std::vector<float>& x) {
    std::vector<float> values(std::size_t(w.rows) * w.cols);
    dequantise(w.format, w.data, values.data(), values.size());
    double sum = 0;
    for (int c = 0; c < w.cols; ++c) {
        double of_w = 0, of_x = 0;
        for (int r = 0; r < w.rows; ++r) of_w += std::pow(double(values[std::size_t(r) * w.cols + c]), 2);
        for (std::size_t i = std::size_t(c); i < x.size(); i += std::size_t(w.cols)) of_x += std::pow(double(x[i]), 2);
        sum += of_w * of_x;
    }
    return sum;
}

struct Memory {
    explicit Memory(std::size_t n) : bytes(n + 64) {}
    std::uint8_t* data() { return bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64; }
    std::vector<std::uint8_t> bytes;
};

struct TargetsTest : testing::Test {
    Pool pool{2};
    Memory memory{std::size_t(64) << 20};
    Scratch scratch{memory.data(), std::size_t(64) << 20};
    Exec exec{&pool, &scratch};
    std::mt19937 random{7};

    std::vector<float> floats(std::size_t n) {
        std::uniform_real_distribution<float> of(-1, 1);
        std::vector<float> out(n);
        for (float& v : out) v = of(random);
        return out;
    }

    // Blocks of random codes with scales of a sensible size.
    std::vector<std::uint8_t> blocks(Format f, int rows, int cols) {
        const FormatInfo& i = info(f);
        std::vector<std::uint8_t> out(std::size_t(rows) * row_bytes(f, std::size_t(cols)));
        if (f == Format::f32) {
            const auto values = floats(out.size() / 4);
            std::memcpy(out.data(), values.data(), out.size());
            return out;
        }
        for (auto& b : out) b = std::uint8_t(random());
        auto half = [&](std::size_t at) {  // 0.007 … 0.015, in BF16 small values too
            const std::uint16_t h = std::uint16_t((f == Format::bf16 ? 0x3c00 : 0x2000) + random() % 1000);
            std::memcpy(&out[at], &h, 2);
        };
        for (std::size_t at = 0; at < out.size(); at += std::size_t(i.bytes)) {
            for (int offset : halves_of(f)) half(at + std::size_t(offset));
            if (f == Format::iq1_m) out[at + 55] = std::uint8_t(0x20 | (out[at + 55] & 15)), out[at + 53] &= 15;
            if (f == Format::int4 || f == Format::fp8) {
                const float scale = 0.007f + 0.008f * float(random() % 1000) / 1000;
                std::memcpy(&out[at], &scale, 4);
            }
            if (f == Format::int4) out[at + 4] &= 15;
            if (f == Format::fp8) for (std::size_t j = 4; j < 36; ++j) out[at + j] &= 0xb7;  // magnitudes below 2
            if (f == Format::e2m1) out[at] = std::uint8_t(0x10 + random() % 16);
            if (f == Format::mxfp4) out[at] = std::uint8_t(118 + random() % 4);
            if (f == Format::nvfp4) for (std::size_t j = 0; j < 4; ++j) out[at + j] = std::uint8_t(0x10 + random() % 16);
        }
        return out;
    }

    static Weight plain(Format f, const std::vector<std::uint8_t>& data, int rows, int cols, int stack = 1) {
        return {f, Layout::plain, rows, cols, data.data(), data.size() / std::size_t(stack)};
    }

    // The same weight as the target wants it.
    static Weight packed(const Ops& ops, const Weight& w, int stack, Memory& into) {
        const std::size_t bytes = ops.packed_bytes(w.format, w.rows, w.cols);
        if (bytes == 0) return w;
        into = Memory(bytes * std::size_t(stack));
        for (int e = 0; e < stack; ++e) {
            Weight one = w;
            one.data = w.matrix(e);
            ops.pack(one, into.data() + std::size_t(e) * bytes);
        }
        Weight out = w;
        out.layout = Layout::panel16;
        out.data = into.data();
        out.stride = bytes;
        return out;
    }

    std::vector<float> product(const Ops& ops, const Weight& w, std::vector<float> x, int n, const float* bias, bool accumulate) {
        Memory room(0);
        const Weight use = packed(ops, w, 1, room);
        std::vector<float> out(std::size_t(n) * w.rows, 0.5f);
        MatmulJob job{&use, {out.data(), n, w.rows}, bias, accumulate};
        ops.matmul(&job, 1, {x.data(), n, w.cols}, exec);
        return out;
    }

    struct Run {
        const Ops* ops;
        bool exact;
        std::string name;
        // Of a product with such weights.
        double tolerance(Format f) const { return exact ? kFloatError : f == Format::bf16 ? kBf16Error : !has_float_values(f) ? kInt8Error : kFloatError; }
    };
    static std::vector<Run> runs() {
        std::vector<Run> out;
        for (bool exact : {false, true})
            for (const Target& t : targets(exact))
                if (t.available && t.name != "ref") out.push_back({t.ops, exact, t.name + (exact ? " exact" : " fast")});
        return out;
    }
};

}  // namespace

TEST_F(TargetsTest, RefIsLastAndAlwaysThere) {
    for (bool exact : {false, true}) {
        const auto all = targets(exact);
        ASSERT_FALSE(all.empty());
        EXPECT_EQ(all.back().name, "ref");
        EXPECT_TRUE(all.back().available);
        for (const Target& t : all) EXPECT_FALSE(t.reason.empty()) << t.name;
    }
}

TEST_F(TargetsTest, MatmulAgreesWithRef) {
    for (const Run& run : runs())
        for (Format f : formats())
            for (int cols : columns_of(f))
                for (int rows : {1, 15, 16, 50, 129})
                    for (int n : {1, 3, 8, 21}) {
                        SCOPED_TRACE(run.name + " " + info(f).name + " " + std::to_string(rows) + " x " + std::to_string(cols) +
                                     ", n " + std::to_string(n));
                        const auto data = blocks(f, rows, cols);
                        const auto x = floats(std::size_t(n) * cols), bias = floats(std::size_t(rows));
                        const Weight w = plain(f, data, rows, cols);
                        const bool accumulate = n == 3;
                        const auto want = product(ref_ops(), w, x, n, bias.data(), accumulate);
                        const auto got = product(*run.ops, w, x, n, bias.data(), accumulate);
                        EXPECT_LT(relative_error(got, want, squared_terms(w, x)), run.tolerance(f));
                    }
}

// Every code as large or as small as it gets, every activation at its limit: no sum inside may overflow.
TEST_F(TargetsTest, TheLargestCodesDoNotOverflow) {
    for (const Run& run : runs())
        for (Format f : formats()) {
            if (has_float_values(f)) continue;
            for (int code : {0x00, 0x7f, 0x80, 0xff, 0x88})
                for (float value : {1.f, -1.f})
                    for (int n : {1, 3, 8}) {
                        SCOPED_TRACE(run.name + " " + info(f).name + " code " + std::to_string(code) + " x " + std::to_string(value));
                        const int rows = 17, cols = std::max(32, info(f).values * 2);
                        auto data = blocks(f, rows, cols);
                        for (std::size_t at = 0; at < data.size(); at += std::size_t(info(f).bytes))
                            for (int i = 0; i < info(f).bytes; ++i) {
                                bool kept = ((f == Format::mxfp4 || f == Format::e2m1) && i == 0) || (f == Format::nvfp4 && i < 4) || (f == Format::int4 && i < 5);
                                for (int offset : halves_of(f)) kept = kept || i == offset || i == offset + 1;
                                if (!kept) data[at + std::size_t(i)] = std::uint8_t(code);
                            }
                        const std::vector<float> x(std::size_t(n) * cols, value);  // int8 holds them exactly
                        const Weight w = plain(f, data, rows, cols);
                        EXPECT_LT(relative_error(product(*run.ops, w, x, n, nullptr, false), product(ref_ops(), w, x, n, nullptr, false),
                                                 std::max(squared_terms(w, x), 1e-12)),  // all weights may be zero
                                  kFloatError);
                    }
        }
}

TEST_F(TargetsTest, ARowDoesNotDependOnItsBatch) {
    for (const Run& run : runs())
        for (Format f : formats()) {
            SCOPED_TRACE(run.name + " " + info(f).name);
            const int rows = 70, cols = info(f).values == 1 ? 333 : 768, n = 13;
            const auto data = blocks(f, rows, cols);
            const auto x = floats(std::size_t(n) * cols);
            const Weight w = plain(f, data, rows, cols);
            const auto together = product(*run.ops, w, x, n, nullptr, false);
            for (int r = 0; r < n; ++r) {
                const std::vector<float> row(x.begin() + r * cols, x.begin() + (r + 1) * cols);
                const auto alone = product(*run.ops, w, row, 1, nullptr, false);
                EXPECT_EQ(std::memcmp(alone.data(), &together[std::size_t(r) * rows], std::size_t(rows) * 4), 0) << "row " << r;
            }
        }
}

TEST_F(TargetsTest, PackedWeightsHoldTheirExactValues) {
    // A unit vector picks one column out of the float product: the stored value, bit by bit.
    for (const Run& run : runs()) {
        if (!run.exact) continue;
        for (Format f : formats()) {
            const int rows = 18, cols = info(f).values == 1 ? 37 : 768;
            const auto data = blocks(f, rows, cols);
            std::vector<float> want(std::size_t(rows) * cols);
            dequantise(f, data.data(), want.data(), want.size());
            std::vector<float> x(std::size_t(cols) * cols);
            for (int c = 0; c < cols; ++c) x[std::size_t(c) * cols + c] = 1;
            const auto got = product(*run.ops, plain(f, data, rows, cols), x, cols, nullptr, false);
            int wrong = 0;
            for (int r = 0; r < rows; ++r)
                for (int c = 0; c < cols; ++c) wrong += got[std::size_t(c) * rows + r] != want[std::size_t(r) * cols + c];
            EXPECT_EQ(wrong, 0) << info(f).name;
        }
    }
}

TEST_F(TargetsTest, SeveralJobsShareTheirInput) {
    for (const Run& run : runs()) {
        const int cols = 96, n = 5;
        const auto a = blocks(Format::q5_0, 40, cols), b = blocks(Format::q8_0, 17, cols), c = blocks(Format::f32, 33, cols);
        auto x = floats(std::size_t(n) * cols);
        const Weight weights[] = {plain(Format::q5_0, a, 40, cols), plain(Format::q8_0, b, 17, cols), plain(Format::f32, c, 33, cols)};
        std::vector<Memory> rooms(3, Memory(0));
        std::vector<Weight> use;
        std::vector<std::vector<float>> out;
        for (int j = 0; j < 3; ++j) {
            use.push_back(packed(*run.ops, weights[j], 1, rooms[std::size_t(j)]));
            out.emplace_back(std::size_t(n) * weights[j].rows);
        }
        std::vector<MatmulJob> jobs;
        for (int j = 0; j < 3; ++j) jobs.push_back({&use[std::size_t(j)], {out[std::size_t(j)].data(), n, weights[j].rows}, nullptr, false});
        run.ops->matmul(jobs.data(), 3, {x.data(), n, cols}, exec);
        for (int j = 0; j < 3; ++j)
            EXPECT_LT(relative_error(out[std::size_t(j)], product(ref_ops(), weights[j], x, n, nullptr, false)), kInt8Error) << j;
        EXPECT_EQ(scratch.used(), 0u);
    }
}

TEST_F(TargetsTest, ScalesAndOrdersOfAWeightAgreeWithTheirDefinition) {
    const int rows = 33, cols = 96;
    const float scale = 0.375f;
    std::vector<std::int32_t> order(cols);
    for (int c = 0; c < cols; ++c) order[std::size_t(c)] = c * 7 % cols;  // 7 and 96 have no common factor
    auto all = runs();
    all.push_back({&ref_ops(), true, "ref"});
    for (const Run& run : all)
        for (Format f : {Format::e2m1, Format::int4, Format::q8_0, Format::bf16}) for (int n : {1, 5}) {
            SCOPED_TRACE(run.name + " " + info(f).name + ", n " + std::to_string(n));
            const auto data = blocks(f, rows, cols);
            const auto x = floats(std::size_t(n) * cols);
            Weight w = plain(f, data, rows, cols);
            std::vector<float> values(std::size_t(rows) * cols), want;
            dequantise(f, data.data(), values.data(), values.size());
            w.order = order.data();
            w.scales = &scale;
            for (int r = 0; r < n; ++r)
                for (int o = 0; o < rows; ++o) {
                    double sum = 0;
                    for (int c = 0; c < cols; ++c) sum += double(values[std::size_t(o * cols + c)]) * x[std::size_t(r * cols + order[std::size_t(c)])];
                    want.push_back(float(sum * scale));
                }
            EXPECT_LT(relative_error(product(*run.ops, w, x, n, nullptr, false), want), run.tolerance(f));
        }
}

TEST_F(TargetsTest, ExpertsMeetTheirInputsInTheirOwnOrders) {
    const int h = 64, inner = 96, experts = 3, used = 2, n = 9;
    std::vector<float> scales{0.5f, 1.25f, 0.75f};
    const auto orders = [&](int cols, int step) {
        std::vector<std::int32_t> out;
        for (int e = 0; e < experts; ++e)
            for (int c = 0; c < cols; ++c) out.push_back((c * step + e) % cols);
        return out;
    };
    const auto gate_order = orders(h, 5), up_order = orders(h, 11), down_order = orders(inner, 7);
    for (const Run& run : runs())
        for (Format f : {Format::e2m1, Format::q8_0}) {
            SCOPED_TRACE(run.name + " " + info(f).name);
            const auto g = blocks(f, experts * inner, h), u = blocks(f, experts * inner, h), d = blocks(f, experts * h, inner);
            Weight gate = plain(f, g, inner, h, experts), up = plain(f, u, inner, h, experts), down = plain(f, d, h, inner, experts);
            gate.order = gate_order.data(), up.order = up_order.data(), down.order = down_order.data();
            gate.scales = up.scales = down.scales = scales.data();
            auto x = floats(std::size_t(n) * h);
            std::vector<std::int32_t> chosen;
            std::vector<float> weights;
            for (int i = 0; i < n * used; ++i) chosen.push_back((i / used + i % used) % experts), weights.push_back(0.25f + 0.125f * float(i % 5));
            const auto result = [&](const Ops& ops) {
                Memory a(0), b(0), c(0);
                std::vector<float> out(std::size_t(n) * h);
                MoeArgs args{{out.data(), n, h}, {x.data(), n, h}, packed(ops, gate, experts, a), packed(ops, up, experts, b),
                             packed(ops, down, experts, c), nullptr, nullptr, nullptr, chosen.data(), weights.data(), experts, used};
                ops.moe_ffn(args, exec);
                return out;
            };
            EXPECT_LT(relative_error(result(*run.ops), result(ref_ops())), run.exact ? kFloatError : 2 * kInt8Error);
        }
}

TEST_F(TargetsTest, RowOpsAgreeWithRef) {
    for (const Run& run : runs())
        for (int cols : {1, 15, 16, 33, 128, 1030}) {
            SCOPED_TRACE(run.name + " cols " + std::to_string(cols));
            const int n = 19;
            auto x = floats(std::size_t(n) * cols), w = floats(std::size_t(cols)), y = floats(std::size_t(n) * cols);
            for (float& v : y) v *= 20;
            std::vector<float> got(x.size()), want(x.size());
            const Mat xm{x.data(), n, cols}, ym{y.data(), n, cols}, g{got.data(), n, cols}, e{want.data(), n, cols};
            run.ops->rms_norm(g, xm, w.data(), 1e-6f, exec);
            ref_ops().rms_norm(e, xm, w.data(), 1e-6f, exec);
            EXPECT_LT(relative_error(got, want), kFloatError);
            run.ops->rms_norm(g, xm, nullptr, 1e-6f, exec);
            ref_ops().rms_norm(e, xm, nullptr, 1e-6f, exec);
            EXPECT_LT(relative_error(got, want), kFloatError);
            run.ops->layer_norm(g, ym, w.data(), x.data(), 1e-6f, exec);
            ref_ops().layer_norm(e, ym, w.data(), x.data(), 1e-6f, exec);
            EXPECT_LT(relative_error(got, want), kFloatError);
            got = want = y;
            run.ops->gelu(g, exec);
            ref_ops().gelu(e, exec);
            EXPECT_LT(relative_error(got, want), kFloatError);
            for (const Activation activation : {Activation::silu, Activation::gelu_tanh, Activation::clamped_silu, Activation::sigmoid, Activation::identity}) {
                run.ops->activate(g, ym, xm, activation, exec);
                ref_ops().activate(e, ym, xm, activation, exec);
                EXPECT_LT(relative_error(got, want), kFloatError) << int(activation);
                run.ops->activate(g, xm, ym, activation, exec);  // values beyond the clamp
                ref_ops().activate(e, xm, ym, activation, exec);
                EXPECT_LT(relative_error(got, want), kFloatError) << int(activation);
            }
            run.ops->add_scaled(g, ym, -0.25f, exec);
            ref_ops().add_scaled(e, ym, -0.25f, exec);
            EXPECT_LT(relative_error(got, want), kFloatError);
        }
}

// Far out on the negative side as well: relative to the value, which goes to 0.
TEST_F(TargetsTest, GeluKeepsItsTail) {
    for (const Run& run : runs())
        for (float x = -12; x < 12; x += 0.013f) {
            float got = x, want = x;
            run.ops->gelu({&got, 1, 1}, exec);
            ref_ops().gelu({&want, 1, 1}, exec);
            EXPECT_LT(std::abs(got - want), 1e-5 * std::abs(want)) << run.name << " at " << x;
        }
}

TEST_F(TargetsTest, RopeAgreesWithRef) {
    for (const Run& run : runs())
        for (bool neox : {false, true})
            for (int dim : {64, 24, 6}) {
                const int heads = 3, head_dim = 64, n = 5;
                std::vector<float> frequencies;
                for (int i = 0; i < dim / 2; ++i) frequencies.push_back(float(std::pow(1e6, -2.0 * i / dim)));
                const std::int32_t positions[] = {0, 1, 77, 4096, 131071};
                auto got = floats(std::size_t(n) * heads * head_dim);
                auto want = got;
                const RopeArgs args{positions, frequencies.data(), head_dim, dim, neox, dim == 24 ? 1.25f : 1.f};
                run.ops->rope({got.data(), n, heads * head_dim}, args, exec);
                ref_ops().rope({want.data(), n, heads * head_dim}, args, exec);
                EXPECT_LT(relative_error(got, want), 1e-6) << run.name << " dim " << dim << (neox ? " neox" : "");
            }
}

TEST_F(TargetsTest, AttentionAgreesWithRef) {
    for (const Run& run : runs())
        for (int d : {64, 16, 128, 512, 8})
            for (bool half : {false, true})
                for (int window : {0, 1, 33, 128})
                    for (int context : {0, 5, 130, 300})
                        for (int rows : {1, 7, 45}) {
                            SCOPED_TRACE(run.name + " d " + std::to_string(d) + " context " + std::to_string(context) + " rows " +
                                         std::to_string(rows) + " window " + std::to_string(window) + (half ? " half" : ""));
                            const int kv_heads = 2, heads = 6, n = context + rows, blocks = (n + kKvBlock - 1) / kKvBlock;
                            // Memory that was never written may hold anything: NaN here.
                            std::vector<std::uint8_t> k(std::size_t(blocks) * kv_heads * kKvBlock * d * 4, 0xff), v = k;
                            std::vector<std::int32_t> order;
                            for (int i = 0; i < blocks; ++i) order.push_back(blocks - 1 - i);
                            const KvLayer kv{k.data(), v.data(), half, kv_heads, d};
                            auto keys = floats(std::size_t(n) * kv_heads * d), values = floats(std::size_t(n) * kv_heads * d);
                            const SequenceRows all{0, n, 0, order.data()};
                            run.ops->kv_append(kv, {keys.data(), n, kv_heads * d}, {values.data(), n, kv_heads * d}, &all, 1, exec);
                            const float sinks[] = {0.5f, -3, 2, 0, 40, -40};
                            auto q = floats(std::size_t(rows) * heads * d);
                            std::vector<float> got(q.size()), want(q.size());
                            const SequenceRows now{0, rows, context, order.data()};
                            AttentionArgs args{{got.data(), rows, heads * d}, {q.data(), rows, heads * d}, kv, &now, 1, heads, 2.0f / std::sqrt(float(d)), window, context == 130 ? sinks : nullptr};
                            run.ops->attention(args, exec);
                            args.out.data = want.data();
                            ref_ops().attention(args, exec);
                            EXPECT_LT(relative_error(got, want), run.exact ? kFloatError : kBf16Error);
                            EXPECT_EQ(scratch.used(), 0u);
                        }
}

// Every row sees all of its sequence, and none of the next one.
TEST_F(TargetsTest, AttentionWithoutACausalMaskAgreesWithRef) {
    for (const Run& run : runs())
        for (int d : {16, 32, 64, 8})
            for (bool half : {false, true})
                for (int rows : {1, 7, 32, 45, 150}) {
                    SCOPED_TRACE(run.name + " d " + std::to_string(d) + " rows " + std::to_string(rows) + (half ? " half" : ""));
                    const int heads = 3, n = 2 * rows, blocks = (rows + kKvBlock - 1) / kKvBlock;
                    std::vector<std::uint8_t> k(std::size_t(2 * blocks) * heads * kKvBlock * d * 4, 0xff), v = k;
                    std::vector<std::int32_t> order;
                    for (int i = 0; i < 2 * blocks; ++i) order.push_back(2 * blocks - 1 - i);
                    const KvLayer kv{k.data(), v.data(), half, heads, d};
                    auto keys = floats(std::size_t(n) * heads * d), values = floats(keys.size()), q = floats(keys.size());
                    const SequenceRows both[] = {{0, rows, 0, order.data()}, {rows, rows, 0, order.data() + blocks}};
                    run.ops->kv_append(kv, {keys.data(), n, heads * d}, {values.data(), n, heads * d}, both, 2, exec);
                    std::vector<float> got(q.size()), want(q.size()), alone(q.size() / 2);
                    AttentionArgs args{{got.data(), n, heads * d}, {q.data(), n, heads * d}, kv, both, 2, heads, 2.0f / std::sqrt(float(d)), 0, nullptr, false};
                    run.ops->attention(args, exec);
                    args.out.data = want.data();
                    ref_ops().attention(args, exec);
                    EXPECT_LT(relative_error(got, want), run.exact ? kFloatError : kBf16Error);
                    args.out.data = alone.data(), args.n_sequences = 1;
                    run.ops->attention(args, exec);
                    EXPECT_EQ(std::memcmp(alone.data(), got.data(), alone.size() * sizeof(float)), 0);
                }
}

TEST_F(TargetsTest, ExpertsAgreeWithRefAndDoNotDependOnTheBatch) {
    Pool many{7};  // more than the experts that a row chooses: they are cut
    for (const Run& run : runs())
        for (Format f : {Format::f16, Format::bf16, Format::q4_k, Format::q8_0, Format::mxfp4, Format::q2_k, Format::nvfp4, Format::iq3_xxs}) {
            SCOPED_TRACE(run.name + " " + info(f).name);
            const int h = 256, inner = 512, experts = 5, used = 2, n = 37;
            const auto g = blocks(f, experts * inner, h), u = blocks(f, experts * inner, h), d = blocks(f, experts * h, inner);
            const Weight gate = plain(f, g, inner, h, experts), up = plain(f, u, inner, h, experts), down = plain(f, d, h, inner, experts);
            auto x = floats(std::size_t(n) * h);
            const auto biases = floats(std::size_t(experts * inner + 1000));
            std::vector<std::int32_t> chosen;
            std::vector<float> weights;
            for (int r = 0; r < n; ++r)
                for (int k = 0; k < used; ++k) {
                    chosen.push_back((r * r + k * (1 + r % 3)) % experts);  // expert lists of different lengths
                    weights.push_back(0.25f + 0.5f * float(k));
                }
            auto result = [&](const Ops& ops, int first, int rows, Pool& on) {
                Memory a(0), b(0), c(0);
                std::vector<float> out(std::size_t(rows) * h, 0.125f);
                MoeArgs args{{out.data(), rows, h}, {x.data() + std::size_t(first) * h, rows, h}, packed(ops, gate, experts, a),
                             packed(ops, up, experts, b), packed(ops, down, experts, c), &biases[0], &biases[1000], &biases[50], &chosen[std::size_t(first * used)],
                             &weights[std::size_t(first * used)], experts, used};
                Exec with{&on, &scratch};
                ops.moe_ffn(args, with);
                return out;
            };
            const auto together = result(*run.ops, 0, n, pool);
            EXPECT_LT(relative_error(together, result(ref_ops(), 0, n, pool)), 2 * run.tolerance(f));
            EXPECT_EQ(together, result(*run.ops, 0, n, many));
            for (int r = 0; r < n; r += 9)
                for (Pool* on : {&pool, &many})
                    EXPECT_EQ(std::memcmp(result(*run.ops, r, 1, *on).data(), &together[std::size_t(r) * h], h * 4), 0) << "row " << r;
        }
}
