// Operations on rows, heads and positions: every target agrees with ref.
#include <array>
#include <iterator>

#include "targets.h"

namespace engine::testing {

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

// A row's parts each by themselves, with the row's own weights.
TEST_F(TargetsTest, GroupNormIsANormOfEachPart) {
    constexpr int n = 3, groups = 4, part = 24;
    for (const Run& run : runs()) {
        auto x = floats(n * groups * part), w = floats(groups * part);
        std::vector<float> got(x.size()), want(x.size());
        run.ops->group_norm({got.data(), n, groups * part}, {x.data(), n, groups * part}, w.data(), groups, 1e-5f, exec);
        for (int i = 0; i < n * groups; ++i) ref_ops().rms_norm({&want[std::size_t(i) * part], 1, part}, {&x[std::size_t(i) * part], 1, part}, &w[std::size_t(i % groups) * part], 1e-5f, exec);
        EXPECT_LT(relative_error(got, want), kFloatError) << run.name;
    }
}

// To the bit: they move values and compute nothing that rounds twice.
TEST_F(TargetsTest, RowsAndColumnsGoWhereTheyAreSent) {
    for (const Run& run : runs()) {
        SCOPED_TRACE(run.name);
        std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, out(8, 0.0f);  // x: three rows of four
        run.ops->copy_columns({out.data(), 2, 4}, 1, {x.data(), 2, 4}, 2, 2, exec);
        EXPECT_EQ(out, (std::vector<float>{0, 3, 4, 0, 0, 7, 8, 0}));
        const std::int32_t rows[] = {2, 0};
        run.ops->gather_rows({out.data(), 2, 4}, {x.data(), 3, 4}, rows, exec);
        EXPECT_EQ(out, (std::vector<float>{9, 10, 11, 12, 1, 2, 3, 4}));
        const float row[] = {1, 2, 3, 4};
        run.ops->subtract_row({out.data(), 2, 4}, row, exec);
        EXPECT_EQ(out, (std::vector<float>{8, 8, 8, 8, 0, 0, 0, 0}));
        run.ops->clear({out.data(), 1, 4}, exec);
        EXPECT_EQ(out, std::vector<float>(8, 0.0f));
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

struct AttentionShape {
    int heads, kv_heads, d;
    KvFormat format;
    int window, context, rows;
    bool sinks = false;
};

struct AttentionTest : TargetsTest {
    // The last `rows` of a sequence against all of it, on the target and on ref.
    void check(const Run& run, const AttentionShape& s) {
        if (left_out(run)) return;
        SCOPED_TRACE(run.name + " d " + std::to_string(s.d) + " heads " + std::to_string(s.heads) + " context " + std::to_string(s.context) + " rows " +
                     std::to_string(s.rows) + " window " + std::to_string(s.window) + " format " + std::to_string(int(s.format)));
        const int n = s.context + s.rows, blocks = (n + kKvBlock - 1) / kKvBlock;
        // Memory that was never written may hold anything: NaN here.
        std::vector<std::uint8_t> k(std::size_t(blocks) * s.kv_heads * kv_head_bytes(s.format, s.d), 0xff), v = k;
        std::vector<std::int32_t> order;
        for (int i = 0; i < blocks; ++i) order.push_back(blocks - 1 - i);
        const KvLayer kv{k.data(), v.data(), s.format, s.kv_heads, s.d};
        auto keys = floats(std::size_t(n) * s.kv_heads * s.d), values = floats(std::size_t(n) * s.kv_heads * s.d);
        const SequenceRows all{0, n, 0, order.data()};
        run.ops->kv_append(kv, {keys.data(), n, s.kv_heads * s.d}, {values.data(), n, s.kv_heads * s.d}, &all, 1, exec);
        std::vector<float> sinks;
        for (int i = 0; i < s.heads; ++i) sinks.push_back(i % 6 < 4 ? float(i % 6) - 3 : i % 2 ? -40.0f : 40.0f);
        auto q = floats(std::size_t(s.rows) * s.heads * s.d);
        std::vector<float> got(q.size()), want(q.size());
        const SequenceRows now{0, s.rows, s.context, order.data()};
        AttentionArgs args{{got.data(), s.rows, s.heads * s.d}, {q.data(), s.rows, s.heads * s.d}, kv, &now, 1, s.heads, 2.0f / std::sqrt(float(s.d)), s.window,
                           s.sinks ? sinks.data() : nullptr};
        run.ops->attention(args, exec);
        args.out.data = want.data();
        ref_ops().attention(args, exec);
        EXPECT_LT(relative_error(got, want), run.exact ? kFloatError : kBf16Error);
        EXPECT_EQ(scratch.used(), 0u);
    }
};

TEST_F(AttentionTest, AttentionAgreesWithRef) {
    for (const Run& run : runs())
        for (int d : {64, 16, 128, 512, 8})
            for (KvFormat format : kv_formats) {
                int nth = int(format);  // each meets one of the windows, by turns
                for (int context : {0, 5, 130, 300})
                    for (int rows : {1, 7, 45})
                        for (int window : {0, std::array{1, 33, 128}[std::size_t(nth++ % 3)]}) check(run, {6, 2, d, format, window, context, rows, context == 130});
            }
}

// Counts of query heads to one of keys, and the head sizes of the families: some are no multiple of a vector.
TEST_F(AttentionTest, AttentionOfEveryShapeOfHeadsAgreesWithRef) {
    for (const Run& run : runs())
        for (int group : {1, 2, 3, 4, 5, 7, 8, 12, 16})
            for (int d : {64, 72, 80, 96, 128, 192, 256, 512})
                for (int rows : {1, 5, 33}) check(run, {2 * group, 2, d, kv_formats[std::size_t(group) % std::size(kv_formats)], rows == 5 ? 40 : 0, 63, rows});
}

// Rows far into a sequence, whose keys are cut into pieces and these into spans: the last row of a piece and the first of the
// next one, more pieces than there may be spans, windows that begin within a piece.
TEST_F(AttentionTest, AttentionOverManyPiecesAgreesWithRef) {
    for (const Run& run : runs())
        for (int group : {1, 2, 7, 8})
            for (int context : {255, 256, 1023, 4420})
                for (int window : {0, 300}) check(run, {group, 1, group == 7 ? 64 : 48, kv_formats[std::size_t(group + context) % std::size(kv_formats)], window, context, 1 + context % 2, context == 1023});
}

// However many CPU threads there are, and with other rows or alone: the same bits.
TEST_F(AttentionTest, ARowsAttentionDependsOnNothingButItsKeys) {
    for (const Run& run : runs())
        for (KvFormat format : kv_formats) {
            SCOPED_TRACE(run.name + " format " + std::to_string(int(format)));
            const int heads = 7, d = 64, n = 1300, rows = 3, blocks = (n + kKvBlock - 1) / kKvBlock;
            std::vector<std::uint8_t> k(std::size_t(blocks) * kv_head_bytes(format, d), 0xff), v = k;
            std::vector<std::int32_t> order;
            for (int i = 0; i < blocks; ++i) order.push_back(blocks - 1 - i);
            const KvLayer kv{k.data(), v.data(), format, 1, d};
            auto keys = floats(std::size_t(n) * d), values = floats(std::size_t(n) * d), q = floats(std::size_t(rows) * heads * d);
            const SequenceRows all{0, n, 0, order.data()};
            run.ops->kv_append(kv, {keys.data(), n, d}, {values.data(), n, d}, &all, 1, exec);
            std::vector<float> together(q.size()), alone(q.size());
            const auto attend = [&](int threads, const SequenceRows& s, std::vector<float>& out) {
                Pool some(threads);
                Exec with{&some, &scratch};
                run.ops->attention({{out.data(), rows, heads * d}, {q.data(), rows, heads * d}, kv, &s, 1, heads, 0.125f}, with);
            };
            SequenceRows several{0, rows, n - rows, order.data()};
            attend(1, several, together);
            for (int threads : {1, 3})
                for (int r = 0; r < rows; ++r) attend(threads, {r, 1, n - rows + r, order.data()}, alone);
            EXPECT_EQ(std::memcmp(alone.data(), together.data(), alone.size() * sizeof(float)), 0);
        }
}

// A row that sees one key has that key's value: what the cache kept of it.
TEST_F(AttentionTest, ValuesComeBackAsTheirFormatKeepsThem) {
    for (const Run& run : runs())
        for (const KvFormat format : kv_formats) {
            SCOPED_TRACE(run.name + " format " + std::to_string(int(format)));
            const int heads = 3, d = 64;
            std::vector<std::uint8_t> k(std::size_t(heads) * kv_head_bytes(format, d), 0xff), v = k;
            const std::int32_t block = 0;
            const KvLayer kv{k.data(), v.data(), format, heads, d};
            auto keys = floats(heads * d), values = floats(heads * d), q = floats(heads * d);
            std::fill_n(values.begin(), d, 0.0f);  // a head of zeroes
            std::vector<float> got(values.size());
            const SequenceRows one{0, 1, 0, &block};
            run.ops->kv_append(kv, {keys.data(), 1, heads * d}, {values.data(), 1, heads * d}, &one, 1, exec);
            run.ops->attention({{got.data(), 1, heads * d}, {q.data(), 1, heads * d}, kv, &one, 1, heads, 0.125f}, exec);
            for (int h = 0; h < heads; ++h) {
                const float* const of_head = values.data() + h * d;
                float largest = 0;
                double error = 0;
                for (int i = 0; i < d; ++i) largest = std::max(largest, std::fabs(of_head[i]));
                for (int i = 0; i < d; ++i) {
                    const float off = std::fabs(got[std::size_t(h * d + i)] - of_head[i]);
                    error += double(off) * off;
                    if (has_scales(format)) continue;
                    ASSERT_LE(off, format == KvFormat::f32 ? 0 : largest / (format == KvFormat::f16 ? 2048 : 256) * 1.001f) << "head " << h << " value " << i;
                }
                // Of int8 half a step away at most in each turned dimension, and no turned number is more than all of them are long; of
                // fp8 a sixteenth of each number, or half of the least one there is.
                const double length = std::sqrt(squares(std::vector<float>(of_head, of_head + d)));
                EXPECT_LE(std::sqrt(error), 1.001 * length * (format == KvFormat::fp8 ? 1 / 16.0 + std::sqrt(d) / (448 * 1024) : std::sqrt(d) / 254)) << "head " << h;
            }
        }
}

// One large number among small ones does not take their bits: by itself its step would be 0.79.
TEST_F(AttentionTest, ALargeNumberLeavesEightBitsToTheOthers) {
    for (const Run& run : runs()) {
        SCOPED_TRACE(run.name);
        const int d = 64;
        std::vector<std::uint8_t> k(kv_head_bytes(KvFormat::int8, d)), v = k;
        const std::int32_t block = 0;
        const KvLayer kv{k.data(), v.data(), KvFormat::int8, 1, d};
        auto key = floats(d), value = floats(d), q = floats(d);
        value[9] = 100;
        std::vector<float> got(d);
        const SequenceRows one{0, 1, 0, &block};
        run.ops->kv_append(kv, {key.data(), 1, d}, {value.data(), 1, d}, &one, 1, exec);
        run.ops->attention({{got.data(), 1, d}, {q.data(), 1, d}, kv, &one, 1, 1, 0.125f}, exec);
        double error = 0;
        for (int i = 0; i < d; ++i) error += std::pow(double(got[std::size_t(i)]) - value[std::size_t(i)], 2);
        EXPECT_LT(std::sqrt(error / d), 0.07);
        EXPECT_GT(error, 0);
    }
}

// Numbers too small for a scale of their own are kept as zeroes, and those near the end of floats as what they are.
TEST_F(AttentionTest, EightBitsTakeTheSmallestAndTheLargestNumbers) {
    for (const Run& run : runs())
        for (const KvFormat format : {KvFormat::int8, KvFormat::fp8})
            for (const float magnitude : {1e-42f, 1e-37f, 1e-20f, 1e30f}) {
                SCOPED_TRACE(run.name + " " + std::to_string(magnitude) + " format " + std::to_string(int(format)));
                const int d = 64;
                std::vector<std::uint8_t> k(kv_head_bytes(format, d)), v = k;
                const std::int32_t block = 0;
                const KvLayer kv{k.data(), v.data(), format, 1, d};
                std::vector<float> key(d), value(d), q(d), got(d);
                for (int i = 0; i < d; ++i) value[std::size_t(i)] = i % 3 == 0 ? magnitude : -magnitude;
                const SequenceRows one{0, 1, 0, &block};
                run.ops->kv_append(kv, {key.data(), 1, d}, {value.data(), 1, d}, &one, 1, exec);
                run.ops->attention({{got.data(), 1, d}, {q.data(), 1, d}, kv, &one, 1, 1, 0.125f}, exec);
                for (int i = 0; i < d; ++i) {
                    ASSERT_NEAR(got[std::size_t(i)], magnitude < 1e-30f ? 0 : value[std::size_t(i)], magnitude < 1e-30f ? 0 : magnitude / 2) << i;
                }
            }
}

// Every row sees all of its sequence, and none of the next one.
TEST_F(AttentionTest, AttentionWithoutACausalMaskAgreesWithRef) {
    for (const Run& run : runs())
        for (int d : {16, 32, 64, 8})
            for (KvFormat format : kv_formats)
                for (int rows : {1, 7, 32, 45, 150}) {
                    if (left_out(run)) continue;
                    SCOPED_TRACE(run.name + " d " + std::to_string(d) + " rows " + std::to_string(rows) + " format " + std::to_string(int(format)));
                    const int heads = 3, n = 2 * rows, blocks = (rows + kKvBlock - 1) / kKvBlock;
                    std::vector<std::uint8_t> k(std::size_t(2 * blocks) * heads * kv_head_bytes(format, d), 0xff), v = k;
                    std::vector<std::int32_t> order;
                    for (int i = 0; i < 2 * blocks; ++i) order.push_back(2 * blocks - 1 - i);
                    const KvLayer kv{k.data(), v.data(), format, heads, d};
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

// Twice the rounds are twice the operations, and no kind of arithmetic is quicker than the one with fewer bits.
TEST_F(TargetsTest, PeakCountsWhatItDoes) {
    for (const Run& run : runs()) {
        SCOPED_TRACE(run.name);
        double narrower = run.ops->peak(Arithmetic::int8, 100);
        for (const Arithmetic arithmetic : {Arithmetic::int8, Arithmetic::bf16, Arithmetic::float32}) {
            const double once = run.ops->peak(arithmetic, 100);
            EXPECT_GE(once, 100 * 2);
            EXPECT_LE(once, narrower);
            EXPECT_EQ(run.ops->peak(arithmetic, 200), 2 * once);
            narrower = once;
        }
    }
}

}  // namespace engine::testing
