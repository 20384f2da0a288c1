// What a bench is told of a step: every operation once, with the bytes and the arithmetic that its shape has.
#include "engine/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "engine/engine.h"
#include "support/fixtures.h"

using namespace engine;

namespace {

std::unique_ptr<Engine> load(const char* name, Profile profile = Profile::fast) {
    auto engine = Engine::load({.path = support::data_dir() / "models" / name, .profile = profile, .threads = 2});
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

StepTimes step(Engine& engine, const StepShape& shape, int steps = 2) {
    auto times = engine.time_steps(shape, steps);
    if (!times) throw std::runtime_error(times.error().text());
    return *std::move(times);
}

double sum(const StepTimes& times, const char* op, double OpCost::*of) {
    double out = 0;
    for (const OpTime& one : times.ops)
        if (one.op == op) out += one.cost.*of * one.calls;
    return out / times.steps;
}

TEST(Bound, IsTheLargerOfBytesAndArithmetic) {
    const Rates rates{.read = 1e9, .int8 = 8e9, .bf16 = 4e9, .float32 = 2e9};
    OpCost cost{.bytes = 1e6, .operations = 4e6, .arithmetic = Arithmetic::int8};
    EXPECT_DOUBLE_EQ(bound(cost, rates), 1e-3);
    cost.arithmetic = Arithmetic::float32;
    EXPECT_DOUBLE_EQ(bound(cost, rates), 2e-3);
    StepTimes times;
    times.steps = 2;
    times.ops = {{"matmul", cost, 6, 1.0}, {"rope", {}, 2, 1.0}};
    times.rates = rates;
    EXPECT_DOUBLE_EQ(times.bound(), 6e-3);
}

// What the engine counts at loading and what the operations count while they run are worked out apart.
TEST(TimeSteps, ReadsTheWeightsOfOneTokenOnce) {
    for (const char* name : {"llama_tied.gguf", "qwen3_moe.gguf"}) {
        SCOPED_TRACE(name);
        const auto engine = load(name);
        const StepTimes times = step(*engine, {1, 1, 64});
        const double read = sum(times, "matmul", &OpCost::bytes) + sum(times, "moe_ffn", &OpCost::bytes);
        const double counted = double(engine->info().weight_bytes_per_token);
        EXPECT_NEAR(read, counted, 0.15 * counted);  // norms, and rows that fill up panels
        EXPECT_GT(times.seconds, 0);
        EXPECT_LE(times.least, times.seconds);
        EXPECT_GE(times.most, times.seconds);
    }
}

TEST(TimeSteps, AttentionReadsWhatIsKnown) {
    const auto engine = load("llama_tied.gguf");
    const double short_one = sum(step(*engine, {1, 1, 63}), "attention", &OpCost::bytes), long_one = sum(step(*engine, {1, 1, 127}), "attention", &OpCost::bytes);
    EXPECT_DOUBLE_EQ(long_one, 2 * short_one);
    EXPECT_DOUBLE_EQ(short_one, 64.0 * double(engine->memory().kv_bytes_per_token));
    EXPECT_DOUBLE_EQ(sum(step(*engine, {4, 1, 63}), "attention", &OpCost::bytes), 4 * short_one);
    const StepTimes prompt = step(*engine, {1, 64, 0});
    EXPECT_DOUBLE_EQ(sum(prompt, "attention", &OpCost::bytes), short_one);
    // Of each row its products but for the logits, which only the last one wants.
    const double all = sum(prompt, "matmul", &OpCost::operations), half = sum(step(*engine, {1, 32, 0}), "matmul", &OpCost::operations), one = sum(step(*engine, {1, 1, 0}), "matmul", &OpCost::operations);
    EXPECT_DOUBLE_EQ((all - half) / 32, (all - one) / 63);
}

// The bench leaves the engine as it was: the same text as before, and nothing held.
TEST(TimeSteps, LeavesTheEngineUsable) {
    const auto engine = load("qwen3_moe.gguf", Profile::exact);
    const auto text = [&](const char* salt) {
        Request request;
        request.prompt = {{.tokens = {1, 5, 9, 12}}};
        request.max_tokens = 12;
        request.cache_salt = salt;
        auto session = *engine->start(std::move(request));
        std::vector<TokenId> ids;
        while (auto event = session->next())
            if (event->id >= 0) ids.push_back(event->id);
        return ids;
    };
    const auto before = text("a");
    step(*engine, {2, 3, 40});
    EXPECT_EQ(text("b"), before);
    for (int i = 0; i < 500 && engine->load_now().kv_used_tokens > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(engine->load_now().kv_used_tokens, 0u);
    EXPECT_FALSE(engine->time_steps({1, 1 << 20, 0}, 1));
    EXPECT_FALSE(engine->time_steps({1, 1, 1 << 30}, 1));
    EXPECT_FALSE(engine->time_steps({0, 1, 0}, 1));
}

TEST(Rates, AreThoseOfThisMachine) {
    const auto engine = load("llama_tied.gguf");
    const auto rates = engine->rates();
    ASSERT_TRUE(rates);
    EXPECT_GT(rates->int8, 0);
    EXPECT_GT(rates->float32, 0);
    EXPECT_FALSE(load("bert_minilm.gguf")->rates());
}

}  // namespace
