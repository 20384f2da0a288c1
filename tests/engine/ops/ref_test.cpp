// The reference ops against values worked out by hand.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include "engine/ops/ops.h"

using namespace engine;

namespace {

struct RefTest : testing::Test {
    Pool pool{2};
    std::vector<std::uint8_t> memory = std::vector<std::uint8_t>(1 << 16);
    Scratch scratch{memory.data(), memory.size()};
    Exec exec{&pool, &scratch};
    const Ops& ops = ref_ops();

    static Weight weight(const std::vector<float>& values, int rows, int cols) {
        return {Format::f32, Layout::plain, rows, cols, reinterpret_cast<const std::uint8_t*>(values.data()),
                values.size() * 4};
    }
};

}  // namespace

TEST_F(RefTest, MatmulAddsBiasAndAccumulates) {
    const std::vector<float> w = {1, 2, 3, 4, 5, 6};  // 3 × 2
    std::vector<float> x = {1, 10, 2, 0}, out(6, 100), bias = {1, 0, -1};
    const Weight weight_ = weight(w, 3, 2);
    EXPECT_EQ(ops.packed_bytes(Format::f32, 3, 2), 0u);
    ops.pack(weight_, nullptr);  // the plain layout needs none
    MatmulJob job{&weight_, {out.data(), 2, 3}, bias.data(), false};
    ops.matmul(&job, 1, {x.data(), 2, 2}, exec);
    EXPECT_EQ(out, (std::vector<float>{22, 43, 64, 3, 6, 9}));
    job.accumulate = true;
    job.bias = nullptr;
    ops.matmul(&job, 1, {x.data(), 2, 2}, exec);
    EXPECT_EQ(out[0], 43);
}

TEST_F(RefTest, RowOps) {
    std::vector<float> x = {3, 4}, w = {1, 2}, out(2);
    ops.rms_norm({out.data(), 1, 2}, {x.data(), 1, 2}, w.data(), 0, exec);
    EXPECT_FLOAT_EQ(out[0], 3 / std::sqrt(12.5f));
    EXPECT_FLOAT_EQ(out[1], 8 / std::sqrt(12.5f));

    std::vector<float> b = {10, 20};
    ops.layer_norm({out.data(), 1, 2}, {x.data(), 1, 2}, w.data(), b.data(), 0, exec);  // mean 3.5, variance 0.25
    EXPECT_EQ(out, (std::vector<float>{9, 22}));

    out = {-1, 2};
    ops.gelu({out.data(), 1, 2}, exec);
    EXPECT_NEAR(out[0], -0.158655254, 1e-8);  // -Φ(-1)
    EXPECT_NEAR(out[1], 2 * 0.977249868, 1e-7);

    std::vector<float> gate = {0, 1}, up = {5, 2};
    const auto activate = [&](Activation activation) { ops.activate({out.data(), 1, 2}, {gate.data(), 1, 2}, {up.data(), 1, 2}, activation, exec); };
    activate(Activation::silu);
    EXPECT_EQ(out[0], 0);
    EXPECT_FLOAT_EQ(out[1], 2 / (1 + std::exp(-1.0f)));
    activate(Activation::gelu_tanh);
    EXPECT_NEAR(out[1], 2 * 0.841192, 1e-6);  // Hendrycks and Gimpel's approximation at 1
    gate = {9, 1}, up = {-9, 2};
    activate(Activation::clamped_silu);
    EXPECT_FLOAT_EQ(out[0], float(-6 * 7 / (1 + std::exp(-1.702 * 7))));
    EXPECT_FLOAT_EQ(out[1], float(3 / (1 + std::exp(-1.702))));

    out = {1, 2};
    ops.add_scaled({out.data(), 1, 2}, {x.data(), 1, 2}, 0.5f, exec);
    EXPECT_EQ(out, (std::vector<float>{2.5f, 4}));
    ops.scale({out.data(), 1, 2}, 2, exec);
    EXPECT_EQ(out, (std::vector<float>{5, 8}));
    std::vector<float> zero = {0};
    ops.scale_rows({out.data(), 1, 2}, {zero.data(), 1, 1}, exec);
    EXPECT_EQ(out, (std::vector<float>{2.5f, 4}));
    ops.softcap({out.data(), 1, 2}, 2, exec);
    EXPECT_FLOAT_EQ(out[1], 2 * std::tanh(2.0f));

    const std::vector<float> table = {1, 2, 3, 4, 5, 6};
    const std::int32_t ids[] = {2, 0};
    std::vector<float> rows(4);
    ops.embed({rows.data(), 2, 2}, weight(table, 3, 2), ids, exec);
    EXPECT_EQ(rows, (std::vector<float>{5, 6, 1, 2}));
}

