// What becomes of messages to threads: the decisions by table, 10,000 schedules of them, and hundreds against PostgreSQL.
#include "agents/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "agents/resume.h"
#include "lives.h"
#include "store/run_inputs.h"
#include "store/run_queue.h"
#include "store/stops.h"
#include "support/run_task.h"
#include "thread_machine.h"

namespace agents::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using store::Rule;
using End = ThreadMachine::End;

constexpr Rule kRules[] = {Rule::queue, Rule::steer, Rule::interrupt, Rule::refuse};
constexpr int kSchedules = 10000;  // of each rule

TEST(Threads, TheRuleDecides) {
    const Standing idle{}, works{false, true, false}, stopping{false, true, true}, closed{true, false, false};
    struct Case {
        Rule rule;
        Standing standing;
        bool words;
        Way way;
    };
    const Case cases[] = {
        {Rule::queue, works, true, Way::wait},         {Rule::queue, stopping, true, Way::wait},
        {Rule::steer, works, true, Way::join},         {Rule::steer, stopping, true, Way::wait},
        {Rule::steer, works, false, Way::wait},        {Rule::interrupt, works, true, Way::interrupt},
        {Rule::interrupt, works, false, Way::interrupt}, {Rule::refuse, works, true, Way::refuse},
    };
    for (const Case& one : cases) EXPECT_EQ(way_of(one.rule, one.standing, one.words), one.way) << store::name(one.rule);
    for (const Rule rule : kRules)
        for (const bool words : {true, false}) {
            EXPECT_EQ(way_of(rule, idle, words), Way::begin);
            EXPECT_EQ(way_of(rule, closed, words), Way::refuse);
        }
}

TEST(Threads, AChildHasNoMoreThanItsParentCanSpare) {
    using std::chrono::seconds;
    const Allowance left{1000, seconds(100), 2, 3};
    EXPECT_EQ(carve(left, {}).value(), (Allowance{372, seconds(98), 0, 0}));
    EXPECT_EQ(carve(left, {744, seconds(98), 2}).value(), (Allowance{744, seconds(98), 1, 2}));
    for (const auto& [wish, what] : {std::pair{Wish{745, seconds(1), 0}, "744 output tokens are left for threads, 745"}, {Wish{1, seconds(99), 0}, "98 seconds are left for threads, 99"},
                                     {Wish{1, seconds(1), 3}, "of 3 threads that may still be spawned"}}) {
        const auto refused = carve(left, wish);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, base::Code::resource_exhausted);
        EXPECT_THAT(refused.error().message, HasSubstr(what));
    }
    EXPECT_FALSE(carve({1000, seconds(100), 0, 3}, {}));
    EXPECT_FALSE(carve({1000, seconds(100), 2, 0}, {}));
    EXPECT_FALSE(carve({kKeptTokens, seconds(100), 2, 3}, {}));
    EXPECT_FALSE(carve({1000, seconds(2), 2, 3}, {}));
}

struct Node {
    Allowance left;
    int used = 0, given = 0, made = 0, given_threads = 0, level = 0;
    std::chrono::seconds until{0};
    Allowance at_first{};
    std::size_t parent = 0;
    bool ended = false;
    int unread = 0;  // what comes back with its report, which its parent has not read yet
};

