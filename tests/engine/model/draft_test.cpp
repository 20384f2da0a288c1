// Heads that draft against transformers: the golden checkpoints that have one, from folder and GGUF, on every target whose
// arithmetic is the exact profile's.
#include "engine/model/draft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/draft_choice.h"
#include "engine/engine.h"
#include "one_sequence.h"
#include "support/fixtures.h"
#include "support/safetensors.h"

using namespace engine;
using nlohmann::json;
using Tokens = std::vector<std::int32_t>;
using Golden = std::map<std::string, support::GoldenTensor>;

namespace {

// The head of a model, its keys and values in float.
class Drafting {
public:
    explicit Drafting(OneSequence& target) : pool_(target.pool()) {
        auto head = load_draft_head(target.model(), pool_);
        if (!head) throw std::runtime_error(head.error().message);
        if (!*head) throw std::runtime_error("there is no head");
        head_ = *std::move(head);
        constexpr int kBlocks = 4;
        kv_memory_.resize(kBlocks * kKvBlock * kv_bytes_per_token(config(), KvFormat::f32));
        kv_ = kv_layers(config(), kBlocks, KvFormat::f32, kv_memory_.data());
        for (int i = 0; i < kBlocks; ++i) blocks_.push_back(kBlocks - 1 - i);
        memory_.resize(draft_scratch(config(), 64, pool_.threads()));
    }

    struct Rows {
        std::vector<float> logits, states;
    };
    // Rows at positions context … with the tokens behind them and the states there.
    Rows feed(const Tokens& tokens, std::vector<float> states, int context) {
        const int n = int(tokens.size());
        Tokens positions, rows;
        for (int i = 0; i < n; ++i) positions.push_back(context + i), rows.push_back(i);
        const SequenceRows sequence{0, n, context, blocks_.data()};
        Rows out{std::vector<float>(tokens.size() * std::size_t(config().vocabulary)), std::vector<float>(states.size())};
        Scratch scratch(memory_.data(), memory_.size());
        Exec exec{&pool_, &scratch};
        draft(*head_, {tokens.data(), positions.data(), n, &sequence, 1, rows.data(), n, out.states.data()}, {states.data(), n, config().hidden}, kv_[0], out.logits.data(), exec);
        EXPECT_EQ(scratch.used(), 0u);
        return out;
    }
    const DraftHead& head() const { return *head_; }
    const Config& config() const { return head_->decoder.config; }

private:
    Pool& pool_;
    std::unique_ptr<DraftHead> head_;
    std::vector<std::uint8_t> kv_memory_, memory_;
    std::vector<KvLayer> kv_;
    Tokens blocks_;
};

std::vector<float> tail(const std::vector<float>& rows, int width) { return {rows.end() - width, rows.end()}; }
std::int32_t best(const std::vector<float>& logits) { return std::int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin()); }

std::vector<float> part(const std::vector<float>& rows, int from, int to, int width) { return {rows.begin() + from * width, rows.begin() + to * width}; }

struct Tolerance {
    double logits, states;  // 20 × the float32–float64 difference of the golden's own implementation
    explicit Tolerance(const json& golden) : logits(golden["suggested_tolerance_logits_fp32"]), states(20 * golden["fp32_vs_fp64_max_abs"]["hidden_17"].get<double>()) {}
};