TEST_F(RefTest, RopeTurnsPairsByTheirAngle) {
    const std::int32_t positions[] = {2};
    const float frequencies[] = {float(M_PI) / 4, 0};
    std::vector<float> x = {1, 2, 3, 4};
    RopeArgs args{positions, frequencies, 4, 4, false};
    ops.rope({x.data(), 1, 4}, args, exec);  // a quarter turn of (1, 2), none of (3, 4)
    EXPECT_NEAR(x[0], -2, 1e-6);
    EXPECT_NEAR(x[1], 1, 1e-6);
    EXPECT_EQ(x[2], 3);
    x = {1, 2, 3, 4};
    args.neox = true;
    ops.rope({x.data(), 1, 4}, args, exec);  // pairs (1, 3) and (2, 4)
    EXPECT_NEAR(x[0], -3, 1e-6);
    EXPECT_NEAR(x[2], 1, 1e-6);
    EXPECT_EQ(x[1], 2);
}

TEST_F(RefTest, AttentionIsCausalAndPaged) {
    // One kv head of size 2, two query heads, 33 positions over blocks 1 and 0.
    std::vector<float> k(2 * kKvBlock * 2), v(k.size()), rows(33 * 2), values(33 * 2);
    for (int p = 0; p < 33; ++p) values[2 * p] = float(p);  // keys are zero: weights are uniform
    const std::int32_t blocks[] = {1, 0};
    const KvLayer kv{k.data(), v.data(), KvFormat::f32, 1, 2};
    const SequenceRows sequence{0, 33, 0, blocks};
    ops.kv_append(kv, {rows.data(), 33, 2}, {values.data(), 33, 2}, &sequence, 1, exec);
    EXPECT_EQ(v[kKvBlock * 2 + 5], 5);  // dimension 0 of position 5, which lies in block 1
    EXPECT_EQ(v[0], 32);                  // position 32 in block 0
    std::vector<float> q(33 * 4, 1), out(33 * 4);
    ops.attention({{out.data(), 33, 4}, {q.data(), 33, 4}, kv, &sequence, 1, 2, 1.0f}, exec);
    EXPECT_FLOAT_EQ(out[0], 0);
    EXPECT_FLOAT_EQ(out[4 * 1 + 2], 0.5f);  // mean of 0 and 1, second head
    EXPECT_FLOAT_EQ(out[4 * 32], 16);       // mean of 0 … 32
    ops.attention({{out.data(), 33, 4}, {q.data(), 33, 4}, kv, &sequence, 1, 2, 1.0f, 0, nullptr, false}, exec);
    EXPECT_FLOAT_EQ(out[0], 16);            // the first row sees the last
}

TEST_F(RefTest, TheRouterTakesTheLargestLowestIndexFirst) {
    std::vector<float> logits = {0, 1, 1, -1};
    std::int32_t chosen[2];
    float weights[2];
    RouteArgs args{.logits = {logits.data(), 1, 4}, .used = 2, .normalise = true, .chosen = chosen, .weights = weights};
    ops.moe_route(args, exec);
    EXPECT_EQ(chosen[0], 1);
    EXPECT_EQ(chosen[1], 2);
    EXPECT_FLOAT_EQ(weights[0], 0.5f);
    args.normalise = false, args.scale = 2;
    ops.moe_route(args, exec);
    const double total = 1 + 2 * std::exp(1.0) + std::exp(-1.0);
    EXPECT_FLOAT_EQ(weights[0], float(2 * std::exp(1.0) / total));
    const float of_experts[] = {1, 3, 1, 1};
    args.expert_scale = of_experts;
    ops.moe_route(args, exec);
    EXPECT_FLOAT_EQ(weights[0], float(6 * std::exp(1.0) / total));
}

