#include "engine/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/runner.h"

using namespace engine;

namespace {

constexpr std::uint64_t MiB = 1u << 20;
// 100 MiB of weights, 10 of scratch, 1 KiB a token.
PlanInput input(std::uint64_t available) { return {100 * MiB, 10 * MiB, 1024, available, 4096}; }

}  // namespace

TEST(MemoryPlan, LeavesATenthAndSumsUp) {
    const auto plan = plan_memory(input(1000 * MiB), {});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->limit, 1000 * MiB / 10 * 9);
    EXPECT_EQ(plan->context, 4096);
    EXPECT_EQ(plan->kv_tokens, 8u * 4096);  // eight sequences of a whole context
    EXPECT_EQ(plan->kv, plan->kv_tokens * 1024);
    EXPECT_EQ(plan->total, plan->weights + plan->kv + plan->scratch);
}

TEST(MemoryPlan, TellsHowKeysAndValuesAreKept) {
    EXPECT_EQ(plan_memory(input(1000 * MiB), {})->kv_format, KvFormat::f16);
    EXPECT_EQ(plan_memory(input(1000 * MiB), {.profile = Profile::exact})->kv_format, KvFormat::f32);
    const auto plan = plan_memory(input(1000 * MiB), {.profile = Profile::exact, .kv_format = KvFormat::int8});
    EXPECT_EQ(plan->kv_format, KvFormat::int8);
    EXPECT_THAT(plan->text(), testing::HasSubstr("tokens as int8"));
    // 36 layers of 8 heads of 128 values, keys and values, 1024 tokens: 144 MiB as halves, 72 and 2.25 of scales as int8.
    EXPECT_EQ(36u * 2 * 8 * kv_head_bytes(KvFormat::f16, 128) * 1024 / 32, 144 * MiB);
    for (const KvFormat eight : {KvFormat::int8, KvFormat::fp8}) EXPECT_EQ(36u * 2 * 8 * kv_head_bytes(eight, 128) * 1024 / 32, 72 * MiB + 9 * MiB / 4);
}

// A family's layers by their own numbers; the sums are done here by hand.
TEST(MemoryPlan, ATokensKeysAndValuesAreLayersTimesHeadsTimesDimensions) {
    const Family plain{.name = "plain"}, latent{.name = "latent", .latent = true};
    Config c;
    c.family = &plain;
    c.layers = 94;
    for (int i = 0; i < c.layers; ++i) c.layer.push_back({.kv_heads = 4, .head_dim = 128, .kv_layer = i});
    EXPECT_EQ(kv_bytes_per_token(c, KvFormat::f16), 192512u);
    EXPECT_EQ(kv_sum(c, KvFormat::f16), "94 layers × 4 heads × 128 × 2 (keys, values) × 2 bytes");
    EXPECT_EQ(kv_bytes_per_token(c, KvFormat::bf16), 192512u);
    EXPECT_EQ(kv_sum(c, KvFormat::bf16), kv_sum(c, KvFormat::f16));
    EXPECT_EQ(kv_bytes_per_token(c, KvFormat::int8), 94u * 4 * (128 + 4) * 2);
    EXPECT_EQ(kv_bytes_per_token(c, KvFormat::fp8), 94u * 4 * (128 + 4) * 2);
    EXPECT_EQ(kv_sum(c, KvFormat::int8), "94 layers × 4 heads × (128 + 4 of scale) × 2 (keys, values) × 1 byte");

    for (int i = 0; i < c.layers; ++i)  // three of four are recurrent
        if (i % 4 != 3) c.layer[std::size_t(i)] = {.mixer = Mixer::gated_delta, .kv_layer = i};
    c.layer[3].head_dim = 64;
    c.layer[7].kv_layer = 3;            // which reads another's
    EXPECT_EQ(kv_sum(c, KvFormat::f16), "1 layer × 4 heads × 64 × 2 (keys, values) × 2 bytes + 21 layers × 4 heads × 128 × 2 (keys, values) × 2 bytes");
    EXPECT_EQ(kv_bytes_per_token(c, KvFormat::f16), 4u * 64 * 4 + 21u * 4 * 128 * 4);

    Config m;
    m.family = &latent;
    m.layers = 2;
    for (int i = 0; i < 2; ++i) m.layer.push_back({.kv_heads = 1, .head_dim = 576, .kv_layer = i});
    EXPECT_EQ(kv_bytes_per_token(m, KvFormat::f16), 2u * 576 * 2);
    EXPECT_EQ(kv_sum(m, KvFormat::f16), "2 layers × 1 head × 576 (latent, keys and values in one) × 2 bytes");
}