TEST(Threads, WhatAllTogetherMayUseIsNeverMoreThanTheFirstHad) {
    int refused = 0, granted = 0, deepest = 0, returned = 0;
    for (unsigned seed = 1; seed <= unsigned(kSchedules); ++seed) {
        std::mt19937 random(seed);
        const auto upto = [&](int most) { return int(random() % unsigned(most + 1)); };
        const Allowance first{300 + upto(9000), std::chrono::seconds(1 + upto(600)), upto(kMostDepth + 1), upto(kMostThreads)};
        std::vector<Node> nodes = {{first, 0, 0, 0, 0, 0, first.time, first}};
        std::chrono::seconds now{0};
        for (int i = 0; i < 40; ++i) {
            now += std::chrono::seconds(upto(8));
            const std::size_t chosen = random() % nodes.size();
            Node& parent = nodes[chosen];
            if (parent.ended) {
                // Its report is read, unless it had none, or its parent ended without.
                Node& reader = nodes[parent.parent];
                if (reader.ended) continue;
                returned += parent.unread > 0;
                reader.given -= parent.unread, reader.left.tokens += parent.unread;
                parent.unread = 0;
                continue;
            }
            if (chosen > 0 && random() % 4 == 0) {
                // With children of its own still at work, as one does that is stopped.
                parent.ended = true;
                parent.unread = come_back(parent.at_first.tokens, parent.used, parent.given);
                continue;
            }
            parent.left.time = parent.until - now;
            if (random() % 3 == 0 && parent.left.tokens > 0) {
                const int spent = 1 + upto(parent.left.tokens - 1);
                parent.used += spent, parent.left.tokens -= spent;
                continue;
            }
            const Wish wish{random() % 2 ? upto(4000) : 0, std::chrono::seconds(random() % 2 ? upto(300) : 0), upto(3)};
            const auto part = carve(parent.left, wish);
            if (!part) {
                ++refused;
                continue;
            }
            ++granted;
            const Allowance rest = without(parent.left, *part);
            ASSERT_GE(rest.tokens, kKeptTokens);
            ASSERT_GE(rest.threads, 0);
            ASSERT_LT(part->depth, std::max(1, parent.left.depth));
            ASSERT_LE(now + part->time, parent.until) << "it outlives its parent";
            const Node child{*part, 0, 0, 0, 0, parent.level + 1, now + part->time, *part, chosen};
            deepest = std::max(deepest, child.level);
            parent.given += part->tokens, ++parent.made, parent.given_threads += part->threads;
            parent.left = rest;
            nodes.push_back(child);
        }
        int used = 0;
        for (const Node& node : nodes) {
            used += node.used;
            ASSERT_LE(node.used + node.given, node.at_first.tokens);
            ASSERT_EQ(node.left.tokens, node.at_first.tokens - node.used - node.given);
            ASSERT_LE(node.made + node.given_threads, node.at_first.threads);
            ASSERT_LE(node.level, first.depth);
        }
        ASSERT_LE(used, first.tokens);
        ASSERT_LE(int(nodes.size()) - 1, first.threads);
    }
    EXPECT_GT(granted, kSchedules);
    EXPECT_GT(refused, kSchedules);
    EXPECT_GT(deepest, 1);
    EXPECT_GT(returned, kSchedules / 2);
}

// One move of many, the same for the machine and for the database.
enum class Move { arrive, begin, step, end, fail, stop, rest, word, stop_thread };
Move draw(std::mt19937& random) {
    constexpr Move kMoves[] = {Move::arrive, Move::arrive, Move::arrive, Move::begin, Move::begin, Move::step, Move::step, Move::end, Move::end, Move::fail, Move::stop, Move::rest, Move::word};
    return random() % 60 == 0 ? Move::stop_thread : kMoves[random() % std::size(kMoves)];
}

void make(ThreadMachine& machine, Move move, int message, unsigned pick) {
    const auto open = machine.open();
    switch (move) {
        case Move::arrive: machine.arrive(message); break;
        case Move::begin: machine.begin(); break;
        case Move::step: machine.step(); break;
        case Move::end: machine.end(false); break;
        case Move::fail: machine.end(true); break;
        case Move::rest: machine.rest(true); break;
        case Move::word: machine.rest(false); break;
        case Move::stop_thread: machine.stop_thread(); break;
        case Move::stop:
            if (!open.empty()) machine.stop(open[pick % open.size()]);
            break;
    }
}

