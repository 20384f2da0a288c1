// Engine::embed: texts and token ids to vectors, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "engine/engine.h"
#include "support/fixtures.h"
#include "support/safetensors.h"

using namespace engine;

namespace {

std::filesystem::path model(const char* name) { return support::data_dir() / "models" / name; }

std::unique_ptr<Engine> load(LoadOptions options = {.profile = Profile::exact}) {
    if (options.path.empty()) options.path = model("bert_minilm.gguf");
    options.threads = 2;
    auto engine = Engine::load(options);
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i]) * b[i];
    return sum;
}

std::span<const float> vector(const Embeddings& e, int i) { return {e.values.data() + std::size_t(i * e.width), std::size_t(e.width)}; }

base::Error refusal(Engine& engine, EmbeddingRequest request) {
    auto got = engine.embed(request);
    return got ? base::error(base::Code::internal, "not refused") : got.error();
}

// A text of the vocabulary's words with so many tokens, [CLS] and [SEP] among them.
std::string text_of(int tokens) {
    std::string out;
    for (int i = 0; i < tokens - 2; ++i) out += "a ";
    return out;
}

}  // namespace

TEST(EncoderEngine, SaysWhatItIs) {
    const auto engine = load();
    EXPECT_EQ(engine->info().architecture, "bert");
    EXPECT_TRUE(engine->info().encoder);
    EXPECT_EQ(engine->info().pooling, "mean");
    EXPECT_EQ(engine->info().format, "F16");
    EXPECT_EQ(engine->info().hidden, 64);
    EXPECT_EQ(engine->info().parameters, 129344u);
    EXPECT_EQ(engine->memory().context, 128);
    EXPECT_EQ(engine->memory().kv, 0u);
    EXPECT_EQ(engine->memory().text().find("KV cache"), std::string::npos);
    const auto inspected = Engine::inspect(model("bert_minilm.gguf"));
    ASSERT_TRUE(inspected);
    EXPECT_EQ(inspected->parameters, engine->info().parameters);
    const auto plan = Engine::plan({.path = model("bert_minilm.gguf")});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->context, 128);
}

// From transformers, for the first text of the checkpoint's golden file.
TEST(EncoderEngine, GivesTheReferencesVector) {
    for (const Profile profile : {Profile::exact, Profile::fast}) {
        const auto engine = load({.profile = profile});
        const auto got = engine->embed({.inputs = {"the quick brown fox"}});
        ASSERT_TRUE(got) << got.error().text();
        EXPECT_EQ(got->width, 64);
        EXPECT_EQ(got->tokens, 11);
        const float expected[] = {0.21671565f, -0.00082672f, -0.19276398f, 0.05743775f};
        for (int i = 0; i < 4; ++i) EXPECT_NEAR(got->values[std::size_t(i)], expected[i], profile == Profile::exact ? 1e-5 : 2e-3);
        EXPECT_NEAR(dot(got->values, got->values), 1, 1e-6);
    }
}

TEST(EncoderEngine, ATextIsItsTokensBetweenClsAndSep) {
    const auto engine = load();
    const std::vector<TokenId> ids = {2, 148, 295, 208, 117, 259, 155, 100, 273, 94, 3};
    const auto both = engine->embed({.inputs = {"the quick brown fox", ids}});
    ASSERT_TRUE(both) << both.error().text();
    EXPECT_TRUE(std::ranges::equal(vector(*both, 0), vector(*both, 1)));
    EXPECT_EQ(both->tokens, 22);
    const auto control = engine->embed({.inputs = {"[CLS]", "[ cls ]"}});  // no text becomes a control token
    ASSERT_TRUE(control);
    EXPECT_TRUE(std::ranges::equal(vector(*control, 0), vector(*control, 1)));
}

// More texts than one step takes, of all lengths: each as if it were alone.
TEST(EncoderEngine, ManyTextsAreEachAsIfAlone) {
    for (const Profile profile : {Profile::exact, Profile::fast}) {
        const auto engine = load({.profile = profile});
        EmbeddingRequest request;
        for (int i = 0; i < 100; ++i) request.inputs.push_back(text_of(3 + i * 17 % 126) + std::to_string(i % 10));
        request.truncate = true;
        const auto together = engine->embed(request);
        ASSERT_TRUE(together) << together.error().text();
        ASSERT_EQ(together->values.size(), 100u * 64);
        for (int i = 0; i < 100; i += 7) {
            const auto alone = engine->embed({.inputs = {request.inputs[std::size_t(i)]}, .truncate = true});
            EXPECT_TRUE(std::ranges::equal(vector(*together, i), vector(*alone, 0))) << i;
        }
    }
}

