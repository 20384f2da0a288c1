// Engine and Session: what a request gets back, alone and among others.
#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json_schema.h"
#include "support/fixtures.h"

using namespace engine;
using nlohmann::json;

namespace {

std::filesystem::path model(const char* name) { return support::data_dir() / "models" / name; }

std::unique_ptr<Engine> load(const std::filesystem::path& path, LoadOptions options = {.profile = Profile::exact}) {
    options.path = path;
    options.threads = 2;
    auto engine = Engine::load(options);
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

struct Output {
    std::vector<TokenId> ids;
    std::vector<float> logprobs;  // where asked for
    std::string text;
    Finish finish = Finish::none;
    std::string error;
    base::Code code{};
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
        out.error = event->error;
        out.code = event->code;
    }
    out.usage = session.usage();
    return out;
}

Output run(Engine& engine, Request request, const std::string& salt = {}) {
    if (!salt.empty()) request.cache_salt = salt;
    auto session = engine.start(std::move(request));
    if (!session) throw std::runtime_error(session.error().text());
    return read(**session);
}

Request greedy(std::vector<TokenId> ids, int n) {
    Request r;
    r.prompt.push_back({.tokens = std::move(ids)});
    r.max_tokens = n;
    r.ignore_eos = true;
    return r;
}

std::vector<TokenId> some_tokens(int n, int from, int vocabulary) {
    std::vector<TokenId> out;
    for (int i = 0; i < n; ++i) out.push_back(TokenId((from + i * 37) % vocabulary));
    return out;
}

}  // namespace

// Control tokens have no text but those that the request wants to see, as its dialect's markup.
TEST(Engine, ControlTokensThatAreShownHaveTheirText) {
    auto engine = load(model("llama_tied.gguf"));
    const TokenId pad = 2, begin = 4;
    ASSERT_EQ(engine->tokenizer()->bytes(begin, true), "<|im_start|>");
    for (const TokenId forced : {pad, begin}) {
        Request r = greedy(some_tokens(9, 20, 300), 3);
        r.sampling.logit_bias[forced] = 1000;
        r.shown = {begin};
        const Output out = run(*engine, r);
        EXPECT_EQ(out.ids, std::vector<TokenId>(3, forced));
        EXPECT_EQ(out.text, forced == begin ? "<|im_start|><|im_start|><|im_start|>" : "");
    }
}

// Where the machine runs out of memory the youngest answer ends with that reason, and those before it go on.
TEST(Engine, EndsOneAnswerWhereMemoryIsShort) {
    std::atomic<int> asked{0};
    std::atomic<bool> is_short{false};
    LoadOptions options{.profile = Profile::exact, .max_sequences = 2, .keep_free = 100 << 20};
    options.memory_left = [&] { return ++asked, is_short.exchange(false) ? 99ull << 20 : 200ull << 20; };
    auto engine = load(model("llama_tied.gguf"), options);
    const auto alone = run(*engine, greedy(some_tokens(9, 3, 300), 400), "alone");
    EXPECT_EQ(alone.finish, Finish::length);
    auto older = engine->start(greedy(some_tokens(9, 3, 300), 400));
    ASSERT_TRUE(older);
    auto first = (*older)->next();
    ASSERT_TRUE(first);
    auto younger = engine->start(greedy(some_tokens(9, 5, 300), 400));
    ASSERT_TRUE(younger);
    ASSERT_TRUE((*younger)->next());
    is_short = true;
    while (is_short) std::this_thread::yield();  // both wait for their readers meanwhile, long before their end
    const Output ended = read(**younger);
    EXPECT_EQ(ended.finish, Finish::failed);
    EXPECT_EQ(engine->load_now().memory_stops, 1u);
    EXPECT_EQ(ended.error, "memory is short: 99 MiB are left for all programs, 100 MiB are to stay free, so this answer ended");
    EXPECT_EQ(ended.code, base::Code::unavailable);
    EXPECT_EQ(read(**older).finish, Finish::length);
    EXPECT_GT(asked, 0);
    EXPECT_EQ(run(*engine, greedy(some_tokens(9, 3, 300), 400), "again").ids, alone.ids);
}

