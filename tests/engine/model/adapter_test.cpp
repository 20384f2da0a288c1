// Adapters: what they add, beside each other in one batch, and what is refused.
#include "engine/model/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "checkpoint_folder.h"

using namespace engine;
using checkpoints::Folder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

fs::path base_folder() { return support::data_dir() / "models/llama_tied"; }

struct Matrix {
    int rows, cols;
    std::vector<float> values;
};

Matrix random_matrix(int rows, int cols, std::mt19937& random, float size) {
    std::normal_distribution<float> normal(0, size);
    Matrix out{rows, cols, {}};
    for (int i = 0; i < rows * cols; ++i) out.values.push_back(normal(random));
    return out;
}

// A folder as PEFT writes it, with matrices of our own.
struct Lora {
    support::TempDir dir;
    json config = {{"peft_type", "LORA"}, {"bias", "none"}, {"r", 8}, {"lora_alpha", 24}};
    std::map<std::string, std::pair<Matrix, Matrix>> modules;  // of each A and B

    Lora(int seed, int rank, const std::vector<std::string>& names) {
        std::mt19937 random(std::size_t(seed) + 1);
        config["r"] = rank;
        const std::map<std::string, std::pair<int, int>> shapes = {{"self_attn.q_proj", {96, 96}}, {"self_attn.k_proj", {32, 96}}, {"self_attn.v_proj", {32, 96}}, {"self_attn.o_proj", {96, 96}},
                                                                   {"mlp.gate_proj", {128, 96}}, {"mlp.up_proj", {128, 96}}, {"mlp.down_proj", {96, 128}}};
        for (int layer = 0; layer < 2; ++layer)
            for (const auto& name : names) {
                const auto [outputs, inputs] = shapes.at(name);
                modules["model.layers." + std::to_string(layer) + "." + name] = {random_matrix(rank, inputs, random, 0.08f), random_matrix(outputs, rank, random, 0.08f)};
            }
    }
    double scale() const { return config["lora_alpha"].get<double>() / config["r"].get<double>(); }

    const fs::path& write() const {
        checkpoints::write(dir.path() / "adapter_config.json", config.dump());
        json header = json::object();
        std::string bytes;
        const auto add = [&](const std::string& name, const Matrix& m) {
            const std::size_t size = m.values.size() * sizeof(float);
            header[name] = {{"dtype", "F32"}, {"shape", {m.rows, m.cols}}, {"data_offsets", {bytes.size(), bytes.size() + size}}};
            bytes.append(reinterpret_cast<const char*>(m.values.data()), size);
        };
        for (const auto& [name, pair] : modules) {
            add("base_model.model." + name + ".lora_A.weight", pair.first);
            add("base_model.model." + name + ".lora_B.weight", pair.second);
        }
        const std::string head = header.dump();
        const std::uint64_t length = head.size();
        checkpoints::write(dir.path() / "adapter_model.safetensors", std::string(reinterpret_cast<const char*>(&length), 8) + head + bytes);
        return dir.path();
    }

    // The base model with the products added to its weights, as floats.
    std::unique_ptr<Folder> merged() const {
        auto out = std::make_unique<Folder>(base_folder());
        for (const auto& [name, pair] : modules) {
            const auto& [a, b] = pair;
            std::string& bytes = out->data.at(name + ".weight");
            std::vector<float> w(bytes.size() / 2);
            dequantise(Format::f16, bytes.data(), w.data(), w.size());
            for (int r = 0; r < b.rows; ++r)
                for (int c = 0; c < a.cols; ++c) {
                    double sum = 0;
                    for (int k = 0; k < a.rows; ++k) sum += double(b.values[std::size_t(r * b.cols + k)]) * a.values[std::size_t(k * a.cols + c)];
                    w[std::size_t(r * a.cols + c)] += float(scale() * sum);
                }
            bytes.assign(reinterpret_cast<const char*>(w.data()), w.size() * sizeof(float));
            out->header[name + ".weight"]["dtype"] = "F32";
        }
        out->write_all();
        return out;
    }
};

const std::vector<std::string> kAll = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"};