TEST(MemoryPlan, AShareSizesThePoolAndTheContextDoesNot) {
    auto in = input(10000 * MiB);
    in.trained_context = 131072;
    std::set<std::uint64_t> pools;
    for (const int context : {8192, 32768, 65536, 131072}) pools.insert(plan_memory(in, {.memory_percent = 85, .context = context, .fill = true})->kv_tokens);
    ASSERT_EQ(pools.size(), 1u);
    EXPECT_GT(plan_memory(in, {.memory_percent = 90, .context = 8192, .fill = true})->kv_tokens, *pools.begin());
    EXPECT_EQ(plan_memory(in, {.memory_percent = 85, .fill = true})->percent, 85);
    EXPECT_EQ(plan_memory(in, {.memory_limit = 1000 * MiB})->percent, 0);
    // Smaller weights leave more of the same machine, and a longer context.
    in = {52000 * MiB, 10 * MiB, 768 * 1024, 119000 * MiB, 131072};
    const auto heavy = plan_memory(in, {.memory_percent = 85, .fill = true});
    in.weights = 16500 * MiB;
    const auto light = plan_memory(in, {.memory_percent = 85, .fill = true});
    ASSERT_TRUE(heavy && light);
    EXPECT_NEAR(double(light->kv - heavy->kv) / MiB, 35500, 24) << "but for the rest of a block";
    EXPECT_GT(light->context, heavy->context);
    EXPECT_FALSE(plan_memory(in, {.memory_limit = 17000 * MiB, .context = 8192, .fill = true})) << "one sequence does not fit";
}

TEST(MemoryPlan, ThePoolIsBoundedByDefaultAndAsLargeAsAsked) {
    auto wide = input(10000 * MiB);
    wide.trained_context = 40000;
    EXPECT_EQ(plan_memory(wide, {})->kv_tokens, 65536u);
    wide.trained_context = 200000;
    EXPECT_EQ(plan_memory(wide, {})->kv_tokens, 200000u);
    EXPECT_EQ(plan_memory(wide, {.kv_tokens = 300000})->kv_tokens, 300000u);
}

TEST(MemoryPlan, TheContextShrinksToWhatFitsUnlessItWasAskedFor) {
    const auto plan = plan_memory(input(124 * MiB), {});  // 1.6 MiB are left for keys and values
    ASSERT_TRUE(plan);
    EXPECT_LT(plan->context, 4096);
    EXPECT_GE(plan->context, 512);
    EXPECT_LE(plan->total, plan->limit);
    const auto asked = plan_memory(input(124 * MiB), {.context = 4096});
    ASSERT_FALSE(asked);
    EXPECT_THAT(asked.error().message, testing::AllOf(testing::HasSubstr("100 MiB for weights"), testing::HasSubstr("4096 tokens"),
                                                      testing::HasSubstr("limit is 112 MiB")));
    EXPECT_FALSE(plan_memory(input(1000 * MiB), {.context = 5000}));  // more than it was trained for
    EXPECT_FALSE(plan_memory(input(110 * MiB), {}));
    EXPECT_FALSE(plan_memory(input(1000 * MiB), {.memory_limit = 105 * MiB}));
    EXPECT_FALSE(plan_memory(input(1000 * MiB), {.kv_tokens = 4000000}));
}