// A recurrent model's state belongs to one sequence from its start to its end, whoever had its place before.
TEST(Engine, StatesOfSequencesStayApart) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    int models = 0;
    for (const char* name : {"lfm2", "granitemoehybrid", "qwen3_next", "qwen3_5_moe"}) {
        SCOPED_TRACE(name);
        LoadOptions options{.path = *golden / name / "model-f16.gguf", .profile = Profile::exact, .max_sequences = 2};
        options.threads = 2;
        auto loaded = Engine::load(options);
        if (!loaded && loaded.error().message.find("pre-tokenizer") != std::string::npos) continue;  // its text is not what this is about
        ASSERT_TRUE(loaded) << loaded.error().text();
        ++models;
        const json expected = json::parse(support::read_text(*golden / name / "golden.json"))["prompts"];
        std::vector<std::unique_ptr<Session>> sessions;
        for (int round = 0; round < 2; ++round)
            for (const json& prompt : expected) {
                auto session = (*loaded)->start(greedy(prompt["ids"].get<std::vector<TokenId>>(), int(prompt["greedy"].size())));
                ASSERT_TRUE(session) << session.error().text();
                sessions.push_back(*std::move(session));
            }
        for (std::size_t i = 0; i < sessions.size(); ++i)
            EXPECT_EQ(read(*sessions[i]).ids, expected[i % expected.size()]["greedy"].get<std::vector<TokenId>>()) << "prompt " << i;
    }
    if (models == 0) GTEST_SKIP() << "no tokenizer of these models is known";
}

// As above for models whose state is that of all tokens before it: it is kept where a turn ended, where its last message
// began, and where a prompt left what others began with.
TEST(Engine, RecurrentModelsGoOnFromKeptStates) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    constexpr TokenId kMessage = 3;  // the control token of these checkpoints that begins a message
    for (const char* name : {"lfm2", "granitemoehybrid", "qwen3_next", "qwen3_5_moe"}) {
        SCOPED_TRACE(name);
        auto warm = load(*golden / name / "model-f16.gguf"), cold = load(*golden / name / "model-f16.gguf");
        int colds = 0;
        const auto same = [&](const Request& request, int cached) {
            const auto said = run(*warm, request), fresh = run(*cold, request, "cold " + std::to_string(++colds));
            EXPECT_EQ(said.usage.cached_tokens, cached);
            EXPECT_EQ(fresh.usage.cached_tokens, 0);
            EXPECT_EQ(said, fresh);
            return said.ids;
        };
        const auto logged = [](std::vector<TokenId> ids, int n) {
            auto request = greedy(std::move(ids), n);
            request.logprobs = 5;
            return request;
        };
        // An append-only chat of three turns.
        auto ids = some_tokens(45, 5, 200);
        int computed = 0;
        for (int turn = 0; turn < 3; ++turn) {
            const auto said = same(logged(ids, 7 + 13 * turn), computed);
            ids.insert(ids.end(), said.begin(), said.end());
            computed = int(ids.size()) - 1;
            const auto more = some_tokens(1 + 40 * turn, 11, 200);
            ids.insert(ids.end(), more.begin(), more.end());
        }
        // Requests that begin alike: the second one shows where, the third one uses it.
        for (int other = 0; other < 3; ++other) {
            std::vector<TokenId> branched;
            for (int i = 0; i < 90; ++i) branched.push_back(TokenId(i < 70 ? 10 + i : 20 + other));
            same(logged(branched, 3), other < 2 ? 0 : 70);
        }
        // An answer that comes back in another form: up to where it began nothing is computed again.
        std::vector<TokenId> asked(50, 30);
        asked.insert(asked.end(), {kMessage, 40, 41});
        same(logged(asked, 5), 0);
        asked.insert(asked.begin() + 51, {50, 51, 52});
        same(logged(asked, 5), 50);
    }
}

