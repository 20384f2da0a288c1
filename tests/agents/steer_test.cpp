// What people add to runs that work, and runs that begin where another one was.
#include "agents/steer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "lives.h"
#include "store/run_queue.h"
#include "support/run_task.h"

namespace agents::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kDev = "Do all of it in the folder.";
constexpr const char* kWords = "And tell Bob.";

class Steer : public LivesTest {
protected:
    ChatRequest request(const char* alias, const std::string& text) const {
        ChatRequest out;
        out.principal = owner();
        out.alias = alias;
        out.messages = {user(text)};
        return out;
    }
    std::vector<store::Step> steps(base::RunId id) {
        return in_tx([&](store::Tx& tx) { return store::list_steps(tx, id); });
    }
    base::Result<store::RunInput> add(base::RunId id, const std::string& text) {
        return in_tx([&](store::Tx& tx) { return store::add_input(tx, id, text, "test"); });
    }
    std::vector<store::RunInput> inputs(base::RunId id) {
        return in_tx([&](store::Tx& tx) { return store::list_inputs(tx, id); });
    }
    // How often the words stand in the prompt.
    static int times(const router::ModelRequest& request, const std::string& words) {
        int found = 0;
        for (const auto& message : request.messages)
            for (auto at = message.text().find(words); at != std::string::npos; at = message.text().find(words, at + 1)) ++found;
        return found;
    }
    void wait_for(Process& process, ChatEvent::Kind kind) {
        const auto there = [&] { return std::any_of(process.events.begin(), process.events.end(), [&](const auto& e) { return e.kind == kind; }); };
        while (!there()) ASSERT_TRUE(process.live(1));
    }

    support::TempDir folder;
};

TEST_F(Steer, TheNextModelStepReadsIt) {
    Process process(folder.path());
    process.ask(request("hearth/dev", kDev));
    wait_for(process, ChatEvent::Kind::tool_call);
    const auto id = process.events[0].run;
    ASSERT_TRUE(add(id, kWords));
    process.agents->heard({store::Signal::Kind::input, id});
    EXPECT_FALSE(process.live(100000));
    const auto asked = process.model->requests();
    ASSERT_GE(asked.size(), 3u);
    EXPECT_EQ(times(asked[0], kWords), 0);
    EXPECT_EQ(asked[1].messages.back().text(), kWords);
    EXPECT_EQ(asked[1].messages.back().role, router::MessageRole::user);
    for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_EQ(times(asked[i], kWords), 1) << "at its place in prompt " << i;
    EXPECT_EQ(asked[2].messages[asked[1].messages.size() - 1].text(), kWords);
    EXPECT_THAT(said_in(run(id).conversation), ElementsAre(std::string("user: ") + kDev, std::string("user: ") + kWords, "assistant: All of it is done."));
    EXPECT_EQ(inputs(id)[0].taken_by, "model:1");
    EXPECT_THAT(process.events, Contains(::testing::Field(&ChatEvent::text, kWords)));
}

TEST_F(Steer, WhatComesWhileTheLastAnswerIsWrittenIsAnsweredByATurnOfItsOwn) {
    for (const char* alias : {"hearth/dev", "hearth"}) {
        Process process(folder.path());
        process.ask(request(alias, "Do all of it in the folder, and tell of it word by word."));
        const auto answers = [&] {
            const auto asked = process.model->requests();
            return !asked.empty() && (asked.back().purpose == "recompose" || reply_to(asked.back()).text.starts_with("All"));
        };
        while (!answers()) ASSERT_TRUE(process.live(1));
        const auto id = process.events[0].run;
        ASSERT_TRUE(add(id, kWords));
        EXPECT_FALSE(process.live(100000));
        EXPECT_EQ(run(id).status, "answered");
        const auto said = said_in(run(id).conversation);
        ASSERT_THAT(said, SizeIs(4)) << alias;
        EXPECT_EQ(said[2], std::string("user: ") + kWords);
        EXPECT_EQ(inputs(id)[0].taken_by, kTakenByTurn);
        EXPECT_EQ(times(process.model->requests().back(), kWords), 1);
        const auto late = add(id, "Too late.");
        ASSERT_FALSE(late);
        EXPECT_EQ(late.error().code, base::Code::conflict);
        EXPECT_THAT(late.error().message, HasSubstr("the run is finished (answered)"));
        EXPECT_THAT(said_in(run(id).conversation), SizeIs(4));
    }
}