std::unique_ptr<Engine> load(const fs::path& path, std::vector<std::pair<std::string, fs::path>> adapters = {}, Profile profile = Profile::exact) {
    auto engine = Engine::load({.path = path, .profile = profile, .threads = 2, .adapters = std::move(adapters)});
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

// Which a plan says as well, before any weight is read.
std::string refusal(const fs::path& adapter, const fs::path& model = base_folder()) {
    const LoadOptions options{.path = model, .profile = Profile::exact, .threads = 1, .adapters = {{"a", adapter}}};
    const auto engine = Engine::load(options);
    const auto plan = Engine::plan(options);
    const std::string said = engine ? "" : engine.error().text();
    EXPECT_EQ(plan ? "" : plan.error().text(), said);
    return said;
}

constexpr TokenId kNamed = 300;

struct Output {
    std::vector<TokenId> ids;
    std::vector<float> logprobs;
    Usage usage;
};

Request request(const std::string& adapter, int seed = 0) {
    Request r;
    r.prompt.emplace_back();
    for (int i = 0; i < 40; ++i) r.prompt.back().tokens.push_back(5 + (i * 37 + seed * 11) % 300);
    r.max_tokens = 24;
    r.ignore_eos = true;
    r.logprobs = 4;
    r.adapter = adapter;
    // The GGUF names tokens that the folder's tokenizer leaves unnamed, which nothing chooses there.
    for (TokenId id = kNamed; id < 320; ++id) r.sampling.logit_bias[id] = -1000;
    return r;
}

Output read(Session& session) {
    Output out;
    while (auto event = session.next()) {
        EXPECT_EQ(event->error, "");
        if (event->id >= 0) out.ids.push_back(event->id);
        for (const auto& top : event->top) out.logprobs.push_back(top.logprob);
    }
    out.usage = session.usage();
    return out;
}

Output run(Engine& engine, const Request& request) { return read(**engine.start(request)); }

void expect_near(const Output& got, const Output& want) {
    ASSERT_EQ(got.ids, want.ids);
    ASSERT_EQ(got.logprobs.size(), want.logprobs.size());
    for (std::size_t i = 0; i < got.logprobs.size(); ++i) ASSERT_NEAR(got.logprobs[i], want.logprobs[i], 2e-4) << i;
}

}  // namespace

// As a model says that has the products in its weights: by folder, and by GGUF, whose queries and keys lie in another order.
TEST(Adapter, SaysWhatTheMergedModelSays) {
    for (const int rank : {1, 8, 32}) {
        SCOPED_TRACE(rank);
        const Lora lora(rank, rank, kAll);
        const auto merged = lora.merged();
        auto whole = load(merged->path());
        const auto want = run(*whole, request(""));
        for (const fs::path& path : {base_folder(), support::data_dir() / "models/llama_tied.gguf"}) {
            SCOPED_TRACE(path);
            auto engine = load(path, {{"mine", lora.write()}});
            EXPECT_EQ(engine->adapters(), std::vector<std::string>{"mine"});
            expect_near(run(*engine, request("mine")), want);
        }
    }
}

TEST(Adapter, EachModuleByItself) {
    for (const auto& name : kAll) {
        SCOPED_TRACE(name);
        const Lora lora(3, 4, {name});
        const auto merged = lora.merged();
        auto whole = load(merged->path()), engine = load(support::data_dir() / "models/llama_tied.gguf", {{"mine", lora.write()}});
        expect_near(run(*engine, request("mine")), run(*whole, request("")));
    }
}

