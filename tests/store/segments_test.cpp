#include "store/segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conversations.h"
#include "support/database.h"

namespace store {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::IsEmpty;

class SegmentsTest : public testing::Test {
protected:
    template <class F>
    auto as(const Identity& who, F work) {
        return world->db().run_blocking(who, work);
    }
    void SetUp() override {
        if (!world) GTEST_SKIP() << support::TestDatabase::why_not();
        as(world->owner(), [&](Tx& tx) { create_conversation(tx, conversation, "api", ""); });
    }
    void say(const char* role, const Json& content, base::RunId run = {}, bool trusted = true) {
        Json body = {{"role", role}, {"content", content}};
        if (!trusted) body["trusted"] = false;
        as(world->owner(), [&](Tx& tx) { append_message(tx, conversation, run, body); });
    }
    void keep(base::RunId run = {}, bool trusted = true) {
        as(world->owner(), [&](Tx& tx) { keep_segments(tx, conversation, run, trusted); });
    }
    std::vector<std::string> kept(const Identity& who) {
        std::vector<std::string> out;
        const base::AudienceId owner{world->owner().person.value};
        for (const Segment& one : as(who, [&](Tx& tx) { return segments_behind(tx, owner, {}, 1000); }))
            if (one.conversation == conversation) out.push_back(one.asked + " | " + one.answered + (one.trusted ? "" : " (untrusted)"));
        return out;
    }
    support::TestDatabase* world = support::TestDatabase::get();
    const base::ConversationId conversation = base::ConversationId::make(base::SystemClock().now());
    const base::RunId run = base::RunId::make(base::SystemClock().now());
};

TEST_F(SegmentsTest, EachAnswerMakesOneOfWhatItAnswersOnceHoweverOftenItIsKept) {
    say("user", "which paint?", run);
    keep(run);
    EXPECT_THAT(kept(world->owner()), IsEmpty()) << "nobody has answered yet";
    say("assistant", "marine green", run);
    for (int i = 0; i < 3; ++i) keep(run);
    EXPECT_THAT(kept(world->owner()), ElementsAre("which paint? | marine green"));
    say("user", "and");
    say("user", Json::array({{{"type", "text"}, {"text", "how many coats?"}}}));
    say("assistant", "two");
    say("user", "not answered");
    keep();
    keep();
    EXPECT_THAT(kept(world->owner()), ElementsAre("which paint? | marine green", "and\n\nhow many coats? | two (untrusted)"));
    EXPECT_THAT(kept(world->member()), IsEmpty());
}

TEST_F(SegmentsTest, OfOlderMessagesAllBecomeSomeAndOnlyTheRunsOwnLabelIsKnown) {
    for (int i = 0; i < 3; ++i) {
        say("user", "q" + std::to_string(i), i == 2 ? run : base::RunId{});
        say("assistant", "a" + std::to_string(i), i == 2 ? run : base::RunId{});
    }
    say("tool", "a result");
    keep(run);
    EXPECT_THAT(kept(world->owner()), testing::UnorderedElementsAre("q0 | a0 (untrusted)", "q1 | a1 (untrusted)", "q2 | a2"));
}

TEST_F(SegmentsTest, AMessageFromOutsideMakesItUntrusted) {
    say("user", "from a thread", run, false);
    say("assistant", "a", run);
    keep(run);
    EXPECT_THAT(kept(world->owner()), ElementsAre("from a thread | a (untrusted)"));
}

TEST_F(SegmentsTest, WhatOnlyRetellsIsNotFoundTwice) {
    say("user", "When do the bins go?", run);
    say("assistant", "On Thursdays.", run);
    keep(run);
    const base::RunId later = base::RunId::make(base::SystemClock().now());
    say("user", "Why do you know this?", later);
    say("assistant", "I was reminded of this: the bins go on Thursdays", later);
    as(world->owner(), [&](Tx& tx) { keep_segments(tx, conversation, later, true, true); });
    EXPECT_THAT(kept(world->owner()), ElementsAre("When do the bins go? | On Thursdays.", "Why do you know this? | "));
}

TEST_F(SegmentsTest, WhatATransactionLosesIsKeptByTheNext) {
    say("user", "q", run);
    say("assistant", "a", run);
    const auto broken = [&](Tx& tx) -> int {
        keep_segments(tx, conversation, run, true);
        throw std::runtime_error("killed");
    };
    EXPECT_THROW(as(world->owner(), broken), std::runtime_error);
    EXPECT_THAT(kept(world->owner()), IsEmpty());
    keep(run);
    EXPECT_THAT(kept(world->owner()), ElementsAre("q | a"));
}

TEST_F(SegmentsTest, WhatWasForgottenIsNotKeptAgain) {
    say("user", "the safe opens with left 33", run);
    say("assistant", "noted: the safe opens with left 33", run);
    keep(run);
    const auto fact = as(world->owner(), [&](Tx& tx) { return remember(tx, {.body = "the safe opens with left 33", .trusted = true}); });
    const auto gone = as(world->owner(), [&](Tx& tx) { return forget_facts(tx, {fact}, true); });
    EXPECT_THAT(kept(world->owner()), IsEmpty());
    keep(run);
    EXPECT_THAT(kept(world->owner()), IsEmpty());
}

}  // namespace
}  // namespace store
