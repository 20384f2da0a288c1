// Threads that runs spawn: what they get, what they may use, what becomes of them; over kills and stops.
#include "agents/spawn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "lives.h"
#include "store/run_inputs.h"
#include "store/stops.h"
#include "support/run_task.h"

namespace agents::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using store::Rule;

constexpr const char* kDivide = "Please divide it.";

class Spawn : public LivesTest {
protected:
    ChatRequest request(const std::string& text, const char* alias = "hearth/dev") const {
        ChatRequest out;
        out.principal = owner();
        out.alias = alias;
        out.messages = {user(text)};
        return out;
    }
    std::vector<store::Thread> children(base::ConversationId id) {
        return in_tx([&](store::Tx& tx) { return store::children_of(tx, id); });
    }
    store::Thread thread(base::ConversationId id) {
        return in_tx([&](store::Tx& tx) { return store::find_thread(tx, id).value(); });
    }
    std::vector<store::Run> runs(base::ConversationId id) {
        return in_tx([&](store::Tx& tx) { return store::runs_of(tx, id); });
    }
    std::vector<store::RunInput> inputs(base::RunId id) {
        return in_tx([&](store::Tx& tx) { return store::list_inputs(tx, id); });
    }
    std::string open_runs() { return database->sql("select count(*) from run where state is null or state = 'waiting_person'"); }
    // What the run holds for carved is what its children have used: the rest has come back.
    void expect_come_back(base::RunId id) {
        int used = 0;
        for (const auto& child : children(run(id).conversation)) used += runs(child.id).at(0).usage.value("output_tokens", 0);
        EXPECT_EQ(turn_from_json(run(id).turn).value().sums.carved_tokens, used);
    }
    // The process lives and looks for runs, as a server does each second, until the run has ended.
    void tend(Process& process, base::RunId id, int looks = 3000) {
        for (int i = 0; i < looks && !run(id).ended(); ++i) {
            look(process);
            process.live(20);
        }
        process.live(100000);
    }
    static void look(Process& process) {
        process.io.restart();
        net::spawn(process.io.get_executor(), process.agents->resume_interrupted(), [](std::exception_ptr) { ADD_FAILURE() << "looking threw"; });
    }
    base::RunId begin(Process& process, ChatRequest asked) {
        process.ask(std::move(asked));
        while (process.events.empty() && process.live(1)) continue;
        return process.events.at(0).run;
    }

    support::TempDir folder;
};

TEST_F(Spawn, ChildrenGetTheirTaskAndTellWhatCameOfIt) {
    Process process(folder.path());
    const auto id = begin(process, request(kDivide));
    tend(process, id);
    const auto parent = run(id);
    EXPECT_EQ(parent.status, "answered");
    const auto made = children(parent.conversation);
    ASSERT_THAT(made, SizeIs(2));
    const char* tasks[] = {"count the apples", "count the pears"};
    const int budgets[] = {900, 800};
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(made[i].state, "ended");
        EXPECT_EQ(made[i].as.depth, 1);
        EXPECT_EQ(made[i].as.label, tasks[i]);
        EXPECT_EQ(made[i].as.output_tokens, budgets[i]);
        EXPECT_EQ(made[i].parent, parent.conversation);
        const auto of = runs(made[i].id);
        ASSERT_THAT(of, SizeIs(1));
        EXPECT_EQ(of[0].status, "answered");
        const auto spans = in_tx([&](store::Tx& tx) { return store::read_trace(tx, of[0].id).spans; });
        const auto root = std::find_if(spans.begin(), spans.end(), [](const auto& span) { return span.parent.is_nil(); });
        ASSERT_NE(root, spans.end());
        EXPECT_EQ(root->attributes["spawned_by"]["run"], id.text());
        EXPECT_EQ(said_in(made[i].id).at(0), std::string("user: ") + tasks[i]);
    }
    for (const auto& asked : process.model->requests()) {
        const std::string last = asked.messages.back().text();
        if (last.find("count the") != 0) continue;
        for (const auto& message : asked.messages) EXPECT_THAT(message.text(), Not(HasSubstr(kDivide))) << "nothing of the parent's history";
        for (const auto& tool : asked.tools) EXPECT_NE(tool.name, "spawn_thread") << "it may spawn none";
    }
    const auto told = inputs(id);
    ASSERT_THAT(told, SizeIs(2));
    for (const auto& input : told) EXPECT_TRUE(input.of_thread());
    const auto said = said_in(parent.conversation);
    EXPECT_EQ(said.back(), "assistant: Together that is all.");
    std::string all;
    for (const auto& one : said) all += one + "\n";
    EXPECT_THAT(all, HasSubstr("There are 3 apples."));
    EXPECT_THAT(all, HasSubstr("There are 5 pears."));
    EXPECT_EQ(turn_from_json(parent.turn).value().label, policy::Integrity::untrusted) << "what they tell is no word of a person's";
    EXPECT_EQ(effects["apples"], 1);
    expect_come_back(id);
    int unused = 0, used = 0;
    for (const auto& input : told) unused += input.unused_tokens;
    for (const auto& child : made) used += runs(child.id)[0].usage.value("output_tokens", 0);
    EXPECT_GT(used, 0);
    EXPECT_EQ(unused, 900 + 800 - used);
}

