// Many at once: nobody's text changes, nobody waits for all of somebody else's, and the queue has an end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "support/fixtures.h"

using namespace engine;

namespace {

std::unique_ptr<Engine> load(const char* name, LoadOptions options) {
    options.path = support::data_dir() / "models" / name;
    options.profile = Profile::exact;
    options.threads = 2;
    auto engine = Engine::load(std::move(options));
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

struct Output {
    std::vector<TokenId> ids;
    std::string text;
    Finish finish = Finish::none;
    Usage usage;
};

Output read(Session& session) {
    Output out;
    while (auto event = session.next()) {
        if (event->id >= 0) out.ids.push_back(event->id);
        out.text += event->text;
        out.finish = event->finish;
        EXPECT_EQ(event->error, "");
    }
    out.usage = session.usage();
    return out;
}

Request request(int i, int prompt, int most) {
    Request r;
    r.prompt.emplace_back();
    for (int t = 0; t < prompt; ++t) r.prompt.back().tokens.push_back(5 + (i * 31 + t * 17 + t * t * i) % 290);
    r.max_tokens = most;
    r.ignore_eos = true;
    return r;
}

// Long and short, greedy and drawn, under grammars, with stops, with beginnings that they share, of several people,
// waited for more or less.
std::vector<Request> mixed(int n) {
    const auto grammar = text::Grammar::from_ebnf("root ::= (\"[\" [a-z]+ \"]\" [0-9]*)*").value();
    std::vector<Request> out;
    for (int i = 0; i < n; ++i) {
        Request r = request(i % 9, 3 + 41 * i % 190, 10 + 23 * i % 80);
        if (i % 2) r.sampling = {.temperature = 0.2f + 0.1f * float(i % 5), .top_p = 0.95f, .repetition_penalty = i % 6 == 1 ? 1.1f : 1, .seed = std::uint64_t(i)};
        if (i % 4 == 2) r.grammar = grammar;
        if (i % 7 == 3) r.logprobs = 2;
        if (i % 8 == 5) r.stop = {"e"};
        r.drafts = i % 3 != 0;
        r.person = "person " + std::to_string(i % 5);
        r.cache_salt = i % 2 ? "" : r.person;
        r.urgency = Urgency(i % kUrgencies);
        out.push_back(std::move(r));
    }
    return out;
}

}  // namespace

TEST(Fairness, ThirtyTwoAtOnceSayWhatTheySayAlone) {
    for (const char* name : {"qwen3_moe.gguf", "llama_tied.gguf"}) {
        SCOPED_TRACE(name);
        const auto requests = mixed(32);
        std::vector<Output> alone;
        {
            auto engine = load(name, {.max_sequences = 1, .drafts = false});
            for (const Request& r : requests) alone.push_back(read(**engine->start(r)));
        }
        auto engine = load(name, {.kv_tokens = 3000, .max_sequences = 8});
        std::vector<std::unique_ptr<Session>> sessions;
        for (const Request& r : requests) {
            sessions.push_back(*engine->start(r));
            if (sessions.size() % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));  // some join while others speak
        }
        for (std::size_t i = 0; i < sessions.size(); ++i) {
            const Output together = read(*sessions[i]);
            EXPECT_EQ(together.ids, alone[i].ids) << i;
            EXPECT_EQ(together.text, alone[i].text) << i;
            EXPECT_EQ(together.finish, alone[i].finish) << i;
        }
    }
}

// In profile fast too, where the golden checkpoints are: of each kind of model the greedy texts.
TEST(Fairness, ThirtyTwoAtOnceSayWhatTheySayAloneInFast) {
    const auto golden = support::golden_dir();
    if (!golden) GTEST_SKIP() << "no golden checkpoints";
    for (const auto& entry : std::filesystem::directory_iterator(*golden)) {
        const auto file = entry.path() / "model-f16.gguf";
        if (!std::filesystem::exists(file)) continue;
        SCOPED_TRACE(entry.path().filename().string());
        std::vector<Request> requests = mixed(32);
        for (Request& r : requests) r.sampling = {};
        const auto started = [&](int sequences, bool drafts) { return Engine::load({.path = file, .threads = 2, .kv_tokens = 3000, .max_sequences = sequences, .drafts = drafts}); };
        std::vector<Output> alone;
        {
            auto engine = started(1, false);
            ASSERT_TRUE(engine) << engine.error().text();
            if ((*engine)->info().encoder) continue;
            for (const Request& r : requests) alone.push_back(read(**(*engine)->start(r)));
        }
        auto engine = started(8, true);
        std::vector<std::unique_ptr<Session>> sessions;
        for (const Request& r : requests) sessions.push_back(*(*engine)->start(r));
        for (std::size_t i = 0; i < sessions.size(); ++i) EXPECT_EQ(read(*sessions[i]).ids, alone[i].ids) << i;
    }
}