TEST(MemoryPlan, EveryPlanKeepsItsPromises) {
    for (std::uint64_t available = 100; available < 400; available += 7)
        for (const int context : {0, 1, 31, 32, 33, 1000})
            for (const std::uint64_t pool : {std::uint64_t(0), std::uint64_t(33), std::uint64_t(5000)}) {
                const LoadOptions options{.context = context, .kv_tokens = pool};
                const auto plan = plan_memory(input(available * MiB), options);
                if (!plan) continue;
                EXPECT_LE(plan->total, plan->limit);
                EXPECT_LE(std::uint64_t(plan->context), plan->kv_tokens);
                EXPECT_EQ(plan->kv_tokens % 32, 0u);
                EXPECT_GE(plan->context, 1);
                if (context) {
                    EXPECT_EQ(plan->context, context);
                }
                if (pool) {
                    EXPECT_GE(plan->kv_tokens, pool);
                }
            }
}

TEST(MemoryPlan, ItsCapacityIsWhatAPlanWouldTake) {
    auto in = input(777 * MiB);
    in.trained_context = 1 << 20;
    const auto plan = plan_memory(in, {.context = 1000});
    ASSERT_TRUE(plan);
    const auto most = capacity(*plan);
    EXPECT_TRUE(plan_memory(in, {.context = int(most.kv_tokens)}));
    EXPECT_FALSE(plan_memory(in, {.context = int(most.kv_tokens) + 1}));
    in.weights = most.weights;
    EXPECT_TRUE(plan_memory(in, {.context = 1000, .kv_tokens = plan->kv_tokens}));
    in.weights += MiB;
    EXPECT_FALSE(plan_memory(in, {.context = 1000, .kv_tokens = plan->kv_tokens}));
}

TEST(MemoryPlan, WhatAModelCannotDoWithoutMayTakeTheLargerShare) {
    auto in = input(1000 * MiB);
    in.weights = 800 * MiB;
    EXPECT_FALSE(plan_memory(in, {.memory_percent = 75}));
    const auto tight = plan_memory(in, {.memory_percent = 75, .needed_percent = 90});
    ASSERT_TRUE(tight);
    EXPECT_EQ(tight->limit, 900 * MiB);
    EXPECT_EQ(tight->percent, 90);
    EXPECT_EQ(tight->kv_tokens, 512u) << "the least, though more would fit";
    EXPECT_EQ(plan_memory(in, {.memory_percent = 75, .needed_percent = 90, .context = 2048})->kv_tokens, 2048u);
    EXPECT_EQ(plan_encoder(in, {.memory_percent = 75, .needed_percent = 90})->percent, 90);
    EXPECT_FALSE(plan_memory(in, {.memory_limit = 805 * MiB, .memory_percent = 75, .needed_percent = 90}));
    EXPECT_FALSE(plan_memory(in, {.memory_percent = 75, .needed_percent = 90, .ceiling = 805 * MiB}));
    in.weights = 895 * MiB;
    const auto refused = plan_memory(in, {.memory_percent = 75, .needed_percent = 90});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().remedy, testing::HasSubstr("model.utilisation"));
    in.weights = 100 * MiB;
    in.trained_context = 1 << 20;
    const auto roomy = plan_memory(in, {.memory_percent = 75, .needed_percent = 90});
    EXPECT_EQ(roomy->percent, 75) << "the rest is held to the smaller one";
    EXPECT_LE(roomy->total, 750 * MiB);
}

TEST(MemoryPlan, TheLimitIsNineTenthsOrWhatIsAsked) {
    EXPECT_EQ(memory_limit({}, 1000 * MiB), 900 * MiB);
    EXPECT_EQ(memory_limit({.memory_limit = 300 * MiB}, 1000 * MiB), 300 * MiB);
    EXPECT_EQ(memory_limit({.memory_limit = 3000 * MiB}, 1000 * MiB), 1000 * MiB);
    EXPECT_EQ(memory_limit({.memory_percent = 75}, 1000 * MiB), 750 * MiB);
    EXPECT_EQ(memory_limit({.ceiling = 800 * MiB}, 1000 * MiB), 800 * MiB);
}