// A prompt's rows through model and head, then a chain of guesses.
void check_chain(OneSequence& target, Drafting& drafting, const Tokens& prompt, const json& chain, const Golden& golden, const Tolerance& tolerance) {
    const std::string n = "_" + std::to_string(prompt.size());
    const int v = target.vocabulary(), h = drafting.config().hidden, rows = int(prompt.size());
    std::vector<float> states;
    const std::int32_t first = best(tail(target.feed(prompt, 0, nullptr, &states), v));
    ASSERT_EQ(first, chain["first_token"]);
    EXPECT_LE(largest_difference(states, golden.at("target_hidden" + n).values), tolerance.states);
    Tokens next(prompt.begin() + 1, prompt.end());
    next.push_back(first);
    Drafting::Rows out = drafting.feed(next, states, 0);
    EXPECT_LE(largest_difference(out.logits, golden.at("mtp_logits" + n).values), tolerance.logits);
    EXPECT_LE(largest_difference(out.states, golden.at("mtp_hidden" + n).values), tolerance.states);
    std::printf("  %d rows: logits %.1e of %.1e, states %.1e of %.1e\n", rows, largest_difference(out.logits, golden.at("mtp_logits" + n).values), tolerance.logits,
                largest_difference(out.states, golden.at("mtp_hidden" + n).values), tolerance.states);

    std::vector<float> behind = tail(out.logits, v), parts;
    Tokens drafts{best(behind)};
    for (Drafting::Rows one = out; drafts.size() < chain["drafts"].size(); drafts.push_back(best(one.logits))) {
        one = drafting.feed({drafts.back()}, tail(one.states, h), rows + int(drafts.size()) - 1);
        behind.insert(behind.end(), one.logits.begin(), one.logits.end());
    }
    EXPECT_EQ(drafts, chain["drafts"].get<Tokens>());
    EXPECT_LE(largest_difference(behind, golden.at("mtp_chain_logits" + n).values), tolerance.logits);

    // Over what the guesses left behind, in parts: the same bits.
    for (int at = 0, size = 1; at < rows; at += size, size = 2 * size + 1) {
        const int end = std::min(rows, at + size);
        const auto some = drafting.feed({next.begin() + at, next.begin() + end}, part(states, at, end, h), at).logits;
        parts.insert(parts.end(), some.begin(), some.end());
    }
    EXPECT_EQ(parts, out.logits);
}

void check_golden(const std::filesystem::path& folder, const std::filesystem::path& file, const Target& on) {
    SCOPED_TRACE(file.string() + " on " + on.name);
    std::printf("%s on %s\n", (folder.filename() / (file == folder ? "" : file.filename())).c_str(), on.name.c_str());
    const json golden = json::parse(support::read_text(folder / "golden.json")), mtp = json::parse(support::read_text(folder / "golden_mtp.json"));
    const auto tensors = support::read_safetensors(folder / "golden_mtp.safetensors");
    OneSequence target(file, *on.ops);
    Drafting drafting(target);
    ASSERT_EQ(mtp["chains"].size(), 2u);
    for (const json& chain : mtp["chains"])
        check_chain(target, drafting, golden["prompts"][chain["prompt"].get<std::size_t>()]["ids"], chain, tensors, Tolerance(golden));
}

}  // namespace

struct DraftOn : testing::TestWithParam<Target> {
    void SetUp() override {
        if (!support::golden_dir()) GTEST_SKIP() << "no golden checkpoints";
        if (!GetParam().available) GTEST_SKIP() << GetParam().reason;
    }
};

INSTANTIATE_TEST_SUITE_P(Exact, DraftOn, testing::ValuesIn(targets(true)), [](const auto& info) { return info.param.name; });

TEST_P(DraftOn, GoldenHeadsAgree) {
    for (const char* name : {"qwen3_next", "qwen3_5", "qwen3_5_moe"})
        for (const auto& file : {*support::golden_dir() / name, *support::golden_dir() / name / "model-f16.gguf"}) check_golden(*support::golden_dir() / name, file, GetParam());
}

// Quantised checkpoints leave the head as it is: on the unquantised model's states it says the same.
TEST_P(DraftOn, HeadsOfQuantisedCheckpointsAgree) {
    const auto base = *support::golden_dir() / "qwen3_5_moe";
    const json golden = json::parse(support::read_text(base / "golden.json")), mtp = json::parse(support::read_text(base / "golden_mtp.json"));
    const auto tensors = support::read_safetensors(base / "golden_mtp.safetensors");
    const auto prompt = golden["prompts"][1]["ids"].get<Tokens>();
    Tokens next(prompt.begin() + 1, prompt.end());
    next.push_back(mtp["chains"][0]["first_token"]);
    for (const char* name : {"q_qwen3_5_moe_ct_nvfp4", "q_qwen3_5_moe_ct_w4a16_g32", "q_qwen3_5_moe_fp8_block_native", "q_qwen3_5_moe_modelopt_nvfp4"}) {
        SCOPED_TRACE(name);
        OneSequence target(*support::golden_dir() / name, *GetParam().ops);
        Drafting drafting(target);
        EXPECT_LE(largest_difference(drafting.feed(next, tensors.at("target_hidden_17").values, 0).logits, tensors.at("mtp_logits_17").values), Tolerance(golden).logits);
    }
}