// One who asks once waits for those who run, not for all that another has queued; then they take turns.
TEST(Fairness, PeopleTakeTurns) {
    auto engine = load("qwen3_moe.gguf", {.max_sequences = 1});
    std::vector<std::unique_ptr<Session>> many, few;
    for (int i = 0; i < 12; ++i) {
        Request r = request(i, 20, 120);
        r.person = "busy";
        many.push_back(*engine->start(r));
    }
    for (int i = 0; i < 3; ++i) {
        Request r = request(i, 20, 120);
        r.person = "modest";
        few.push_back(*engine->start(r));
    }
    std::vector<std::chrono::microseconds> busy, modest;
    for (auto& s : many) busy.push_back(read(*s).usage.queued);
    for (auto& s : few) modest.push_back(read(*s).usage.queued);
    // The first of them may have begun before anyone else had asked; from then on it is the other's turn and theirs.
    EXPECT_LT(modest[0], busy[3]);
    EXPECT_LT(modest[1], busy[5]);
    EXPECT_LT(modest[2], busy[7]);
    EXPECT_LT(busy[2], modest[2]) << "nobody is put behind all others either";
}

// The night holds all places that it may, and has answers to come for longer than a person's takes, who is answered at once all the same.
TEST(Fairness, NobodyWaitsForTheNight) {
    auto engine = load("llama_tied.gguf", {.kv_tokens = 6000, .max_sequences = 4});
    std::atomic<int> tokens = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 5; ++i) {
        Request r = request(i, 20, 300);
        r.urgency = Urgency::night;
        readers.emplace_back([&tokens, session = *engine->start(r)] {
            while (session->next()) ++tokens;
        });
    }
    const auto of_night = [&] { return engine->load_now().of[std::size_t(Urgency::night)]; };
    while (tokens < 10 || (of_night().running < 3 && tokens < 300)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto night = of_night();
    EXPECT_EQ(night.running, 3) << "the last place is people's";
    EXPECT_EQ(night.waiting, 2);
    auto session = *engine->start(request(7, 20, 60));
    ASSERT_TRUE(session->next());
    EXPECT_LT(tokens, 600) << "four times three hundred, if the last place were the night's";
    EXPECT_EQ(read(*session).finish, Finish::length);
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(tokens, 5 * 300 + 5);  // each with an event of its end
}

TEST(Fairness, TheQueueHasAnEndThatItTells) {
    auto engine = load("qwen3_moe.gguf", {.max_sequences = 1, .max_waiting = 6, .max_waiting_each = 3});
    std::vector<std::unique_ptr<Session>> sessions;
    const auto ask = [&](const std::string& person) {
        Request r = request(1, 20, 400);
        r.person = person;
        auto session = engine->start(r);
        if (session) sessions.push_back(*std::move(session));
        return session ? std::string() : std::string(base::name(session.error().code)) + ": " + session.error().text();
    };
    ASSERT_EQ(ask("first"), "");
    while (engine->load_now().running == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (int i = 0; i < 3; ++i) ASSERT_EQ(ask("first"), "");
    EXPECT_THAT(ask("first"), testing::HasSubstr("3 requests of this person wait for the model already"));
    for (int i = 0; i < 3; ++i) ASSERT_EQ(ask("second"), "");
    EXPECT_THAT(ask("third"), testing::AllOf(testing::StartsWith("resource_exhausted"), testing::HasSubstr("6 requests wait for the model already")));
    // The worker takes in who waits between two steps, of which one may be long where others use the processor.
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (engine->load_now().longest_wait < std::chrono::milliseconds(20) && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto load = engine->load_now();
    EXPECT_EQ(load.max_waiting, 6);
    ASSERT_EQ(load.waiting, 6) << "nobody reads, so that the first one rests";
    EXPECT_GE(load.longest_wait, std::chrono::milliseconds(20));
    // Whoever goes makes room.
    for (auto& s : sessions) s->stop();
    for (auto& s : sessions) read(*s);
    while (engine->load_now().waiting > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("third"), "");
}
