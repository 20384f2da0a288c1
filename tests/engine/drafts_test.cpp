// Guessed tokens change when a text comes, never what it is: with and without them, for many seeds, grammars and models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
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
    auto engine = Engine::load({.path = path, .profile = profile, .threads = 1, .drafts = drafts, .draft_length = drafts ? length : 0, .heads = false});
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

LoadOptions drafted(const std::filesystem::path& path, const std::filesystem::path& draft) {
    return {.path = path, .profile = Profile::exact, .threads = 1, .draft_length = 4, .lookups = false, .heads = false, .draft = draft};
}

std::unique_ptr<Engine> loaded(const LoadOptions& options) {
    auto engine = Engine::load(options);
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

DraftCount count(const Engine& engine, DraftSource source) { return engine.load_now().drafts[std::size_t(source)]; }

std::filesystem::path tiny(const char* name) { return support::data_dir() / name; }

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

// And in the next turn, which goes on from what was kept.
void same_in_turns(Engine& guessing, Engine& plain, Request request, Sums& sums) {
    same(guessing, plain, request, sums);
    const Output said = read(**plain.start(request));
    auto& ids = request.prompt[0].tokens;
    ids.insert(ids.end(), said.ids.begin(), said.ids.end());
    ids.push_back(11);
    same(guessing, plain, request, sums);
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
            same_in_turns(*guessing, *plain, r, sums);
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

// The model itself is nearly always right, one of other weights nearly never.
TEST(Drafts, TextsThatASmallerModelGuessesAreTheSame) {
    const auto path = tiny("models/llama_tied.gguf");
    for (const bool itself : {true, false}) {
        SCOPED_TRACE(itself);
        auto guessing = loaded(drafted(path, itself ? path : tiny("golden/minimax_m2/model-f16.gguf"))), plain = load(path, false);
        Sums sums;
        for (int seed = 1; seed <= 8; ++seed) {
            SCOPED_TRACE(seed);
            Request r = repeating(seed, 300, 20 + 11 * seed);
            r.sampling.logit_bias.clear();
            if (seed % 3 != 0) r.sampling.temperature = 0.1f * float(seed % 4), r.sampling.seed = std::uint64_t(seed), r.sampling.top_p = 0.95f;
            if (seed % 4 == 2) r.logprobs = 3;
            same_in_turns(*guessing, *plain, r, sums);
        }
        if (itself) EXPECT_GT(sums.accepted, sums.drafted / 2);
        else EXPECT_LT(sums.accepted, sums.drafted / 4);
        EXPECT_EQ(count(*guessing, DraftSource::model).guessed, std::uint64_t(sums.drafted));
        EXPECT_EQ(count(*guessing, DraftSource::model).accepted, std::uint64_t(sums.accepted));
        EXPECT_FALSE(count(*guessing, DraftSource::prompt).there);
    }
}

TEST(Drafts, AModelThatIsAlwaysRightIsAlwaysBelieved) {
    const auto path = tiny("models/llama_tied.gguf");
    auto guessing = loaded(drafted(path, path));
    Request r = repeating(4, 300, 101);
    const Output said = read(**guessing->start(r));
    EXPECT_EQ(said.ids.size(), 101u);
    EXPECT_EQ(said.usage.drafted_tokens, 80) << "the first token comes of the prompt, each later step guesses four";
    EXPECT_EQ(said.usage.accepted_tokens, 80);
}

TEST(Drafts, EachFamilySaysTheSameWithASmallerModel) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    // Of recurrent models one that attends, with the same vocabulary.
    const std::map<std::string, const char*> others = {{"lfm2", "llama_tied"}, {"granitemoehybrid", "llama_tied"}, {"qwen3_next", "qwen3_moe"}};
    for (const char* name : {"deepseek_v3", "gemma3_text", "gemma4_moe", "gemma4_ple_shared", "glm4_moe", "gpt_oss_truncate", "granitemoe", "mixtral", "olmoe", "qwen2", "qwen2_moe", "qwen3", "qwen3_omni_thinker",
                             "lfm2", "granitemoehybrid", "qwen3_next"}) {
        SCOPED_TRACE(name);
        const auto other = others.find(name);
        const auto path = *golden / name / "model-f16.gguf", draft = other == others.end() ? path : *golden / other->second / "model-f16.gguf";
        auto guessing = loaded(drafted(path, draft)), plain = load(path, false);
        Sums sums;
        for (int seed = 4; seed <= 8; seed += 4) {
            Request r = repeating(seed, 200, 40);
            if (seed == 8) r.sampling.temperature = 0.3f, r.sampling.seed = 8;
            same(*guessing, *plain, r, sums);
        }
        EXPECT_GT(sums.drafted, 0);
        if (other == others.end()) {
            EXPECT_GT(sums.accepted, sums.drafted / 3);
        }
    }
}

TEST(Drafts, AHeadForDraftingGuessesAndTextsAreTheSame) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const char* name : {"qwen3_next", "qwen3_5", "qwen3_5_moe"}) {
        SCOPED_TRACE(name);
        const auto path = *golden / name / "model-f16.gguf";
        LoadOptions options = drafted(path, {});
        options.heads = true;
        auto guessing = loaded(options), plain = load(path, false);
        Sums sums;
        for (int seed = 1; seed <= 6; ++seed) {
            SCOPED_TRACE(seed);
            Request r = repeating(seed, 200, 30 + 9 * seed);
            if (seed % 2) r.sampling.temperature = 0.3f, r.sampling.seed = std::uint64_t(seed);
            same(*guessing, *plain, r, sums);
        }
        EXPECT_TRUE(count(*guessing, DraftSource::head).there);
        EXPECT_EQ(count(*guessing, DraftSource::head).guessed, std::uint64_t(sums.drafted));
        EXPECT_GT(sums.drafted, 0);
    }
}