TEST_F(Spawn, KilledAtAnyMomentEachChildIsThereOnceAndIsHeardOnce) {
    for (std::size_t moment = 4; moment < 120; moment += 5) {
        SCOPED_TRACE(moment);
        effects.clear();
        auto process = std::make_unique<Process>(folder.path());
        const auto id = begin(*process, request(kDivide));
        for (std::size_t lived = 0; lived < moment && !run(id).ended(); lived += 10) {
            look(*process);
            process->live(std::min<std::size_t>(10, moment - lived));
        }
        for (int lives = 0; lives < 20 && !run(id).ended(); ++lives) {
            process = std::make_unique<Process>(folder.path());
            tend(*process, id, 400);
        }
        ASSERT_EQ(run(id).status, "answered");
        const auto made = children(run(id).conversation);
        ASSERT_THAT(made, SizeIs(2));
        for (const auto& child : made) {
            EXPECT_EQ(child.state, "ended");
            EXPECT_THAT(runs(child.id), SizeIs(1));
        }
        EXPECT_THAT(inputs(id), SizeIs(2));
        const auto said = said_in(run(id).conversation);
        EXPECT_EQ(std::count_if(said.begin(), said.end(), [](const auto& one) { return one.find("user: [From the thread") == 0; }), 2);
        EXPECT_LE(effects["apples"], 1);
        expect_come_back(id);
        if (HasFailure()) return;
    }
}

TEST_F(Spawn, AStoppedParentLeavesNoChildBehind) {
    int cut = 0;
    for (unsigned seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        auto process = std::make_unique<Process>(folder.path());
        const auto id = begin(*process, request(seed % 2 ? std::string(kDivide) : std::string(kDivide) + " Tell of it word by word."));
        for (unsigned i = random() % 12; i > 0; --i) {
            look(*process);
            process->live(random() % 12);
        }
        if (random() % 4 == 0) process = std::make_unique<Process>(folder.path());
        const bool whole = random() % 2;
        const auto conversation = run(id).conversation;
        const bool asked = whole ? support::run_task(process->agents->stop_thread(owner(), conversation)) : support::run_task(process->agents->stop(owner(), id));
        if (random() % 4 == 0) process = std::make_unique<Process>(folder.path());
        tend(*process, id, 400);
        for (int lives = 0; lives < 20 && open_runs() != "0"; ++lives) {
            process = std::make_unique<Process>(folder.path());
            for (int i = 0; i < 20; ++i) look(*process), process->live(50);
            process->live(100000);
        }
        ASSERT_EQ(open_runs(), "0");
        EXPECT_TRUE(run(id).ended());
        EXPECT_TRUE(asked || !whole);
        for (const auto& child : children(conversation)) {
            EXPECT_TRUE(child.state == "ended" || child.state == "cancelled") << child.state;
            for (const auto& one : runs(child.id)) EXPECT_TRUE(one.ended());
            cut += child.state == "cancelled";
        }
        EXPECT_EQ(thread(conversation).state, whole ? "cancelled" : "idle");
        if (HasFailure()) return;
    }
    EXPECT_GT(cut, 5);
}