TEST(Threads, NoMessageIsLostOrDoubledWhateverHappensBesideIt) {
    int joined = 0, drained = 0, refused = 0, interrupted = 0;
    for (const Rule rule : kRules)
        for (unsigned seed = 1; seed <= unsigned(kSchedules); ++seed) {
            SCOPED_TRACE(std::string(store::name(rule)) + " " + std::to_string(seed));
            std::mt19937 random(seed);
            ThreadMachine machine;
            machine.rule = rule;
            std::vector<int> accepted;
            for (int i = 1; i <= 24; ++i) {
                const Move move = draw(random);
                const std::size_t runs = machine.runs.size();
                make(machine, move, i, unsigned(random()));
                if (move != Move::arrive) continue;
                if (!machine.came.contains(i)) {
                    ++refused;
                    continue;
                }
                accepted.push_back(i);
                joined += machine.runs.size() == runs;
                if (rule == Rule::interrupt)
                    for (std::size_t run = 0; run + 1 < machine.runs.size(); ++run) interrupted += machine.runs[run].stopping;
            }
            machine.settle();
            ASSERT_TRUE(machine.open().empty());
            std::vector<int> said = machine.said;
            std::sort(said.begin(), said.end());
            ASSERT_EQ(said, accepted) << "each once";
            for (std::size_t i = 0; i < machine.runs.size(); ++i) {
                const auto& run = machine.runs[i];
                drained += run.heard.size() > std::size_t(run.steps) + 1;
                // Whoever was heard by a run that was stopped or failed came before that: nobody's words are thrown to a run that is ending.
                for (const int message : run.heard) {
                    const bool late = run.end == End::cancelled && message != run.own && machine.came[message] > machine.stopped_at[int(i)];
                    ASSERT_FALSE(late) << "message " << message;
                }
                ASSERT_TRUE(rule == Rule::steer || run.heard == std::vector<int>{run.own});
            }
        }
    EXPECT_GT(joined, 1000);
    EXPECT_GT(drained, 100);
    EXPECT_GT(refused, 1000);
    EXPECT_GT(interrupted, 1000);
}

class ThreadsInStore : public LivesTest {
protected:
    static constexpr const char* kPrefix = "m";

    Submission submission(const std::string& text, base::ConversationId conversation, std::optional<Rule> rule = {}) const {
        Submission out;
        out.chat.principal = owner();
        out.chat.alias = "hearth/dev";
        out.chat.messages = {user(text)};
        out.chat.conversation = conversation;
        out.chat.rule = rule;
        return out;
    }
    base::Result<Submitted> arrive(const std::string& text, base::ConversationId conversation, std::optional<Rule> rule = {}) {
        const auto now = base::SystemClock().now();
        const Submission sent = submission(text, conversation, rule);
        return in_tx([&](store::Tx& tx) { return accept_queued(tx, options, sent, base::RunId::make(now), base::ConversationId::make(now)); });
    }