TEST(Drafts, TextsUnderGrammarsThatASmallerModelGuessesAreTheSame) {
    const auto path = tiny("models/llama_tied.gguf");
    auto guessing = loaded(drafted(path, path)), plain = load(path, false);
    Sums sums;
    for (const char* source : {"root ::= (\"[\" [a-c]+ \"]\")*", "root ::= ([a-z] [a-z] \" \")*", "root ::= (\"yes \" | \"no \")* \"end\""}) {
        SCOPED_TRACE(source);
        for (int seed = 0; seed < 4; ++seed) {
            Request r = repeating(seed, 300, 60);
            r.grammar = text::Grammar::from_ebnf(source).value();
            r.sampling.logit_bias.clear();
            if (seed % 2) r.sampling.temperature = 0.4f, r.sampling.seed = std::uint64_t(seed);
            same(*guessing, *plain, r, sums);
        }
    }
}

// Of the four likeliest tokens the second one of an answer is drawn as often as the model's own probabilities say, whether the guess
// was right or not.
TEST(Drafts, WhatIsDrawnIsSpreadAsTheModelSays) {
    const auto path = tiny("models/llama_tied.gguf");
    auto guessing = loaded(drafted(path, path));
    Request r = repeating(4, 300, 3);
    r.sampling = {.temperature = 1.5f, .top_k = 4};
    std::map<std::pair<TokenId, TokenId>, double> drawn, expected;
    std::map<TokenId, std::vector<float>> behind;
    Sums sums;
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        r.sampling.seed = seed;
        const Output said = read(**guessing->start(r));
        sums.add(said.usage);
        ASSERT_EQ(said.ids.size(), 3u);
        ++drawn[{said.ids[0], said.ids[1]}];
        auto& logits = behind[said.ids[0]];
        if (logits.empty()) {
            auto ids = r.prompt[0].tokens;
            ids.push_back(said.ids[0]);
            const auto all = guessing->logits(ids).value();
            logits.assign(all.end() - guessing->info().vocabulary, all.end());
        }
        std::vector<std::pair<float, TokenId>> order;
        for (TokenId id = 0; id < TokenId(logits.size()); ++id) order.emplace_back(-logits[std::size_t(id)], id);
        std::ranges::partial_sort(order, order.begin() + 4);
        double sum = 0;
        for (int i = 0; i < 4; ++i) sum += std::exp(-order[std::size_t(i)].first / 1.5);
        for (int i = 0; i < 4; ++i) expected[{said.ids[0], order[std::size_t(i)].second}] += std::exp(-order[std::size_t(i)].first / 1.5) / sum;
    }
    EXPECT_GT(sums.accepted, 50);
    EXPECT_GT(sums.drafted - sums.accepted, 50);
    double chi_square = 0;
    for (const auto& [pair, n] : expected) chi_square += (drawn[pair] - n) * (drawn[pair] - n) / n;
    ASSERT_EQ(expected.size(), 16u);
    EXPECT_EQ(drawn.size(), 16u) << "and nothing beyond the four";
    EXPECT_LT(chi_square, 32.9) << "12 degrees of freedom, 0.1 %";
}