TEST_F(Steer, AtWhicheverMomentItIsReadOnceOrRefused) {
    int read = 0, refused = 0;
    for (unsigned seed = 1; seed <= 120; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        auto process = std::make_unique<Process>(folder.path());
        process->ask(request(seed % 3 ? "hearth/dev" : "hearth", kDev));
        while (process->events.empty()) ASSERT_TRUE(process->live(1));
        const auto id = process->events[0].run;
        std::vector<std::string> accepted;
        for (int i = 0; i < 3; ++i) {
            process->live(random() % 30);
            const std::string words = "Words " + std::to_string(i) + ".";
            if (add(id, words)) accepted.push_back("user: " + words);
            else ++refused;
            if (random() % 2) process->agents->heard({store::Signal::Kind::input, id});
            if (random() % 4 == 0) process = std::make_unique<Process>(folder.path());  // killed
        }
        process->live(100000);
        for (int i = 0; i < 200 && !run(id).ended(); ++i) {
            process = std::make_unique<Process>(folder.path());
            process->resume();
        }
        ASSERT_TRUE(run(id).ended());
        std::vector<std::string> said = said_in(run(id).conversation);
        for (const auto& words : accepted) EXPECT_EQ(std::count(said.begin(), said.end(), words), 1) << words;
        EXPECT_EQ(std::count_if(said.begin(), said.end(), [](const auto& one) { return one.find("user: Words") == 0; }), std::ptrdiff_t(accepted.size()));
        for (const auto& input : inputs(id)) EXPECT_FALSE(input.taken_by.empty());
        read += int(accepted.size());
        if (HasFailure()) return;
    }
    EXPECT_GT(read, 100);
    EXPECT_GT(refused, 10);
}

TEST_F(Steer, AnotherPersonCanAddNothing) {
    Process process(folder.path());
    process.ask(request("hearth/dev", kDev));
    while (process.events.empty()) ASSERT_TRUE(process.live(1));
    const auto id = process.events[0].run;
    const auto theirs = [&](store::Tx& tx) { return store::add_input(tx, id, "Mine now.", "test"); };
    const auto refused = database->db().run_blocking(database->member(), theirs);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::not_found);
}

TEST_F(Steer, AForkGoesOnFromEachStepAndRepeatsNothing) {
    Process process(folder.path());
    process.ask(request("hearth/dev", kDev));
    EXPECT_FALSE(process.live(100000));
    const auto id = process.events[0].run;
    const auto made = steps(id);
    ASSERT_EQ(made.size(), 8u);
    const auto whole = effects;
    for (const auto& upto : made) {
        SCOPED_TRACE(upto.effect_key);
        effects.clear();
        const std::string named = upto.position % 2 ? upto.id.text() : std::to_string(upto.position);
        const auto fork = support::run_task(process.agents->fork(request("", "").principal, id, named, ""));
        ASSERT_TRUE(fork) << fork.error().text();
        EXPECT_EQ(run(*fork).status, "queued");
        const auto calls = process.model->requests().size();
        ASSERT_TRUE(process.resume());
        EXPECT_EQ(run(*fork).status, "answered");
        EXPECT_EQ(run(*fork).forked_from, id);
        EXPECT_EQ(run(*fork).forked_step, upto.id);
        EXPECT_NE(run(*fork).conversation, run(id).conversation);
        EXPECT_EQ(said_in(run(*fork).conversation), said_in(run(id).conversation));
        const auto own = steps(*fork);
        ASSERT_EQ(own.size(), made.size());
        std::map<std::string, int> left;
        int models = 0;
        for (std::size_t i = 0; i < own.size(); ++i) {
            EXPECT_EQ(own[i].name, made[i].name);
            EXPECT_EQ(own[i].state, made[i].state);
            if (std::int64_t(i) <= upto.position) continue;
            models += made[i].kind == "model";
            if (made[i].kind == "tool" && made[i].effect != "pure") ++left[made[i].input.value("command", "")];
        }
        EXPECT_EQ(effects, left) << "what the first run did is not done again";
        EXPECT_EQ(process.model->requests().size() - calls, std::size_t(models));
        const auto spans = in_tx([&](store::Tx& tx) { return store::read_trace(tx, *fork).spans; });
        const auto root = std::find_if(spans.begin(), spans.end(), [](const auto& span) { return span.parent.is_nil(); });
        ASSERT_NE(root, spans.end());
        EXPECT_EQ(root->attributes["forked_from"]["run"], id.text());
        EXPECT_EQ(root->attributes["forked_from"]["step"], upto.id.text());
    }
    EXPECT_EQ(run(id).status, "answered");
    EXPECT_EQ(steps(id).size(), made.size());
}