TEST_F(RefTest, TheRouterChoosesByBiasWithinTheBestGroups) {
    // Sigmoids 0.5 each but the last, whose bias makes it the best of all alone; the first group's two are better together.
    std::vector<float> logits = {0, 0, 0, -2};
    const float bias[] = {0.5f, 0.4f, -0.1f, 0.7f};
    std::int32_t chosen[2];
    float weights[2];
    RouteArgs args{.logits = {logits.data(), 1, 4}, .used = 2, .sigmoid = true, .bias = bias, .chosen = chosen, .weights = weights};
    ops.moe_route(args, exec);
    EXPECT_EQ(chosen[0], 0);
    EXPECT_EQ(chosen[1], 1);
    EXPECT_EQ(weights[0], 0.5f);
    logits[3] = 1;
    ops.moe_route(args, exec);
    EXPECT_EQ(chosen[0], 3);
    EXPECT_FLOAT_EQ(weights[0], float(1 / (1 + std::exp(-1.0))));  // without the bias
    args.groups = 2;
    ops.moe_route(args, exec);
    EXPECT_EQ(chosen[0], 0);
    EXPECT_EQ(chosen[1], 1);
}

TEST_F(RefTest, ExpertsAreWeighedAndAdded) {
    const std::vector<float> gate = {1, 2}, up = {3, 4}, down = {10, 100};  // two experts of 1 × 1
    std::vector<float> x = {1}, out = {7};
    const std::int32_t chosen[] = {1};
    const float weights[] = {0.5f};
    auto stack = [](const std::vector<float>& values) {
        Weight w = weight(values, 1, 1);
        w.stride = 4;
        return w;
    };
    ops.moe_ffn({{out.data(), 1, 1}, {x.data(), 1, 1}, stack(gate), stack(up), stack(down), nullptr, nullptr, nullptr, chosen, weights, 2, 1}, exec);
    const double hidden = 2 / (1 + std::exp(-2.0)) * 4;
    EXPECT_FLOAT_EQ(out[0], float(7 + 0.5 * hidden * 100));

    const float one_each[] = {0, 1}, more[] = {50, 60};
    out = {7};
    ops.moe_ffn({{out.data(), 1, 1}, {x.data(), 1, 1}, stack(gate), stack(up), stack(down), one_each, one_each, more, chosen, weights, 2, 1,
                 Activation::clamped_silu}, exec);
    EXPECT_FLOAT_EQ(out[0], float(7 + 0.5 * (3 / (1 + std::exp(-1.702 * 3)) * 6 * 100 + 60)));
}

TEST_F(RefTest, AConvolutionSeesTheRowsOfTheStepBefore) {
    const float w[] = {1, 10, 100};  // (3, 1)
    std::vector<float> x = {1, 2, 3}, out(3), state(2);
    SequenceRows rows{0, 3, 0, nullptr, state.data()};
    const auto convolve = [&] { ops.convolve({{out.data(), 3, 1}, {x.data(), 3, 1}, w, nullptr, 3, false, &rows, 1, 0}, exec); };
    convolve();
    EXPECT_EQ(out, (std::vector<float>{100, 210, 321}));
    EXPECT_EQ(state, (std::vector<float>{2, 3}));
    x[0] = 4, rows.rows = 1;
    convolve();
    EXPECT_EQ(out[0], 432);
    EXPECT_EQ(state, (std::vector<float>{3, 4}));
    const float bias[] = {-432 + 1};
    x[0] = 4, state = {2, 3};
    ops.convolve({{out.data(), 3, 1}, {x.data(), 3, 1}, w, bias, 3, true, &rows, 1, 0}, exec);
    EXPECT_FLOAT_EQ(out[0], float(1 / (1 + std::exp(-1.0))));
}