    // The machine's moves as the transactions that the product makes.
    struct Mirror {
        base::ConversationId conversation;
        std::vector<base::RunId> runs;
        std::map<base::RunId, std::unique_ptr<store::RunLease>> leases;
    };
    void hear(store::Tx& tx, const Mirror& mirror, const std::vector<store::RunInput>& inputs, const char* by) {
        for (const auto& input : inputs) {
            store::append_message(tx, mirror.conversation, {}, {{"role", "user"}, {"content", input.text}});
            store::take_input(tx, input.id, by);
        }
    }
    void end(Mirror& mirror, base::RunId run, bool fails, bool stopping) {
        const auto epoch = mirror.leases.at(run)->epoch();
        const bool ended = in_tx([&](store::Tx& tx) {
            store::lock_conversation(tx, mirror.conversation);
            store::hold_run(tx, run, epoch);
            const auto left = store::untaken_inputs(tx, run);
            if (!stopping && !fails && !left.empty()) return hear(tx, mirror, left, "turn"), false;
            store::leave_inputs(tx, run);
            store::finish_run(tx, run, epoch, stopping ? "cancelled" : fails ? "failed" : "answered", "", Json::object(), Json::object());
            return true;
        });
        if (ended) mirror.leases.erase(run);
    }
    bool begin(Mirror& mirror, base::RunId run) {
        auto lease = store::acquire_lease(database->db(), database->owner(), run);
        EXPECT_TRUE(lease);
        const bool began = in_tx([&](store::Tx& tx) { return read_taken_over(tx, options, run); }).ok();
        mirror.leases[run] = std::move(*lease);
        return began;
    }
    void make_in_store(const ThreadMachine& before, Mirror& mirror, Move move, int message, unsigned pick) {
        const auto open = before.open();
        const ThreadMachine::Run* working = nullptr;
        base::RunId run;
        for (std::size_t i = 0; i < before.runs.size() && !working; ++i)
            if (before.runs[i].end == End::open && before.runs[i].begun) working = &before.runs[i], run = mirror.runs[i];
        const bool acts = working && !working->rests;
        if (move == Move::arrive) {
            const auto taken = arrive(kPrefix + std::to_string(message), mirror.conversation);
            if (taken && !taken->joined) mirror.runs.push_back(taken->run);
        } else if (move == Move::begin) {
            const bool next = !open.empty() && !before.runs[open.back()].begun;
            EXPECT_TRUE(!next || begin(mirror, mirror.runs[open.back()]));
        } else if (move == Move::step && acts && !working->stopping) {
            in_tx([&](store::Tx& tx) { hear(tx, mirror, store::untaken_inputs(tx, run), "model:1"); });
        } else if ((move == Move::end || move == Move::fail) && acts) {
            end(mirror, run, move == Move::fail, working->stopping);
        } else if (move == Move::stop && !open.empty()) {
            in_tx([&](store::Tx& tx) { return store::ask_to_stop(tx, mirror.runs[open[pick % open.size()]]); });
        } else if (move == Move::stop_thread) {
            in_tx([&](store::Tx& tx) { return store::stop_thread(tx, mirror.conversation); });
        } else if (move == Move::rest && acts && !working->stopping) {
            in_tx([&](store::Tx& tx) { store::rest_run(tx, run, mirror.leases.at(run)->epoch(), "waiting_person", ""); });
        } else if (move == Move::word && working && !acts) {
            database->sql("update run set state = null, finished_at = null where id = '" + run.text() + "'");
        }
    }
    std::vector<int> said(base::ConversationId conversation) {
        std::vector<int> out;
        for (const auto& one : said_in(conversation)) out.push_back(std::atoi(one.c_str() + one.find(kPrefix, one.find(": ")) + 1));
        return out;
    }

    Options options;
};

TEST_F(ThreadsInStore, TheDatabaseDoesWhatTheMachineDoes) {
    for (unsigned seed = 1; seed <= 240; ++seed) {
        const Rule rule = kRules[seed % 4];
        SCOPED_TRACE(std::string(store::name(rule)) + " " + std::to_string(seed));
        std::mt19937 random(seed);
        ThreadMachine machine;
        machine.rule = rule;
        Mirror mirror;
        machine.arrive(1000);
        const auto first = arrive("m1000", {}, rule);
        ASSERT_TRUE(first);
        mirror.runs.push_back(first->run);
        mirror.conversation = run(first->run).conversation;
        for (int i = 1; i <= 18; ++i) {
            const Move move = draw(random);
            const unsigned pick = unsigned(random());
            make_in_store(machine, mirror, move, i, pick);
            make(machine, move, i, pick);
            SCOPED_TRACE("move " + std::to_string(i) + ": " + std::to_string(int(move)));
            ASSERT_EQ(mirror.runs.size(), machine.runs.size());
            ASSERT_EQ(said(mirror.conversation), machine.said);
            const auto open = in_tx([&](store::Tx& tx) { return store::open_runs(tx, mirror.conversation); });
            std::vector<std::pair<base::RunId, bool>> found, wanted;
            for (const auto& one : open) found.emplace_back(one.id, one.stopping);
            for (const auto index : machine.open()) wanted.emplace_back(mirror.runs[index], machine.runs[index].stopping);
            ASSERT_EQ(found, wanted);
            for (std::size_t index = 0; index < machine.runs.size(); ++index)
                ASSERT_EQ(in_tx([&](store::Tx& tx) { return store::untaken_inputs(tx, mirror.runs[index]); }).size(), machine.runs[index].unread.size());
        }
        in_tx([&](store::Tx& tx) { return store::stop_thread(tx, mirror.conversation); });
    }
}

