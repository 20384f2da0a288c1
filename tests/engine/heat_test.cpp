// A machine that is too hot is rested between steps, takes on nothing beside what runs, and goes on as before when it has cooled.
#include "engine/heat.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "engine/engine.h"
#include "support/fixtures.h"

using namespace engine;

namespace {

struct CountedLines final : base::Log {
    void write(base::Level level, std::string_view event, const base::Json&) override {
        if (event.starts_with("the machine ")) ++(level == base::Level::warn ? warned : told);
    }
    std::atomic<int> warned{0}, told{0};
};

std::unique_ptr<Engine> heated(std::function<Heat()> heat, base::Log* log = nullptr) {
    LoadOptions options{.path = support::data_dir() / "models/llama_tied.gguf", .profile = Profile::exact, .threads = 1, .max_sequences = 2};
    options.heat = std::move(heat);
    options.log = log;
    auto engine = Engine::load(options);
    if (!engine) throw std::runtime_error(engine.error().text());
    return *std::move(engine);
}

std::unique_ptr<Session> heated_session(Engine& engine, int tokens, TokenId first = 5) {
    Request request;
    request.prompt = {{.tokens = {first, 9, 100, 42}}};
    request.max_tokens = tokens;
    request.ignore_eos = true;
    auto session = engine.start(std::move(request));
    if (!session) throw std::runtime_error(session.error().text());
    return *std::move(session);
}

std::vector<TokenId> said_by(Session& session) {
    std::vector<TokenId> out;
    while (const auto event = session.next())
        if (event->id >= 0) out.push_back(event->id);
    return out;
}

}  // namespace

TEST(Heat, StepsRestUntilTheMachineHasCooled) {
    CountedLines lines;
    std::atomic<int> asked{0};
    const auto engine = heated([&] { return Heat{"cpu", ++asked == 1 ? 96.0 : 80.0, 95}; }, &lines);
    const auto cool = heated([] { return Heat{"cpu", 80, 95}; });
    EXPECT_EQ(said_by(*heated_session(*engine, 60)), said_by(*heated_session(*cool, 60)));
    EXPECT_GT(engine->load_now().heat_pauses, 0u);
    EXPECT_EQ(lines.warned, 1) << "said once";
    while (asked < 2) said_by(*heated_session(*engine, 2));  // it looks again after a second
    EXPECT_FALSE(engine->load_now().hot);
    EXPECT_EQ(lines.told, 1);
    const auto before = engine->load_now().heat_pauses;
    said_by(*heated_session(*engine, 20));
    EXPECT_EQ(engine->load_now().heat_pauses, before);
    EXPECT_EQ(cool->load_now().heat_pauses, 0u);
}

TEST(Heat, NothingBeginsBesideWhatRuns) {
    const auto engine = heated([] { return Heat{"cpu", 99, 95}; });
    const auto first = heated_session(*engine, 40);
    ASSERT_TRUE(first->next());
    const auto second = heated_session(*engine, 40, 7);
    while (first->next()) EXPECT_LE(engine->load_now().running, 1);
    EXPECT_EQ(said_by(*second).size(), 40u) << "it comes when that has ended, also while it is hot";
}

TEST(Heat, AMachineWithNothingToDoIsSeenToCool) {
    std::atomic<double> celsius{96};
    const auto engine = heated([&] { return Heat{"cpu", celsius, 95}; });
    said_by(*heated_session(*engine, 2));
    EXPECT_TRUE(engine->load_now().hot);
    celsius = 80;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (engine->load_now().hot && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(engine->load_now().hot) << "no answer was asked for";
}