TEST_F(RefTest, TheGatedDeltaRuleCorrectsWhatItRemembers) {
    // One head of 1 × 1: q and k become 1, the state halves (exp(-softplus(0))), the correction is half of what is missing.
    std::vector<float> qkv = {3, 2, 4, 3, 2, 4}, zero = {0, 0}, out(2), state(1);
    const float a[] = {-1}, dt_bias[] = {0};
    const SequenceRows rows{0, 2, 0, nullptr, state.data()};
    ops.gated_delta({{out.data(), 2, 1}, {qkv.data(), 2, 3}, {zero.data(), 2, 1}, {zero.data(), 2, 1}, a, dt_bias, 1, 1, 1, 1, false, &rows, 1, 0}, exec);
    EXPECT_NEAR(out[0], 2, 1e-5);
    EXPECT_NEAR(out[1], 2.5, 1e-5);
    EXPECT_NEAR(state[0], 2.5, 1e-5);
}

TEST_F(RefTest, ASelectiveScanFadesAndAdds) {
    std::vector<float> xbc = {2, 3, 5, 2, 3, 5}, dt = {0, 0}, out(2), state(1);
    const float a[] = {-1}, d[] = {7}, dt_bias[] = {0};
    const SequenceRows rows{0, 2, 0, nullptr, state.data()};
    ops.selective_scan({{out.data(), 2, 1}, {xbc.data(), 2, 3}, {dt.data(), 2, 1}, a, d, dt_bias, 1, 1, 1, 1, &rows, 1, 0}, exec);
    EXPECT_FLOAT_EQ(out[0], float(6 * M_LN2 * 5 + 14));
    EXPECT_FLOAT_EQ(out[1], float(9 * M_LN2 * 5 + 14));
}

TEST(Pool, EveryItemRunsOnce) {
    Pool pool(4);
    for (int round = 0; round < 2000; ++round) {
        std::atomic<int> sum{0};
        pool.run(round % 37, [&](int item, int) { sum += item + 1; });
        const int n = round % 37;
        ASSERT_EQ(sum, n * (n + 1) / 2);
    }
}

TEST(Pool, ThoseThatComputeAtOnceTakeTheirPart) {
    const auto share = std::make_shared<PoolShare>(0);
    Pool one(4, share), other(4, share);
    // So many CPU threads run a task at once: an item waits until as many have come, or a while.
    const auto together = [](Pool& pool) {
        std::atomic<int> inside{0}, most{0};
        pool.run(16, [&](int, int thread) {
            ASSERT_LT(thread, 4);
            ++inside;
            for (int i = 0; i < 200 && inside < 4; ++i) std::this_thread::sleep_for(std::chrono::microseconds(100));
            for (int seen = most, now = inside; seen < now && !most.compare_exchange_weak(seen, now);) {}
            --inside;
        });
        return most.load();
    };
    {
        const Pool::Busy first(one);
        EXPECT_GT(together(one), 2);
        const Pool::Busy second(other), again(other);
        EXPECT_LE(together(one), 2);
        EXPECT_LE(together(other), 2);
    }
    EXPECT_EQ(*share, 0);
    EXPECT_GT(together(one), 2);
}

// The part grows and shrinks between tasks, and a worker that was left out may have missed several.
TEST(Pool, EveryItemRunsOnceWhileTheShareChanges) {
    const auto share = std::make_shared<PoolShare>(1);
    Pool pool(4, share);
    for (int round = 0; round < 4000; ++round) {
        *share = 1 + round * 7 % 5;
        std::atomic<int> sum{0};
        pool.run(round % 37, [&](int item, int) { sum += item + 1; });
        const int n = round % 37;
        ASSERT_EQ(sum, n * (n + 1) / 2);
        if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // until they sleep
    }
}