// Four beside the plain model, in one batch: each says what it says alone, to the bit, and finds nothing of the others' in the cache.
TEST(Adapter, SeveralInOneBatchStayApart) {
    std::vector<std::unique_ptr<Lora>> loras;
    std::vector<std::pair<std::string, fs::path>> folders;
    for (int i = 0; i < 4; ++i) {
        loras.push_back(std::make_unique<Lora>(i, 4 << (i % 3), i % 2 ? kAll : std::vector<std::string>{"self_attn.q_proj", "self_attn.v_proj"}));
        folders.emplace_back("adapter " + std::to_string(i), loras.back()->write());
    }
    auto engine = load(base_folder(), folders), plain = load(base_folder());
    std::vector<std::string> names = {""};
    for (const auto& [name, folder] : folders) names.push_back(name);
    std::vector<Output> alone;
    for (const auto& name : names) {
        alone.push_back(run(*engine, request(name)));
        EXPECT_EQ(alone.back().usage.cached_tokens, 0) << name;
    }
    const auto base = run(*plain, request(""));
    EXPECT_EQ(alone[0].ids, base.ids);
    EXPECT_EQ(alone[0].logprobs, base.logprobs);
    for (std::size_t i = 1; i < names.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(alone[i].logprobs, alone[j].logprobs) << i << " and " << j;
    auto together = load(base_folder(), folders);
    std::vector<std::unique_ptr<Session>> sessions;
    for (const auto& name : names) sessions.push_back(*together->start(request(name)));
    for (std::size_t i = 0; i < sessions.size(); ++i) {
        const auto out = read(*sessions[i]);
        EXPECT_EQ(out.ids, alone[i].ids) << names[i];
        EXPECT_EQ(out.logprobs, alone[i].logprobs) << names[i];
    }
    EXPECT_EQ(run(*together, request(names[2])).usage.cached_tokens, 39) << "its own beginning is found";
}

TEST(Adapter, WhatItCannotFollowIsRefusedByName) {
    using testing::AllOf;
    using testing::HasSubstr;
    const auto changed = [](const std::function<void(Lora&)>& change) {
        Lora lora(1, 8, {"self_attn.q_proj"});
        change(lora);
        return refusal(lora.write());
    };
    EXPECT_EQ(changed([](Lora&) {}), "");
    EXPECT_THAT(refusal(Lora(1, 33, {"self_attn.q_proj"}).write()), AllOf(HasSubstr("adapter_config.json"), HasSubstr("rank 33, expected 1 to 32")));
    EXPECT_THAT(changed([](Lora& l) { l.config["use_dora"] = true; }), HasSubstr("use_dora is true"));
    EXPECT_THAT(changed([](Lora& l) { l.config["peft_type"] = "IA3"; }), HasSubstr("peft_type is 'IA3', expected LORA"));
    EXPECT_THAT(changed([](Lora& l) { l.config["bias"] = "all"; }), HasSubstr("bias is 'all'"));
    EXPECT_THAT(changed([](Lora& l) { l.config["rank_pattern"] = {{"q_proj", 4}}; }), HasSubstr("rank_pattern is set"));
    EXPECT_THAT(changed([](Lora& l) { l.config["lora_alpha"] = "16"; }), HasSubstr("lora_alpha is no number"));
    EXPECT_THAT(changed([](Lora& l) { l.config["r"] = 4; }), AllOf(HasSubstr("lora_A.weight"), HasSubstr("expected rank 4")));
    EXPECT_THAT(changed([](Lora& l) {
                    auto node = l.modules.extract(l.modules.begin());
                    node.key() = "model.layers.7.self_attn.q_proj";
                    l.modules.insert(std::move(node));
                }),
                AllOf(HasSubstr("model.layers.7.self_attn.q_proj.lora_A.weight"), HasSubstr("the model has not")));
    EXPECT_THAT(changed([](Lora& l) {
                    auto& b = l.modules.begin()->second.second;
                    b.rows = 95, b.values.resize(95 * 8);
                }),
                AllOf(HasSubstr("[95, 8]"), HasSubstr("expected 96 outputs")));
    EXPECT_THAT(refusal(Lora(1, 8, {"mlp.up_proj"}).write(), support::data_dir() / "models/qwen3_moe.gguf"), HasSubstr("mlp.up_proj.lora_A.weight"));
    EXPECT_THAT(refusal(support::data_dir() / "nowhere"), HasSubstr("cannot read"));
    Lora damaged(1, 8, {"self_attn.q_proj"});
    damaged.modules.begin()->second.second.values[3] = std::nanf("");
    const auto loaded = Engine::load({.path = base_folder(), .adapters = {{"a", damaged.write()}}});
    ASSERT_FALSE(loaded) << "its values are read at the load alone";
    EXPECT_THAT(loaded.error().message, AllOf(HasSubstr("lora_B.weight"), HasSubstr("no numbers")));
    auto engine = load(base_folder());
    EXPECT_THAT(engine->start(request("other")).error().text(), HasSubstr("no adapter 'other'"));
}