TEST(Engine, StoriesModelsTellTheirGoldenStory) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    for (const auto& entry : std::filesystem::directory_iterator(*vectors / "models/goldens")) {
        const json golden = json::parse(support::read_text(entry.path()));
        const std::string file = golden["file"];
        SCOPED_TRACE(file);
        const auto path = std::filesystem::exists(*vectors / "models" / file) ? *vectors / "models" / file
                                                                               : *vectors / "models/stories260K" / file;
        auto engine = load(path);
        for (const auto& item : golden["cases"]) {
            const auto expected = item["greedy_ids"].get<std::vector<TokenId>>();
            const auto out = run(*engine, greedy(item["prompt_ids"], int(expected.size())));
            std::size_t decided = 0;  // steps before the first margin that float could turn
            while (decided < expected.size() && item["margins"][decided].get<double>() > 1e-3) ++decided;
            ASSERT_EQ(out.ids.size(), expected.size()) << out.error;
            EXPECT_TRUE(std::equal(expected.begin(), expected.begin() + std::ptrdiff_t(decided), out.ids.begin()));
            if (decided == expected.size()) {
                EXPECT_EQ(engine->tokenizer()->decode(item["prompt_ids"].get<std::vector<TokenId>>()) + out.text,
                          item["greedy_text"].get<std::string>());
            }
            EXPECT_EQ(out.finish, Finish::length);
        }
    }
}

// An append-only chat: each turn finds everything of the one before that was computed, to the token, and
// says bit by bit what a cold engine says.
TEST(Engine, TheNextTurnComputesOnlyWhatIsNewAndSaysTheSame) {
    for (const char* name : {"qwen3_moe.gguf", "llama_tied.gguf"})
        for (const auto& [length, format] : {std::pair{1, KvFormat::int8}, {5, KvFormat::f32}, {31, KvFormat::bf16}, {32, KvFormat::f16}, {33, KvFormat::fp8}, {100, KvFormat::int8}}) {
            const LoadOptions options{.profile = Profile::exact, .kv_format = format};
            SCOPED_TRACE(std::string(name) + " first prompt " + std::to_string(length) + ", keys and values as " + std::string(engine::name(*options.kv_format)));
            auto warm = load(model(name), options), cold = load(model(name), options);
            auto ids = some_tokens(length, 5, 300);
            int computed = 0;
            for (int turn = 0; turn < 3; ++turn) {
                auto request = greedy(ids, 7 + 13 * turn);
                request.logprobs = 5;
                const auto said = run(*warm, request);
                EXPECT_EQ(said.usage.cached_tokens, computed) << "turn " << turn;
                EXPECT_EQ(said.usage.prompt_tokens, int(ids.size()));
                const auto fresh = run(*cold, request, "turn " + std::to_string(turn));
                EXPECT_EQ(fresh.usage.cached_tokens, 0);
                EXPECT_EQ(said, fresh) << "turn " << turn;
                ids.insert(ids.end(), said.ids.begin(), said.ids.end());
                computed = int(ids.size()) - 1;  // the last token said was never fed
                const auto more = some_tokens(1 + 11 * turn, 11, 300);
                ids.insert(ids.end(), more.begin(), more.end());
            }
        }
}

// The same prompt again computes its last token only; one that leaves it earlier, what follows from there.
TEST(Engine, APromptIsFoundAsFarAsItIsTheSame) {
    auto engine = load(model("llama_tied.gguf"));
    const auto ids = some_tokens(100, 3, 300);
    const auto first = run(*engine, greedy(ids, 10));
    const auto again = run(*engine, greedy(ids, 10));
    EXPECT_EQ(again.usage.cached_tokens, 99);
    EXPECT_EQ(again, first);
    for (const int same : {0, 1, 31, 32, 50, 64, 98}) {
        auto other = ids;
        other[std::size_t(same)] = (other[std::size_t(same)] + 1) % 300;
        const auto said = run(*engine, greedy(other, 10));
        EXPECT_EQ(said.usage.cached_tokens, same);
        EXPECT_EQ(said, run(*engine, greedy(other, 10), "cold"));
    }
    EXPECT_EQ(run(*engine, greedy(ids, 10)), first);
}