TEST_F(Spawn, AChildThatRanOutOfItsBudgetIsSeenToHave) {
    const std::string partial = report_of({}, "count", "partial", "the answer was cut after 5 tokens", "There are");
    EXPECT_THAT(partial, HasSubstr("ran out of its budget before it was done (the answer was cut after 5 tokens)"));
    EXPECT_THAT(report_of({}, "count", "failed", "no folder", ""), HasSubstr("without success (failed: no folder)"));
    Process process(folder.path());
    const auto id = begin(process, request("Please divide it, too much."));
    tend(process, id);
    EXPECT_EQ(run(id).status, "answered");
    const auto made = children(run(id).conversation);
    ASSERT_THAT(made, SizeIs(2));
    EXPECT_EQ(runs(made[1].id).at(0).status, "partial");
    const auto told = inputs(id);
    ASSERT_THAT(told, SizeIs(2));
    const std::string& text = told[told[0].via == "thread:" + made[1].id.text() ? 0 : 1].text;
    EXPECT_THAT(text, HasSubstr("ran out of its budget before it was done"));
    EXPECT_THAT(text, HasSubstr("There are 5 pears."));
}

TEST_F(Spawn, AChildWhoseRunWasGivenUpIsReported) {
    Process process(folder.path());
    const auto id = begin(process, request(kDivide));
    const auto conversation = run(id).conversation;
    while (children(conversation).size() < 2) ASSERT_TRUE(process.live(1));
    for (const auto& child : children(conversation)) database->sql("update run set state = 'failed', finished_at = now() where conversation_id = '" + child.id.text() + "'");
    EXPECT_FALSE(process.live(100000));
    EXPECT_EQ(run(id).status, "answered");
    const auto told = inputs(id);
    ASSERT_THAT(told, SizeIs(2));
    for (const auto& input : told) EXPECT_THAT(input.text, HasSubstr("its run was given up"));
    for (const auto& child : children(conversation)) EXPECT_EQ(child.state, "ended");
}

TEST_F(Spawn, AParentWhoseStopIsNotHeardYetDoesNotEndAsIfItsChildrenWereDone) {
    Process process(folder.path());
    const auto id = begin(process, request(kDivide));
    const auto conversation = run(id).conversation;
    while (children(conversation).size() < 2) ASSERT_TRUE(process.live(1));
    const auto waits = [&] {
        const auto asked = process.model->requests();
        return !asked.empty() && reply_to(asked.back()).text == "I wait for them.";
    };
    while (!waits()) ASSERT_TRUE(process.live(1));
    ASSERT_TRUE(process.live(100));
    ASSERT_FALSE(run(id).ended()) << "nobody has begun its children";
    ASSERT_TRUE(in_tx([&](store::Tx& tx) { return store::stop_thread(tx, conversation); }));
    ASSERT_TRUE(process.live(100));
    EXPECT_FALSE(run(id).ended());
    process.agents->heard({store::Signal::Kind::missed, {}});
    EXPECT_FALSE(process.live(100000));
    EXPECT_EQ(run(id).status, "cancelled");
}

TEST_F(Spawn, AChildWhoseTimeIsOverIsStoppedAndReported) {
    Process process(folder.path());
    const auto id = begin(process, request(kDivide));
    const auto conversation = run(id).conversation;
    while (children(conversation).size() < 2) ASSERT_TRUE(process.live(1));
    const auto late = children(conversation)[0];
    EXPECT_TRUE(store::stop_expired_threads(database->db()).empty());
    database->sql("update thread set ends_at = now() where id = '" + late.id.text() + "'");
    EXPECT_THAT(store::stop_expired_threads(database->db()), ElementsAre(late.works));
    EXPECT_TRUE(store::stop_expired_threads(database->db()).empty()) << "once";
    tend(process, id);
    EXPECT_EQ(run(id).status, "answered");
    EXPECT_EQ(runs(late.id).at(0).status, "cancelled");
    EXPECT_EQ(thread(late.id).state, "cancelled");
    EXPECT_EQ(effects["apples"], 0);
    std::string all;
    for (const auto& input : inputs(id)) all += input.text;
    EXPECT_THAT(all, HasSubstr("ended without success (cancelled"));
}