TEST(Drafts, ADraftModelThatCannotGuessIsRefusedByName) {
    const auto refused = [](const std::filesystem::path& draft) {
        auto plan = Engine::plan(drafted(tiny("models/llama_tied.gguf"), draft));
        return plan ? std::string() : plan.error().text();
    };
    using testing::HasSubstr;
    EXPECT_THAT(refused(tiny("models/qwen3_moe.gguf")), testing::AllOf(HasSubstr("qwen3_moe.gguf cannot guess for "), HasSubstr("its token "), HasSubstr("name a smaller model of the same family")));
    EXPECT_THAT(refused(tiny("models/bert_minilm.gguf")), HasSubstr("it makes vectors of texts and writes none"));
    EXPECT_THAT(refused(tiny("models/nothing.gguf")), HasSubstr("nothing.gguf"));
    EXPECT_EQ(refused(tiny("golden/olmo2/model-f16.gguf")), "");
    if (const auto golden = support::golden_dir()) {
        EXPECT_THAT(refused(*golden / "lfm2/model-f16.gguf"), HasSubstr("recurrent layers (lfm2)"));
    }
}

TEST(Drafts, TheDraftModelIsInTheOnePlan) {
    const auto path = tiny("models/llama_tied.gguf"), draft = tiny("golden/minimax_m2/model-f16.gguf");
    auto both = drafted(path, draft), alone = drafted(path, {}), other = drafted(draft, {});
    for (LoadOptions* o : {&both, &alone, &other}) o->context = 64, o->kv_tokens = 64;
    const auto together = Engine::plan(both).value(), first = Engine::plan(alone).value(), second = Engine::plan(other).value();
    EXPECT_EQ(together.weights, first.weights + second.weights);
    EXPECT_EQ(together.kv, first.kv + second.kv);
    EXPECT_GT(together.scratch, first.scratch);
}

// A model that is never right is off before long, and costs nothing from then on.
TEST(Drafts, ADraftModelThatLosesIsSwitchedOff) {
    const auto path = tiny("models/llama_tied.gguf");
    LoadOptions options = drafted(path, tiny("golden/minimax_m2/model-f16.gguf"));
    options.draft_length = 0;
    auto guessing = loaded(options), plain = load(path, false);
    std::uint64_t tokens = 0;
    for (int seed = 1; seed <= 20 && !count(*guessing, DraftSource::model).off; ++seed) {
        Request r = repeating(seed, 300, 120);
        r.sampling.logit_bias.clear();
        EXPECT_EQ(read(**guessing->start(r)), read(**plain->start(r)));
        tokens += 120;
    }
    EXPECT_TRUE(count(*guessing, DraftSource::model).off);
    const auto before = count(*guessing, DraftSource::model).guessed;
    EXPECT_LT(before, tokens);
    read(**guessing->start(repeating(4, 300, 120)));
    EXPECT_EQ(count(*guessing, DraftSource::model).guessed, before);
}

TEST(Drafts, SequencesOfSeveralSourcesSayWhatTheySayAlone) {
    const auto path = tiny("models/llama_tied.gguf");
    LoadOptions options = drafted(path, tiny("golden/olmo2/model-f16.gguf"));
    options.lookups = true;
    auto guessing = loaded(options), plain = load(path, false);
    std::vector<std::unique_ptr<Session>> sessions;
    std::vector<Output> alone;
    for (int i = 0; i < 8; ++i) {
        Request r = repeating(i, 300, 50 + 10 * i);
        if (i % 2) r.sampling.temperature = 0.3f, r.sampling.seed = std::uint64_t(i);
        alone.push_back(read(**plain->start(r)));
        sessions.push_back(*guessing->start(r));
    }
    for (std::size_t i = 0; i < sessions.size(); ++i) EXPECT_EQ(read(*sessions[i]), alone[i]) << i;
    EXPECT_GT(count(*guessing, DraftSource::prompt).guessed, 0u);
    EXPECT_GT(count(*guessing, DraftSource::model).guessed, 0u);
}

TEST(Drafts, WhoStopsInTheMidstTakesNothingFromTheOthers) {
    const auto path = tiny("models/llama_tied.gguf");
    auto guessing = loaded(drafted(path, path)), plain = load(path, false);
    const Request r = repeating(4, 300, 200);
    const Output whole = read(**plain->start(r));
    for (int round = 0; round < 4; ++round) {
        auto stopped = *guessing->start(r), other = *guessing->start(r);
        for (int i = 0; i < 7 + 3 * round; ++i) ASSERT_TRUE(stopped->next());
        stopped->stop();
        EXPECT_EQ(read(*other), whole);
        EXPECT_EQ(read(*stopped).finish, Finish::cancelled);
    }
}