// The head costs what was said before it is loaded, and the model nothing for it.
TEST(Draft, AHeadIsMeasuredBesideTheModel) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    const Ops& ops = *targets(true).front().ops;
    for (const char* name : {"qwen3_next", "qwen3_5", "qwen3_5_moe", "qwen3_next/model-f16.gguf", "qwen3_5/model-f16.gguf", "qwen3_5_moe/model-f16.gguf"}) {
        SCOPED_TRACE(name);
        OneSequence target(*golden / name, ops);
        const ModelFile& file = *target.model().file;
        Drafting drafting(target);
        const auto of_head = measure_draft_head(file, target.model().config, ops);
        const auto of_model = measure_model(file, target.model().config, ops);
        ASSERT_TRUE(of_head && of_model);
        EXPECT_GT(of_head->packed + of_head->mapped, 0u);
        EXPECT_EQ(drafting.head().decoder.packed.size(), of_head->packed);
        EXPECT_EQ(target.model().packed.size(), of_model->bytes.packed);
        EXPECT_EQ(file.sizes(target.model().config)->parameters, of_model->parameters) << "the description counts the head";
        EXPECT_EQ(kv_bytes_per_token(drafting.config(), KvFormat::f32), 2u * 4u * std::uint64_t(drafting.config().largest_kv_width()));
    }
    OneSequence without(*golden / "qwen3", ops);
    const auto none = load_draft_head(without.model(), without.pool());
    ASSERT_TRUE(none);
    EXPECT_EQ(*none, nullptr);
    EXPECT_EQ(measure_draft_head(*without.model().file, without.model().config, ops)->packed, 0u);
}

namespace {

// How many of the guesses behind `prompt` tokens, one at a time, come true in the text.
std::pair<int, int> guesses_that_come_true(OneSequence& target, const Tokens& text, int prompt) {
    Drafting drafting(target);
    std::vector<float> states;
    target.feed(text, 0, nullptr, &states);
    states.resize(states.size() - std::size_t(drafting.config().hidden));
    const std::vector<float> logits = drafting.feed({text.begin() + 1, text.end()}, states, 0).logits;
    int made = 0, right = 0, rows = 1;  // of the step: those behind which a guess was wrong are computed again
    for (int at = prompt + 1; at + 1 < int(text.size()); ++at) {
        if (rows > kMostAgain) {
            rows = 1;
            continue;
        }
        ++made;
        const bool comes_true = best(part(logits, at - 2, at - 1, drafting.config().vocabulary)) == text[std::size_t(at)];
        rows = comes_true ? 1 : rows + 1;
        if (comes_true) ++right, ++at;
    }
    return {made, right};
}

}  // namespace

// In the midst of requests the head says what it says alone: after wrong guesses, and from prompts that are cached.
TEST(Draft, RequestsAreGuessedForAsTheHeadSays) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"qwen3_next", "qwen3_5"}) {
        SCOPED_TRACE(name);
        const auto path = *golden / name / "model-f16.gguf";
        auto engine = Engine::load({.path = path, .profile = Profile::exact, .threads = 1, .draft_length = 1, .lookups = false});
        ASSERT_TRUE(engine) << engine.error().text();
        const auto all = targets(true);
        OneSequence target(path, *std::ranges::find_if(all, &Target::available)->ops);
        int right = 0;
        for (int seed = 1; seed <= 12; ++seed) {
            Request request;
            request.prompt = {{.tokens = {7 + seed / 2, 8, 9, 10, 11, 12, 13}}};
            request.sampling = {.temperature = 0.6f, .top_k = 6, .seed = std::uint64_t(seed)};
            request.max_tokens = 50;
            request.ignore_eos = true;
            auto session = *(*engine)->start(request);
            Tokens text = request.prompt[0].tokens;
            while (auto event = session->next())
                if (event->id >= 0) text.push_back(event->id);
            const auto [made, came_true] = guesses_that_come_true(target, text, 7);
            EXPECT_EQ(session->usage().drafted_tokens, made) << seed;
            EXPECT_EQ(session->usage().accepted_tokens, came_true) << seed;
            right += came_true;
        }
        EXPECT_GT(right, 0) << "nothing was compared";
    }
}