TEST_F(Spawn, TheHouseholdsAgentHasNoCoderWorkForIt) {
    Process process(folder.path());
    const auto id = begin(process, request("Please divide it for a coder, look at all files and explain step by step.", "hearth"));
    tend(process, id);
    EXPECT_TRUE(children(run(id).conversation).empty());
    const auto steps = in_tx([&](store::Tx& tx) { return store::list_steps(tx, id); });
    const auto tried = std::find_if(steps.begin(), steps.end(), [](const auto& step) { return step.name == "spawn_thread"; });
    ASSERT_NE(tried, steps.end());
    EXPECT_EQ(tried->state, "failed");
    EXPECT_THAT(tried->outcome["text"].get<std::string>(), HasSubstr("that may do more than hearth may"));
}

TEST_F(Spawn, ANewMessageInterruptsWhereThatIsTheRule) {
    Process process(folder.path());
    ChatRequest first = request("Do it slowly.");
    first.rule = Rule::interrupt;
    const auto id = begin(process, std::move(first));
    while (effects["slowly"] == 0) ASSERT_TRUE(process.live(1));
    Submission other;
    other.chat = request("Do all of it in the folder.");
    other.chat.conversation = run(id).conversation;
    const auto taken = support::run_task(process.agents->submit(std::move(other)));
    ASSERT_TRUE(taken) << taken.error().text();
    EXPECT_THAT(taken->stopping, ElementsAre(id));
    tend(process, taken->run);
    EXPECT_EQ(run(id).status, "cancelled");
    EXPECT_EQ(run(taken->run).status, "answered");
    EXPECT_EQ(said_in(run(id).conversation).back(), "assistant: All of it is done.");
    const auto steps = in_tx([&](store::Tx& tx) { return store::list_steps(tx, id); });
    EXPECT_THAT(steps, SizeIs(2)) << "no step of it began any more";
}

TEST_F(Spawn, AMessageIntoAThreadThatSteersIsReadByItsRun) {
    Process process(folder.path());
    ChatRequest first = request("Do all of it in the folder.");
    first.rule = Rule::steer;
    const auto id = begin(process, std::move(first));
    Submission other;
    other.chat = request("And tell Bob.");
    other.chat.conversation = run(id).conversation;
    const auto taken = support::run_task(process.agents->submit(std::move(other)));
    ASSERT_TRUE(taken) << taken.error().text();
    EXPECT_TRUE(taken->joined);
    EXPECT_EQ(taken->run, id);
    EXPECT_FALSE(process.live(100000));
    EXPECT_THAT(said_in(run(id).conversation), ElementsAre("user: Do all of it in the folder.", "user: And tell Bob.", "assistant: All of it is done."));
    EXPECT_THAT(runs(run(id).conversation), SizeIs(1));
}

TEST_F(Spawn, WordsThatAStoppedRunDidNotReadAreInTheConversation) {
    Process process(folder.path());
    const auto id = begin(process, request("Do it slowly."));
    while (effects["slowly"] == 0) ASSERT_TRUE(process.live(1));
    ASSERT_TRUE(in_tx([&](store::Tx& tx) { return store::add_input(tx, id, "And tell Bob.", "test"); }));
    ASSERT_TRUE(support::run_task(process.agents->stop(owner(), id)));
    EXPECT_FALSE(process.live(100000));
    EXPECT_EQ(run(id).status, "cancelled");
    EXPECT_EQ(inputs(id).at(0).taken_by, store::kTakenByHistory);
    EXPECT_EQ(said_in(run(id).conversation).back(), "user: And tell Bob.");
}

}  // namespace
}  // namespace agents::testing
