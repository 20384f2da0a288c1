// Guessed tokens change when a text comes, never what it is: with and without them, for many seeds, grammars and models.
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "support/fixtures.h"

using namespace engine;

namespace {

struct Output {
    std::vector<TokenId> ids;
    std::vector<float> logprobs;
    std::string text;
    Finish finish = Finish::none;
    Usage usage;
    bool operator==(const Output& o) const { return ids == o.ids && logprobs == o.logprobs && text == o.text && finish == o.finish; }
};

Output read(Session& session) {
    Output out;
    while (auto event = session.next()) {
        if (event->id >= 0) out.ids.push_back(event->id);
        for (const auto& top : event->top) out.logprobs.push_back(top.logprob);
        out.text += event->text;
        out.finish = event->finish;
        EXPECT_EQ(event->error, "");
    }
    out.usage = session.usage();
    return out;
}

// A fixed length: how many pay would be measured, and no test may hang on that.
std::unique_ptr<Engine> load(const std::filesystem::path& path, bool drafts, Profile profile = Profile::exact, int length = 5) {
    auto engine = Engine::load({.path = path, .profile = profile, .threads = 1, .drafts = drafts, .draft_length = drafts ? length : 0});
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

// A prompt that says much twice, so that there is something to guess.
Request repeating(int seed, int vocabulary, int most) {
    Request r;
    r.prompt.emplace_back();
    auto& ids = r.prompt.back().tokens;
    for (int round = 0; round < 3; ++round)
        for (int i = 0; i < 12 + seed % 5; ++i) ids.push_back(5 + (seed * 13 + i * (7 + seed % 3)) % (vocabulary - 5));
    r.max_tokens = most;
    r.ignore_eos = true;
    // Random weights repeat themselves little: with few tokens to choose among, what follows a pair is often what followed before.
    if (seed % 4 != 0)
        for (int i = 0; i < 3; ++i) r.sampling.logit_bias[20 + 7 * i] = 100;
    return r;
}

struct Sums {
    int drafted = 0, accepted = 0;
    void add(const Usage& u) {
        drafted += u.drafted_tokens;
        accepted += u.accepted_tokens;
        EXPECT_LE(u.accepted_tokens, u.drafted_tokens);
    }
};

// The same request in both engines, twice in turn, so that the second ones find what the first ones left in the cache.
void same(Engine& guessing, Engine& plain, const Request& request, Sums& sums) {
    for (int again = 0; again < 2; ++again) {
        auto a = guessing.start(request);
        ASSERT_TRUE(a) << a.error().text();
        const Output with = read(**a);  // alone: what steps take is measured
        auto b = plain.start(request);
        ASSERT_TRUE(b) << b.error().text();
        const Output without = read(**b);
        EXPECT_EQ(with, without);
        EXPECT_EQ(with.usage.output_tokens, without.usage.output_tokens);
        EXPECT_EQ(with.usage.cached_tokens, without.usage.cached_tokens) << "what was guessed wrong leaves nothing behind";
        EXPECT_EQ(without.usage.drafted_tokens, 0);
        sums.add(with.usage);
    }
}

}  // namespace

TEST(Drafts, TextsOfManySeedsAreTheSame) {
    for (const char* name : {"qwen3_moe.gguf", "llama_tied.gguf"}) {
        SCOPED_TRACE(name);
        const auto path = support::data_dir() / "models" / name;
        auto guessing = load(path, true), plain = load(path, false);
        Sums sums;
        for (int seed = 1; seed <= 25; ++seed) {
            SCOPED_TRACE(seed);
            Request r = repeating(seed, 300, 20 + 7 * seed % 90);
            r.sampling.seed = std::uint64_t(seed);
            if (seed % 3 != 0) r.sampling.temperature = 0.05f * float(seed % 7), r.sampling.top_k = seed % 2 ? 40 : 0, r.sampling.top_p = 0.95f;
            if (seed % 4 == 1) r.sampling.repetition_penalty = 1.05f;
            if (seed % 5 == 2) r.logprobs = 3;
            if (seed % 6 == 5) r.stop = {"the"};
            same(*guessing, *plain, r, sums);
        }
        EXPECT_GT(sums.accepted, 50);
        EXPECT_GT(sums.drafted, sums.accepted) << "some guess should have been wrong";
    }
}

TEST(Drafts, TextsUnderGrammarsAreTheSame) {
    const auto path = support::data_dir() / "models/qwen3_moe.gguf";
    auto guessing = load(path, true), plain = load(path, false);
    const char* const sources[] = {
        "root ::= (\"[\" [a-c]+ \"]\")*",
        "root ::= \"{\" (\"\\\"name\\\": \" [0-9]+ \", \")* \"}\"",
        "root ::= ([a-z] [a-z] \" \")*",
        "root ::= (\"yes \" | \"no \")* \"end\"",
    };
    Sums sums;
    for (const char* source : sources) {
        SCOPED_TRACE(source);
        const auto grammar = text::Grammar::from_ebnf(source).value();
        for (int seed = 0; seed < 8; ++seed) {
            SCOPED_TRACE(seed);
            Request r = repeating(seed, 300, 90);
            r.grammar = grammar;
            r.ignore_eos = seed % 2;
            r.sampling.logit_bias.clear();
            if (seed % 2) r.sampling.temperature = 0.4f, r.sampling.seed = std::uint64_t(seed);
            same(*guessing, *plain, r, sums);
        }
    }
    EXPECT_GT(sums.accepted, 50);
}

// Several at once: whoever is guessed for, each says what it says alone.
TEST(Drafts, ManyAtOnceSayWhatTheySayAlone) {
    const auto path = support::data_dir() / "models/qwen3_moe.gguf";
    auto guessing = load(path, true), plain = load(path, false);
    std::vector<Request> requests;
    std::vector<Output> alone;
    for (int i = 0; i < 12; ++i) {
        Request r = repeating(i, 300, 40 + 10 * i);
        if (i % 2) r.sampling.temperature = 0.3f, r.sampling.seed = std::uint64_t(i);
        r.drafts = i % 5 != 4;
        alone.push_back(read(**plain->start(r)));
        requests.push_back(std::move(r));
    }
    Sums sums;
    std::vector<std::unique_ptr<Session>> sessions;
    for (const auto& r : requests) sessions.push_back(*guessing->start(r));
    for (std::size_t i = 0; i < sessions.size(); ++i) {
        const Output together = read(*sessions[i]);
        EXPECT_EQ(together, alone[i]) << i;
        if (!requests[i].drafts) {
            EXPECT_EQ(together.usage.drafted_tokens, 0);
        }
        sums.add(together.usage);
    }
    EXPECT_GT(sums.accepted, 0);
    EXPECT_EQ(guessing->load_now().accepted_tokens, std::uint64_t(sums.accepted));
    EXPECT_EQ(guessing->load_now().drafted_tokens, std::uint64_t(sums.drafted));
}

// A wrong guess leaves a recurrent model's state as it was, also where the answer ends in the midst of a guess.
TEST(Drafts, TextsOfRecurrentModelsAreTheSame) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"lfm2", "granitemoehybrid", "qwen3_next", "qwen3_5_moe"}) {
        SCOPED_TRACE(name);
        const auto path = *golden / name / "model-f16.gguf";
        auto guessing = load(path, true), plain = load(path, false);
        Sums sums;
        for (int seed = 1; seed <= 12; ++seed) {
            SCOPED_TRACE(seed);
            Request r = repeating(seed, 200, 30 + 11 * seed);
            if (seed % 3 != 0) r.sampling.temperature = 0.1f * float(seed % 4), r.sampling.seed = std::uint64_t(seed);
            same(*guessing, *plain, r, sums);
            // The next turn goes on from what was kept.
            const Output said = read(**plain->start(r));
            auto& ids = r.prompt[0].tokens;
            ids.insert(ids.end(), said.ids.begin(), said.ids.end());
            ids.push_back(11);
            same(*guessing, *plain, r, sums);
        }
        EXPECT_GT(sums.accepted, 20);
        EXPECT_GT(sums.drafted, sums.accepted) << "some guess should have been wrong";
    }
}

// What a product in profile fast gives for a row does not depend on the rows beside it, and guessed rows attend one by one.
TEST(Drafts, TextsInProfileFastAreTheSame) {
    for (const char* name : {"qwen3_moe.gguf", "llama_tied.gguf"}) {
        SCOPED_TRACE(name);
        const auto path = support::data_dir() / "models" / name;
        auto guessing = load(path, true, Profile::fast), plain = load(path, false, Profile::fast);
        Sums sums;
        for (int seed = 1; seed <= 10; ++seed) {
            SCOPED_TRACE(seed);
            Request r = repeating(seed, 300, 120);
            if (seed % 2) r.sampling.temperature = 0.2f, r.sampling.seed = std::uint64_t(seed);
            same(*guessing, *plain, r, sums);
        }
        EXPECT_GT(sums.accepted, 50);
    }
}