TEST_F(Steer, ARunThatAnsweredSeveralMessagesIsForkedAtEachStep) {
    for (const char* alias : {"hearth/dev", "hearth"}) {
        Process process(folder.path());
        process.ask(request(alias, "Do all of it in the folder, and tell of it word by word."));
        const auto answers = [&](std::size_t from) {
            const auto asked = process.model->requests();
            if (asked.size() <= from) return false;
            const std::string& purpose = asked.back().purpose;
            return reply_to(asked.back()).tool_calls.empty() && purpose != "intake" && purpose != "thinking" && purpose != "copilot";
        };
        wait_for(process, ChatEvent::Kind::tool_call);
        const auto id = process.events[0].run;
        // One that a step reads, and two that are answered by turns of their own.
        ASSERT_TRUE(add(id, "Read this on the way, word by word."));
        process.agents->heard({store::Signal::Kind::input, id});
        std::size_t seen = 0;
        for (const char* words : {"And tell Bob, word by word.", "And tell Eve, word by word."}) {
            while (!answers(seen)) ASSERT_TRUE(process.live(1));
            seen = process.model->requests().size();
            ASSERT_TRUE(add(id, words));
            process.live(5);
        }
        EXPECT_FALSE(process.live(100000));
        ASSERT_EQ(run(id).status, "answered");
        const auto turns = in_tx([&](store::Tx& tx) { return store::list_turns(tx, id); });
        ASSERT_EQ(turns.size(), 3u) << alias;
        ASSERT_EQ(turns[0].first_step, 0);
        ASSERT_LT(turns[1].first_step, turns[2].first_step);
        const auto made = steps(id);
        const auto said = said_in(run(id).conversation);
        const auto whole_sums = turn_from_json(run(id).turn).value().sums;
        for (const auto& upto : made) {
            SCOPED_TRACE(std::string(alias) + " " + upto.effect_key);
            const std::size_t turn = upto.position >= turns[2].first_step ? 2 : upto.position >= turns[1].first_step ? 1 : 0;
            const auto fork = support::run_task(process.agents->fork(request("", "").principal, id, upto.id.text(), ""));
            ASSERT_TRUE(fork) << fork.error().text();
            const auto calls = process.model->requests().size();
            ASSERT_TRUE(process.resume());
            ASSERT_EQ(run(*fork).status, "answered");
            // The same until the turn's end, and nothing of what was added behind the step.
            const auto fork_said = said_in(run(*fork).conversation);
            const auto own = steps(*fork);
            std::size_t until = turn == 2 ? made.size() : std::size_t(turns[turn + 1].first_step);
            const bool read = std::any_of(made.begin(), made.end(), [&](const auto& step) { return step.effect_key == inputs(id)[0].taken_by && step.position <= upto.position; });
            if (turn > 0 || read) {
                ASSERT_EQ(own.size(), until);
                EXPECT_TRUE(std::equal(fork_said.begin(), fork_said.end(), said.begin())) << "so much of what was said, and no more";
            }
            EXPECT_EQ(std::count(fork_said.begin(), fork_said.end(), "user: Read this on the way, word by word."), turn > 0 || read);
            EXPECT_EQ(std::count(fork_said.begin(), fork_said.end(), "user: And tell Bob, word by word."), turn > 0);
            EXPECT_EQ(std::count(fork_said.begin(), fork_said.end(), "user: And tell Eve, word by word."), turn > 1);
            for (std::size_t i = 0; i <= std::size_t(upto.position); ++i) EXPECT_EQ(own[i].name, made[i].name);
            EXPECT_EQ(process.model->requests().size() - calls,
                      std::size_t(std::count_if(own.begin() + upto.position + 1, own.end(), [](const auto& step) { return step.kind == "model"; })));
            const auto sums = turn_from_json(run(*fork).turn).value().sums;
            EXPECT_LE(sums.model_steps, whole_sums.model_steps);
            EXPECT_EQ(sums.model_steps, std::count_if(own.begin(), own.end(), [](const auto& step) { return step.kind == "model"; })) << "what was copied counts";
            EXPECT_EQ(in_tx([&](store::Tx& tx) { return store::list_turns(tx, *fork); }).size(), turn == 0 ? 1u : turn + 1);
            // A fork of a fork, at the same step.
            if (upto.position % 3) continue;
            const auto again = support::run_task(process.agents->fork(request("", "").principal, *fork, std::to_string(upto.position), ""));
            ASSERT_TRUE(again) << again.error().text();
            ASSERT_TRUE(process.resume());
            EXPECT_EQ(said_in(run(*again).conversation), fork_said);
        }
    }
}

TEST_F(Steer, AForkMayBeToldSomethingElse) {
    Process process(folder.path());
    process.ask(request("hearth/dev", kDev));
    EXPECT_FALSE(process.live(100000));
    const auto id = process.events[0].run;
    const auto fork = support::run_task(process.agents->fork(request("", "").principal, id, "0", kWords));
    ASSERT_TRUE(fork);
    const auto calls = process.model->requests().size();
    ASSERT_TRUE(process.resume());
    EXPECT_EQ(times(process.model->requests()[calls], kWords), 1);
    EXPECT_THAT(said_in(run(*fork).conversation), Contains(std::string("user: ") + kWords));
    for (const char* step : {"8", "99", "x", "", "-1", "01900000-0000-7000-8000-000000000000"}) {
        const auto none = support::run_task(process.agents->fork(request("", "").principal, id, step, ""));
        ASSERT_FALSE(none) << step;
        EXPECT_EQ(none.error().code, base::Code::invalid_argument);
    }
    policy::Principal stranger = request("", "").principal;
    stranger.person = database->member().person;
    EXPECT_EQ(support::run_task(process.agents->fork(stranger, id, "0", "")).error().code, base::Code::not_found);
}

}  // namespace
}  // namespace agents::testing
