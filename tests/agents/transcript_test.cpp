#include "agents/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace agents {
namespace {

using base::Json;
using router::Message;
using router::MessageRole;

store::StoredMessage stored(Json body, base::RunId run = {}) {
    store::StoredMessage out;
    out.role = body["role"];
    out.body = std::move(body);
    out.run = run;
    return out;
}

Json say(const char* role, const std::string& text) { return {{"role", role}, {"content", text}}; }

std::string shape(const std::vector<Message>& messages) {
    std::string out;
    for (const Message& message : messages) out += std::string(router::name(message.role)) + "[" + message.text() + "]";
    return out;
}

TEST(History, AClientsSystemMessageRanksAsThePersonsWords) {
    const auto out = history_of({stored(say("system", "Talk like a pirate")), stored(say("user", "Hi"))}, {});
    ASSERT_TRUE(out);
    EXPECT_EQ(shape(*out), "user[Talk like a pirate\n\nHi]");
}

TEST(History, ARequestThatWasNotAnsweredIsNotTheNextOnes) {
    const auto one = base::RunId::make(base::TimePoint{}), two = base::RunId::make(base::TimePoint{});
    const auto out = history_of({stored(say("user", "How does the internet work?"), one), stored(say("user", "What is 3 + 4?"), two), stored(say("user", "Be quick."), two)}, {});
    ASSERT_TRUE(out);
    EXPECT_EQ(shape(*out), "user[How does the internet work?]assistant[(This was not answered.)]user[What is 3 + 4?\n\nBe quick.]");
}

TEST(History, TheWorkOfARunStandsBeforeItsAnswer) {
    const auto run = base::RunId::make(base::TimePoint{});
    Message call = Message::make(MessageRole::assistant, "");
    call.tool_calls = {{"call_1", "read_file", "{}"}};
    Message result = Message::make(MessageRole::tool, "hello");
    result.tool_call_id = "call_1";
    const auto out = history_of({stored(say("user", "Read it")), stored(say("assistant", "It says hello"), run), stored(say("user", "Thanks"))},
                                {{run, {call, result}}});
    ASSERT_TRUE(out);
    EXPECT_EQ(shape(*out), "user[Read it]assistant[]tool[hello]assistant[It says hello]user[Thanks]");
}

TEST(History, ToolResultsAreUntrusted) {
    const auto out = history_of({stored({{"role", "tool"}, {"tool_call_id", "x"}, {"content", "data"}})}, {});
    ASSERT_TRUE(out);
    EXPECT_FALSE(out->front().trusted);
}

TEST(History, AMessageThatIsNoneIsNamed) {
    const auto out = history_of({stored(say("user", "a")), stored(say("robot", "b"))}, {});
    ASSERT_FALSE(out);
    EXPECT_NE(out.error().message.find("messages[1]"), std::string::npos) << out.error().message;
}

std::vector<Message> turns(int count) {
    std::vector<Message> out;
    for (int i = 0; i < count; ++i) {
        out.push_back(Message::make(MessageRole::user, "question " + std::to_string(i) + std::string(300, '.')));
        out.push_back(Message::make(MessageRole::assistant, "answer " + std::to_string(i) + std::string(300, '.')));
    }
    out.push_back(Message::make(MessageRole::user, "the last"));
    return out;
}

TEST(LayOut, PutsWhatNeverChangesFirst) {
    const auto out = lay_out("system", {Message::make(MessageRole::user, "example")}, turns(1), {100000});
    ASSERT_EQ(out.size(), 5u);
    EXPECT_EQ(out[0].role, MessageRole::system);
    EXPECT_EQ(out[1].text(), "example");
    EXPECT_EQ(out.back().text(), "the last");
}

TEST(LayOut, LeavesWholeOldTurnsOutWhenTheContextIsSmall) {
    for (int budget : {50, 400, 700, 1500}) {
        const auto out = lay_out("system", {}, turns(8), {budget});
        ASSERT_GE(out.size(), 2u);
        EXPECT_EQ(out[0].role, MessageRole::system);
        EXPECT_EQ(out[1].role, MessageRole::user) << "a turn begins with the person's message";
        EXPECT_EQ(out.back().text(), "the last");
        std::size_t bytes = 0;
        for (const Message& message : out) bytes += message.text().size();
        if (out.size() > 2) { EXPECT_LE(int(bytes) / 3, budget); }
    }
}

TEST(LayOut, TheMessageBeyondTheWindowPushesTheFirstOut) {
    const auto shown = [](int earlier, int window) { return int(lay_out("system", {}, turns(earlier), {1000000, window}).size()) - 1; };
    EXPECT_EQ(shown(9, 20), 19);
    EXPECT_EQ(shown(10, 20), 13) << "21 messages: the first goes, and seven behind it";
    for (int earlier = 10; earlier <= 13; ++earlier)
        EXPECT_EQ(lay_out("system", {}, turns(earlier), {1000000, 20})[1].text().substr(0, 10), "question 4") << "the prompts of the next turns begin alike";
    for (int earlier = 10; earlier < 100; ++earlier) {
        EXPECT_LE(shown(earlier, 20), 20);
        EXPECT_GE(shown(earlier, 20), 12);
    }
    EXPECT_EQ(shown(30, 1), 1) << "what is asked now always stays";
    EXPECT_EQ(shown(30, 0), 61);
    // Calls and results go with their turn, and are not counted.
    std::vector<Message> history;
    for (int i = 0; i < 3; ++i) {
        history.push_back(Message::make(MessageRole::user, "q" + std::to_string(i)));
        Message call = Message::make(MessageRole::assistant, "");
        call.tool_calls = {{"c" + std::to_string(i), "recall", "{}"}};
        history.push_back(call);
        history.push_back(Message::make(MessageRole::tool, "r"));
        history.push_back(Message::make(MessageRole::assistant, "a"));
    }
    const auto out = lay_out("system", {}, history, {1000000, 4});
    ASSERT_EQ(out.size(), 9u);
    EXPECT_EQ(out[1].text(), "q1");
}

// Random histories of turns with calls and results, and random room: what is left out never splits a call from its result.
TEST(LayOut, NeverSplitsACallFromItsResult) {
    for (unsigned seed = 0; seed < 10'000; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](int n) { return int(random() % unsigned(n)); };
        std::vector<Message> history;
        int ids = 0;
        for (int turn = 1 + below(8); turn > 0; --turn) {
            history.push_back(Message::make(MessageRole::user, std::string(std::size_t(below(300)), 'u')));
            for (int round = below(4); round > 0; --round) {
                Message calling = Message::make(MessageRole::assistant, std::string(std::size_t(below(50)), 'c'));
                const int first = ids;
                for (int calls = 1 + below(3); calls > 0; --calls) calling.tool_calls.push_back({"c" + std::to_string(ids++), "look", "{}"});
                history.push_back(calling);
                for (int id = first; id < ids; ++id) {
                    history.push_back(Message::make(MessageRole::tool, std::string(std::size_t(below(400)), 'r')));
                    history.back().tool_call_id = "c" + std::to_string(id);
                }
            }
            if (below(5)) history.push_back(Message::make(MessageRole::assistant, "done"));
        }
        const std::size_t whole = history.size();
        const auto laid = lay_out("system", {}, history, {below(2000)});
        std::set<std::string> open;
        for (std::size_t i = 1; i < laid.size(); ++i) {
            for (const auto& call : laid[i].tool_calls) ASSERT_TRUE(open.insert(call.id).second) << seed;
            if (laid[i].role == MessageRole::tool) ASSERT_EQ(open.erase(laid[i].tool_call_id), 1u) << seed << ": a result without its call";
            else if (laid[i].tool_calls.empty()) ASSERT_TRUE(open.empty()) << seed << ": a call without its result";
        }
        ASSERT_TRUE(open.empty()) << seed;
        ASSERT_EQ(laid[1].role, MessageRole::user) << seed << ": it begins with a turn";
        ASSERT_LE(laid.size(), whole + 1) << seed;
        const auto last = std::find_if(laid.rbegin(), laid.rend(), [](const Message& m) { return m.role == MessageRole::user; });
        ASSERT_NE(last, laid.rend()) << seed << ": the last turn stays";
    }
}

TEST(ShortenLongestResult, HalvesResultsAndNothingElse) {
    std::vector<Message> messages = {Message::make(MessageRole::user, std::string(9000, 'u')), Message::make(MessageRole::tool, std::string(3000, 'a')),
                                     Message::make(MessageRole::tool, "short"), Message::make(MessageRole::tool, std::string(5000, 'b'))};
    EXPECT_GT(shorten_longest_result(messages), 2000u);
    EXPECT_EQ(messages[1].text(), std::string(3000, 'a'));
    EXPECT_LT(messages[3].text().size(), 2700u);
    EXPECT_THAT(messages[3].text(), ::testing::HasSubstr("bytes cut here"));
    int times = 0;
    while (shorten_longest_result(messages) > 0) ASSERT_LT(++times, 20);
    EXPECT_EQ(messages[0].text().size(), 9000u);
    EXPECT_EQ(messages[2].text(), "short");
    EXPECT_LE(messages[1].text().size(), 500u);
}

TEST(WithNote, KeepsRolesAlternating) {
    const auto joined = with_note({Message::make(MessageRole::user, "Hi")}, "Answer now.");
    ASSERT_EQ(joined.size(), 1u);
    EXPECT_EQ(joined[0].text(), "Hi\n\nAnswer now.");
    const auto added = with_note({Message::make(MessageRole::assistant, "Hm")}, "Answer now.");
    ASSERT_EQ(added.size(), 2u);
    EXPECT_EQ(added[1].role, MessageRole::user);
    EXPECT_EQ(with_note(joined, "").size(), 1u);
}

}  // namespace
}  // namespace agents