// What a living sequence has computed is used by others at once, and none disturbs another.
TEST(Engine, SessionsBranchFromOneThatIsStillSpeaking) {
    auto engine = load(model("qwen3_moe.gguf"));
    const auto ids = some_tokens(75, 3, 300);
    auto speaker = *engine->start(greedy(ids, 200));
    Output spoken;
    for (int i = 0; i < 3; ++i) spoken.ids.push_back(speaker->next()->id);
    std::vector<Request> requests;
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < 5; ++i) {
        auto prompt = ids;
        const auto more = some_tokens(i, 40 + i, 300);
        prompt.insert(prompt.end(), more.begin(), more.end());
        requests.push_back(greedy(prompt, 60));
        sessions.push_back(*engine->start(requests.back()));
    }
    for (std::size_t i = 0; i < sessions.size(); ++i) {
        const auto said = read(*sessions[i]);
        EXPECT_GE(said.usage.cached_tokens, i ? 75 : 74);
        EXPECT_EQ(said, run(*engine, requests[i], "alone " + std::to_string(i)));
    }
    const auto rest = read(*speaker);
    spoken.ids.insert(spoken.ids.end(), rest.ids.begin(), rest.ids.end());
    EXPECT_EQ(spoken.ids, run(*engine, greedy(ids, 200), "alone").ids);
}

TEST(Engine, SaltsDoNotShareTheirPrefixes) {
    auto engine = load(model("llama_tied.gguf"));
    const auto request = greedy(some_tokens(70, 1, 300), 4);
    run(*engine, request, "one");
    EXPECT_EQ(run(*engine, request, "one").usage.cached_tokens, 69);
    EXPECT_EQ(run(*engine, request, "two").usage.cached_tokens, 0);
}

TEST(Engine, EightSessionsTogetherSayWhatEachSaysAlone) {
    auto engine = load(model("qwen3_moe.gguf")), alone = load(model("qwen3_moe.gguf"));
    std::vector<Request> requests;
    for (int i = 0; i < 12; ++i) {
        requests.push_back(greedy(some_tokens(3 + 61 * i % 200, i, 300), 30));
        if (i % 2) requests.back().sampling = {.temperature = 0.8f, .top_p = 0.9f, .seed = std::uint64_t(100 + i)};
    }
    std::vector<std::unique_ptr<Session>> sessions;
    for (const auto& r : requests) sessions.push_back(*engine->start(r));
    for (std::size_t i = 0; i < requests.size(); ++i) {
        SCOPED_TRACE(i);
        EXPECT_EQ(read(*sessions[i]), run(*alone, requests[i]));
    }
}

TEST(Engine, AFullRingRestsThatSequenceAlone) {
    auto engine = load(model("llama_tied.gguf"));
    ASSERT_GT(engine->memory().context, 450);
    auto slow = *engine->start(greedy(some_tokens(10, 1, 300), 400));
    const auto other = run(*engine, greedy(some_tokens(10, 2, 300), 400));
    EXPECT_EQ(other.ids.size(), 400u);
    const auto late = read(*slow);
    EXPECT_EQ(late.ids.size(), 400u);
    EXPECT_EQ(late.finish, Finish::length);
}

TEST(Engine, StopEndsWithinOneToken) {
    auto engine = load(model("llama_tied.gguf"));
    auto session = *engine->start(greedy(some_tokens(10, 1, 300), 400));
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(session->next());
    session->stop();
    const auto rest = read(*session);
    EXPECT_EQ(rest.finish, Finish::cancelled);
    EXPECT_LT(rest.ids.size(), 256u + 5);  // what lay in the ring already

    base::StopSource source;
    auto bound = *engine->start(greedy(some_tokens(10, 1, 300), 400), source.token());
    ASSERT_TRUE(bound->next());
    source.request_stop();
    EXPECT_EQ(read(*bound).finish, Finish::cancelled);

    base::StopSource late({}, std::chrono::steady_clock::now() - std::chrono::seconds(1));
    EXPECT_EQ(read(**engine->start(greedy({5}, 400), late.token())).finish, Finish::deadline);
    // Whoever watches the same deadline may stop the session for it.
    const base::StopSource over({}, std::chrono::steady_clock::now());
    auto stopped = *engine->start(greedy({5}, 400), over.token());
    stopped->stop();
    EXPECT_EQ(read(*stopped).finish, Finish::deadline);
}