TEST_F(ThreadsInStore, WhatIsRefusedNamesTheThreadAndWhatToDo) {
    const auto first = arrive("hello", {}, Rule::refuse);
    ASSERT_TRUE(first);
    const auto conversation = run(first->run).conversation;
    const auto refused = arrive("more", conversation);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::conflict);
    EXPECT_THAT(refused.error().message, HasSubstr("the thread " + conversation.text()));
    EXPECT_THAT(refused.error().remedy, HasSubstr("/v1/runs/" + first->run.text() + "/stop"));
    ASSERT_TRUE(in_tx([&](store::Tx& tx) { return store::stop_thread(tx, conversation); }));
    const auto closed = arrive("more", conversation);
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().code, base::Code::conflict);
    EXPECT_THAT(closed.error().message, HasSubstr("the thread " + conversation.text() + " takes no message any more: it is cancelled"));
    EXPECT_FALSE(in_tx([&](store::Tx& tx) { return store::stop_thread(tx, conversation); })) << "once";
}

TEST_F(ThreadsInStore, AKeyOfAMessageThatJoinedStandsForTheRunThatReadsIt) {
    const auto first = arrive("hello", {}, Rule::steer);
    const auto conversation = run(first->run).conversation;
    Submission sent = submission("more", conversation);
    sent.key = "k" + conversation.text();
    sent.digest = "d";
    for (const bool again : {false, true}) {
        const auto now = base::SystemClock().now();
        const auto taken = in_tx([&](store::Tx& tx) { return accept_queued(tx, options, sent, base::RunId::make(now), base::ConversationId::make(now)); });
        ASSERT_TRUE(taken);
        EXPECT_EQ(taken->run, first->run);
        EXPECT_EQ(taken->joined, !again);
        EXPECT_EQ(taken->known, again);
    }
    EXPECT_EQ(in_tx([&](store::Tx& tx) { return store::untaken_inputs(tx, first->run); }).size(), 1u);
}

TEST_F(ThreadsInStore, AMessageForAnotherAgentIsNotReadByTheOneThatWorks) {
    const auto first = arrive("hello", {}, Rule::steer);
    Submission sent = submission("more", run(first->run).conversation);
    sent.chat.alias = "hearth";
    const auto now = base::SystemClock().now();
    const auto taken = in_tx([&](store::Tx& tx) { return accept_queued(tx, options, sent, base::RunId::make(now), base::ConversationId::make(now)); });
    ASSERT_TRUE(taken);
    EXPECT_FALSE(taken->joined);
    EXPECT_NE(taken->run, first->run);
    EXPECT_TRUE(in_tx([&](store::Tx& tx) { return store::untaken_inputs(tx, first->run); }).empty());
}