TEST(EncoderEngine, WhatIsLongerThanTheContextIsRefusedOrCut) {
    const auto engine = load();
    EXPECT_TRUE(engine->embed({.inputs = {text_of(128)}}));
    const auto error = refusal(*engine, {.inputs = {"a", text_of(129)}});
    EXPECT_EQ(error.code, base::Code::context_length_exceeded);
    EXPECT_EQ(error.message, "input 1 has 129 tokens, the context holds 128");
    const auto cut = engine->embed({.inputs = {text_of(128), text_of(500)}, .truncate = true});
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->tokens, 256);
    EXPECT_TRUE(std::ranges::equal(vector(*cut, 0), vector(*cut, 1)));  // [SEP] is kept
    const std::vector<TokenId> many(300, 148);
    EXPECT_EQ(refusal(*engine, {.inputs = {many}}).code, base::Code::context_length_exceeded);
    EXPECT_TRUE(engine->embed({.inputs = {many}, .truncate = true}));

    const auto small = load({.context = 16});
    EXPECT_EQ(refusal(*small, {.inputs = {text_of(17)}}).message, "input 0 has 17 tokens, the context holds 16");
    const auto large = Engine::load({.path = model("bert_minilm.gguf"), .context = 129});
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, base::Code::invalid_argument);
}

TEST(EncoderEngine, RefusesWhatIsNoInput) {
    const auto engine = load();
    EXPECT_EQ(refusal(*engine, {.inputs = {std::vector<TokenId>{}}}).message, "input 0 has no tokens");
    EXPECT_EQ(refusal(*engine, {.inputs = {std::vector<TokenId>{2, 320}}}).message, "input 0 has token 320, expected 0 to 319");
    EXPECT_EQ(refusal(*engine, {.inputs = {std::vector<TokenId>{-1}}}).code, base::Code::invalid_argument);
    base::StopSource stop;
    stop.request_stop();
    const auto stopped = engine->embed({.inputs = {"a"}}, stop.token());
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, base::Code::cancelled);
}

TEST(EncoderEngine, AnEncoderDoesNotWriteAndADecoderDoesNotEmbed) {
    const auto encoder = load();
    Request request;
    request.prompt = {{.tokens = {2, 3}}};
    const auto session = encoder->start(request);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, base::Code::unsupported);
    EXPECT_THAT(session.error().message, testing::HasSubstr("is an encoder: it makes vectors of texts and writes none"));
    EXPECT_FALSE(encoder->logits({2, 3}));
    const auto decoder = load({.path = model("llama_tied.gguf")});
    EXPECT_FALSE(decoder->info().encoder);
    const auto error = refusal(*decoder, {.inputs = {"a"}});
    EXPECT_EQ(error.code, base::Code::unsupported);
    EXPECT_THAT(error.message, testing::HasSubstr("writes text and makes no vectors of it"));
}

// A decoder whose file says how its rows become a vector: of a checkpoint with that key added, against the states that
// transformers has behind the last norm.
TEST(EncoderEngine, ADecoderThatWasTrainedForItEmbeds) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const std::string whole = support::read_text(*golden / "qwen3/model-f16.gguf");
    const auto number = [](auto value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); };
    const auto text = [&](const std::string& value) { return number(std::uint64_t(value.size())) + value; };
    constexpr std::size_t kHead = 24;
    std::uint64_t keys = 0;
    std::memcpy(&keys, whole.data() + 16, sizeof keys);
    // Two keys of together 64 bytes, so that the tensors stay aligned.
    const std::string added = text("qwen3.pooling_type") + number(std::uint32_t(4)) + number(std::uint32_t(3)) + text("x") + number(std::uint32_t(8)) + text("alignment");
    ASSERT_EQ(added.size() % 32, 0u);
    const support::TempDir folder;
    std::ofstream(folder.path() / "m.gguf", std::ios::binary) << whole.substr(0, 16) << number(keys + 2) << added << whole.substr(kHead);

    const auto engine = load({.path = folder.path() / "m.gguf", .profile = Profile::exact});
    EXPECT_FALSE(engine->info().encoder);
    EXPECT_EQ(engine->info().pooling, "last");
    const auto prompts = nlohmann::json::parse(support::read_text(*golden / "qwen3/golden.json"))["prompts"];
    const auto ids = prompts[1]["ids"].get<std::vector<TokenId>>();
    ASSERT_EQ(ids.size(), 17u);
    const auto states = support::read_safetensors(*golden / "qwen3/golden.safetensors").at("h17.final_norm");
    const std::size_t width = states.shape[1];
    std::vector<float> last(states.values.end() - std::ptrdiff_t(width), states.values.end());
    const float length = std::sqrt(float(dot(last, last)));
    const auto got = engine->embed({.inputs = {ids, "a", ids}});
    ASSERT_TRUE(got) << got.error().text();
    ASSERT_EQ(std::size_t(got->width), width);
    for (std::size_t i = 0; i < width; ++i) EXPECT_NEAR(got->values[i], last[i] / length, 1e-5);
    EXPECT_TRUE(std::ranges::equal(vector(*got, 0), vector(*got, 2)));
}

TEST(EncoderEngine, EveryTargetIsNamedAndAnUnknownOneRefused) {
    const auto engine = load({.target = "ref"});
    std::vector<std::string> ops;
    for (const auto& choice : engine->targets()) ops.push_back(choice.op);
    EXPECT_THAT(ops, testing::ElementsAre("embed", "layer_norm", "matmul", "kv_append", "attention", "gelu", "add_scaled"));
    EXPECT_FALSE(Engine::load({.path = model("bert_minilm.gguf"), .target = "abacus"}));
    const auto tight = Engine::load({.path = model("bert_minilm.gguf"), .memory_limit = 1 << 20});
    ASSERT_FALSE(tight);
    EXPECT_EQ(tight.error().code, base::Code::resource_exhausted);
}