TEST(Engine, StopTextsEndTheOutputBeforeThem) {
    const auto vectors = support::vectors_dir();
    if (!vectors) GTEST_SKIP() << "no vectors";
    auto engine = load(*vectors / "models/stories260K/stories260Ktok512.gguf");
    auto request = greedy({1}, 60);
    request.stop = {"Lily", "never said"};
    const auto out = run(*engine, request);
    EXPECT_EQ(out.text, " Once upon a time, there was a little girl named ");
    EXPECT_EQ(out.finish, Finish::stop);
}

TEST(Engine, LogprobsAreThoseOfTheLogits) {
    auto engine = load(model("qwen3_moe.gguf"));
    const auto ids = some_tokens(20, 3, 300);
    const auto logits = engine->logits(ids);
    ASSERT_TRUE(logits);
    const int v = engine->info().vocabulary;
    ASSERT_EQ(logits->size(), ids.size() * std::size_t(v));
    const std::vector<float> last(logits->end() - v, logits->end());
    double total = 0;
    for (const float x : last) total += std::exp(double(x));
    auto request = greedy(ids, 1);
    request.logprobs = 3;
    auto session = *engine->start(request);
    const auto event = session->next();
    ASSERT_TRUE(event && event->top.size() == 3);
    EXPECT_EQ(event->top[0].id, event->id);
    for (const auto& top : event->top) EXPECT_NEAR(top.logprob, last[std::size_t(top.id)] - std::log(total), 1e-5);
    EXPECT_GE(event->top[0].logprob, event->top[1].logprob);
    EXPECT_GE(event->top[1].logprob, event->top[2].logprob);
}

TEST(Engine, RefusesWhatCannotRunAndNamesIt) {
    auto engine = load(model("llama_tied.gguf"));
    const auto message = [&](Request r) {
        auto session = engine->start(std::move(r));
        return session ? std::string("accepted") : session.error().message;
    };
    EXPECT_EQ(message(greedy({}, 1)), "the prompt is empty");
    EXPECT_THAT(message(greedy({100000}, 1)), testing::HasSubstr("token 100000"));
    EXPECT_THAT(message(greedy({1}, 0)), testing::HasSubstr("max_tokens is 0"));
    EXPECT_THAT(message(greedy(some_tokens(engine->memory().context, 0, 300), 1)), testing::HasSubstr("the context holds"));
    auto hot = greedy({1}, 1);
    hot.sampling.temperature = NAN;
    EXPECT_THAT(message(hot), testing::HasSubstr("temperature"));
}

TEST(Engine, APlanThatDoesNotFitIsRefusedWithItsNumbers) {
    const auto plan = Engine::plan({.path = model("qwen3_moe.gguf"), .memory_limit = 1 << 20});
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, base::Code::resource_exhausted);
    EXPECT_THAT(plan.error().message, testing::AllOf(testing::HasSubstr("MiB for weights"), testing::HasSubstr("limit is 1 MiB")));
    EXPECT_FALSE(Engine::load({.path = model("qwen3_moe.gguf"), .target = "abacus"}));
    const auto fits = Engine::plan({.path = model("qwen3_moe.gguf"), .context = 64, .kv_tokens = 128});
    ASSERT_TRUE(fits);
    EXPECT_EQ(fits->context, 64);
    EXPECT_EQ(fits->kv_tokens, 128u);
    EXPECT_EQ(fits->total, fits->weights + fits->kv + fits->scratch);
}