// What it asks for itself it would not get from a run that was asked with something else.
TEST_F(ThreadsInStore, AMessageThatAsksForItsOwnIsNotReadByTheOneThatWorks) {
    const auto first = arrive("hello", {}, Rule::steer);
    const std::vector<std::pair<const char*, std::function<void(ChatRequest&)>>> wishes = {
        {"read only", [](ChatRequest& one) { one.workspace_read_only = true; }},
        {"a lower tier", [](ChatRequest& one) { one.write_tier = WriteTier::prompts; }},
        {"a folder", [](ChatRequest& one) { one.workspace_path = "/elsewhere"; }},
        {"a budget", [](ChatRequest& one) { one.max_tokens = 10; }},
        {"a time", [](ChatRequest& one) { one.deadline = std::chrono::seconds(9); }},
        {"a class", [](ChatRequest& one) { one.execution = router::ExecutionClass::heavy; }},
        {"sampling", [](ChatRequest& one) { one.sampling.temperature = 0.5; }},
        {"instructions", [](ChatRequest& one) { one.instructions = "be brief"; }},
        {"a tool", [](ChatRequest& one) { one.client_tools = {{"look", "", {}, {}}}; }},
        {"an answer of its own", [](ChatRequest& one) { one.joins = false; }},
        {"a prompt", [](ChatRequest& one) { one.prompts = {{"recompose", 2}}; }},
    };
    for (const auto& [what, wish] : wishes) {
        Submission sent = submission("more", run(first->run).conversation);
        wish(sent.chat);
        const auto now = base::SystemClock().now();
        const auto taken = in_tx([&](store::Tx& tx) { return accept_queued(tx, options, sent, base::RunId::make(now), base::ConversationId::make(now)); });
        ASSERT_TRUE(taken) << what << ": " << taken.error().text();
        EXPECT_FALSE(taken->joined) << what;
    }
    EXPECT_TRUE(in_tx([&](store::Tx& tx) { return store::untaken_inputs(tx, first->run); }).empty());
}

TEST_F(ThreadsInStore, AMessageThatAsksForTheSameIsRead) {
    Submission first = submission("hello", {});
    first.chat.rule = Rule::steer;
    first.chat.workspace_read_only = true;
    first.chat.max_tokens = 10;
    const auto take = [&](const Submission& sent) {
        const auto now = base::SystemClock().now();
        return in_tx([&](store::Tx& tx) { return accept_queued(tx, options, sent, base::RunId::make(now), base::ConversationId::make(now)); });
    };
    const auto began = take(first);
    ASSERT_TRUE(began) << began.error().text();
    Submission second = submission("more", run(began->run).conversation);
    second.chat.workspace_read_only = true;
    EXPECT_TRUE(take(second)->joined) << "less is asked for than the run has";
    second.chat.max_tokens = 10;
    EXPECT_TRUE(take(second)->joined);
    second.chat.workspace_read_only = false;
    EXPECT_FALSE(take(second)->joined) << "nor is it read under less leave than its own";
}

TEST_F(ThreadsInStore, NobodySeesAnothersThreads) {
    const auto first = arrive("hello", {}, Rule::steer);
    const auto conversation = run(first->run).conversation;
    const auto see = [&](store::Tx& tx) { return store::find_thread(tx, conversation).has_value(); };
    const auto list = [&](store::Tx& tx) {
        const auto all = store::list_threads(tx, 500);
        return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.id == conversation; });
    };
    const auto stop = [&](store::Tx& tx) { return store::stop_thread(tx, conversation); };
    auto& db = database->db();
    EXPECT_TRUE(db.run_blocking(database->owner(), see));
    EXPECT_TRUE(db.run_blocking(database->owner(), list));
    EXPECT_FALSE(db.run_blocking(database->member(), see));
    EXPECT_FALSE(db.run_blocking(database->member(), list));
    EXPECT_FALSE(db.run_blocking(database->member(), stop));
    Submission theirs = submission("mine", conversation);
    theirs.chat.principal.person = database->member().person;
    const auto now = base::SystemClock().now();
    const auto take = [&](store::Tx& tx) { return accept_queued(tx, options, theirs, base::RunId::make(now), base::ConversationId::make(now)); };
    const auto refused = db.run_blocking(database->member(), take);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::not_found);
}

}  // namespace
}  // namespace agents::testing