TEST(Engine, ASmallPoolServesMoreThanItHolds) {
    LoadOptions options{.profile = Profile::exact, .context = 96, .kv_tokens = 160};
    auto engine = load(model("llama_tied.gguf"), options), roomy = load(model("llama_tied.gguf"));
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < 10; ++i) sessions.push_back(*engine->start(greedy(some_tokens(40, i, 300), 50)));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(read(*sessions[i]), run(*roomy, greedy(some_tokens(40, i, 300), 50)));
}

TEST(Engine, SaysPerOpWhichTargetRunsItAndRefRunsEverywhere) {
    LoadOptions plain{.profile = Profile::exact, .target = "ref"};
    auto ref = load(model("qwen3_moe.gguf"), plain), best = load(model("qwen3_moe.gguf"));
    for (const auto& choice : ref->targets()) EXPECT_EQ(choice.target, "ref") << choice.op;
    for (const auto& choice : best->targets()) {
        EXPECT_FALSE(choice.reason.empty()) << choice.op;
        EXPECT_EQ(choice.candidates.back(), "ref");
    }
    const auto ids = some_tokens(30, 1, 300);
    const auto a = *ref->logits(ids), b = *best->logits(ids);
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-3);
}

// Greedy text of the fast profile is its own, whoever else is decoded with it.
TEST(Engine, FastGreedyTextIsItsOwnOneRequestText) {
    const LoadOptions fast{.profile = Profile::fast};
    auto engine = load(model("qwen3_moe.gguf"), fast), alone = load(model("qwen3_moe.gguf"), fast);
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < 6; ++i) sessions.push_back(*engine->start(greedy(some_tokens(9 + 20 * i, i, 300), 12)));
    int same = 0;
    for (int i = 0; i < 6; ++i) {
        const auto together = read(*sessions[std::size_t(i)]), single = run(*alone, greedy(some_tokens(9 + 20 * i, i, 300), 12));
        same += together == single;
    }
    EXPECT_EQ(same, 6);
}

namespace {

base::OrderedJson small_schema() {
    return *base::parse_ordered_json(R"({"type": "object", "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 6}, "size": {"enum": ["small", "large"]},
        "count": {"type": "integer", "minimum": -3, "maximum": 120},
        "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3}},
        "required": ["name", "size", "count", "tags"], "additionalProperties": false})");
}

}  // namespace

TEST(Engine, BoundOutputSatisfiesItsSchemaWhateverTheWeights) {
    std::vector<std::filesystem::path> files = {model("llama_tied.gguf"), model("qwen3_moe.gguf")};
    if (const auto vectors = support::vectors_dir()) files.push_back(*vectors / "models/stories260K/stories260Ktok512.gguf");
    const auto schema = base::Schema::parse(base::Json(small_schema())).value();
    for (const auto& file : files) {
        SCOPED_TRACE(file);
        auto engine = load(file);
        std::vector<std::unique_ptr<Session>> sessions;
        for (int i = 0; i < 6; ++i) {
            auto request = greedy(some_tokens(5 + i, i, 300), 250);
            request.grammar = text::Grammar::from_json_schema(small_schema()).value();
            if (i) request.sampling = {.temperature = 1.5f, .seed = std::uint64_t(i)};
            request.ignore_eos = false;
            sessions.push_back(*engine->start(request));
        }
        for (auto& session : sessions) {
            const auto out = read(*session);
            EXPECT_EQ(out.finish, Finish::stop) << out.error;
            const auto value = base::parse_json(out.text);
            ASSERT_TRUE(value) << out.text;
            EXPECT_TRUE(schema.validate(*value)) << out.text;
        }
    }
}

TEST(Engine, AGrammarThatLacksItsTriggerIsRefused) {
    auto engine = load(model("llama_tied.gguf"));
    auto request = greedy(some_tokens(5, 1, 300), 10);
    request.grammar = text::Grammar::from_ebnf("root ::= \"yes\"").value();
    request.grammar_trigger = "no";
    const auto refused = engine->start(request);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), ::testing::HasSubstr("does not begin with its trigger \"no\""));
}
