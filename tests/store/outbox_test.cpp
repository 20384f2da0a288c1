// What leaves for people: written once, in order, sent by one at a time, and never again when nobody knows whether it arrived.
#include "store/outbox.h"

#include <gmock/gmock.h>

#include <thread>

#include "on_database.h"
#include "store/arrivals.h"

namespace {

using policy::Verdict;
using store::Reply;
using store::Sending;
using store::Tx;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Outbox : OnDatabase {
    void TearDown() override {
        if (world) world->sql("delete from outbox; delete from channel_heard");
    }
    store::Identity house() const { return {world->owner().tenant, {}}; }
    policy::Principal to(const store::Identity& who, policy::Role role = policy::Role::member) const { return {who.tenant, who.person, role, "telegram", false}; }
    policy::Decision write(const store::Identity& who, const std::string& emitter, std::vector<std::string> parts, const std::string& chat = "42", std::chrono::seconds lifetime = 60s, const policy::House& rules = {}) {
        return as(who, [&](Tx& tx) { return store::write_reply(tx, to(who), rules, Reply{"telegram", chat, emitter, parts, policy::Integrity::untrusted, lifetime}); });
    }
    std::vector<store::Outgoing> take(std::chrono::seconds hold = 60s) {
        return as(house(), [&](Tx& tx) { return store::take_outgoing(tx, "telegram", 8, hold); });
    }
    bool settle(store::OutboxId id, Sending::End end, std::chrono::milliseconds wait = 0ms) {
        return as(house(), [&](Tx& tx) { return store::settle_outgoing(tx, id, Sending{end, end == Sending::End::delivered ? "" : "why", wait, "77"}); });
    }
    // A second passes between the messages of a chat.
    void pass_time() { world->sql("update outbox set changed_at = changed_at - interval '2 seconds', due_at = due_at - interval '2 seconds'"); }
    std::string state_of(store::OutboxId id) { return world->sql("select state || ': ' || error from outbox where id = '" + id.text() + "'"); }
    static std::vector<std::string> said(const std::vector<store::Outgoing>& all) {
        std::vector<std::string> out;
        for (const auto& one : all) out.push_back(one.content);
        return out;
    }
};

TEST_F(Outbox, WhatIsWrittenLeavesOnceInOrderAndOneAtATime) {
    EXPECT_EQ(write(world->owner(), "run:1", {"one", "two"}).verdict, Verdict::allow);
    write(world->owner(), "run:1", {"written again", "and again"});
    write(world->member(), "run:2", {"three"});
    write(world->member(), "run:3", {"elsewhere"}, "43");
    const auto first = take();
    EXPECT_THAT(said(first), testing::UnorderedElementsAre("one", "elsewhere"));
    EXPECT_THAT(take(), IsEmpty()) << "one at a time";
    for (const auto& one : first) {
        EXPECT_EQ(one.attempts, 1);
        EXPECT_EQ(one.label, policy::Integrity::untrusted);
        EXPECT_EQ(one.to.person, one.content == "one" ? world->owner().person : world->member().person);
        EXPECT_EQ(one.to.role, policy::Role::member);
        EXPECT_TRUE(settle(one.id, Sending::End::delivered));
    }
    EXPECT_THAT(take(), IsEmpty()) << "within a second";
    pass_time();
    const auto second = take();
    EXPECT_THAT(said(second), ElementsAre("two"));
    EXPECT_TRUE(settle(second[0].id, Sending::End::delivered));
    pass_time();
    EXPECT_THAT(said(take()), ElementsAre("three"));
}

TEST_F(Outbox, AMessageOffersChoicesAndAnotherStandsInItsPlace) {
    const auto write_form = [&](const store::Identity& who, Reply reply) { as(who, [&](Tx& tx) { return store::write_reply(tx, to(who), {}, reply); }); };
    Reply question{"telegram", "42", "approval:1", {"long", "question"}};
    question.choices = {{"yes", "Allow"}, {"no", "Deny"}};
    question.answers = "6";
    question.markdown = true;
    Reply end{"telegram", "42", "approval:1:end", {"decided"}};
    end.replaces = "approval:1";
    write_form(world->member(), question);
    write_form(world->member(), end);
    for (const bool last : {false, true}) {
        const auto taken = take();
        ASSERT_EQ(taken.size(), 1u);
        EXPECT_EQ(taken[0].replaces, "");
        EXPECT_EQ(taken[0].choices.size(), last ? 2u : 0u) << "under the last part";
        EXPECT_EQ(taken[0].answers, last ? "" : "6") << "by the first";
        EXPECT_TRUE(taken[0].markdown);
        if (last) {
            EXPECT_EQ(taken[0].choices[1].id + taken[0].choices[1].label, "noDeny");
        }
        EXPECT_TRUE(settle(taken[0].id, Sending::End::delivered));
        pass_time();
    }
    const auto taken = take();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].replaces, "77");
    EXPECT_TRUE(taken[0].choices.empty());
    as(world->member(), [&](Tx& tx) {
        EXPECT_TRUE(store::find_reply(tx, "telegram", "42", "approval:1"));
        EXPECT_FALSE(store::find_reply(tx, "telegram", "43", "approval:1"));
        EXPECT_EQ(store::label_sent(tx, "telegram", "42", "77"), policy::Integrity::trusted);
        EXPECT_FALSE(store::label_sent(tx, "telegram", "42", "78") || store::label_sent(tx, "telegram", "42", ""));
        return 0;
    });
    as(world->owner(), [&](Tx& tx) {
        EXPECT_FALSE(store::find_reply(tx, "telegram", "42", "approval:1")) << "another person's";
        return 0;
    });
    // What stands in the place of what never arrived is a message of its own, and so is another person's.
    Reply lost{"telegram", "44", "x:end", {"decided"}};
    lost.replaces = "x";
    write_form(world->member(), lost);
    lost = {"telegram", "42", "y:end", {"decided"}};
    lost.replaces = "approval:1";
    write_form(world->owner(), lost);
    world->sql("update outbox set state = 'delivered' where emitter = 'approval:1:end'");
    pass_time();
    for (const auto& one : take()) EXPECT_EQ(one.replaces, "") << one.emitter;
}

TEST_F(Outbox, TellsOfWhichOfAnothersRunsAnAnswerIs) {
    const auto run = base::RunId::make(base::SystemClock().now());
    write(world->member(), "run:" + run.text(), {"one"});
    write(world->member(), "approval:1", {"of no run"}, "43");
    for (const auto& one : take()) EXPECT_TRUE(settle(one.id, Sending::End::delivered));
    const auto find = [&](const store::Identity& who, const std::string& chat, const std::string& there) { return as(who, [&](Tx& tx) { return store::others_answer(tx, "telegram", chat, there); }); };
    EXPECT_EQ(find(world->owner(), "42", "77"), run);
    EXPECT_FALSE(find(world->member(), "42", "77")) << "his own";
    EXPECT_FALSE(find(world->owner(), "42", "78") || find(world->owner(), "42", "") || find(world->owner(), "43", "77"));
    EXPECT_FALSE(find({base::TenantId::make(base::SystemClock().now()), world->owner().person}, "42", "77")) << "another house";
}

TEST_F(Outbox, WhatDidNotLeaveIsTriedAgainWhenItIsTime) {
    write(world->owner(), "run:1", {"one"});
    const auto taken = take();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_TRUE(settle(taken[0].id, Sending::End::again, 2h));
    EXPECT_EQ(state_of(taken[0].id), "queued: why");
    EXPECT_THAT(take(), IsEmpty());
    world->sql("update outbox set due_at = clock_timestamp()");
    const auto again = take();
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].attempts, 2);
    EXPECT_TRUE(settle(again[0].id, Sending::End::failed));
    EXPECT_THAT(take(), IsEmpty());
    EXPECT_EQ(state_of(again[0].id), "failed: why");
}

TEST_F(Outbox, WhatSomebodyWasSendingWhoIsGoneIsUnknownAndNeverSentAgain) {
    write(world->owner(), "run:1", {"one"});
    write(world->owner(), "run:2", {"two"});
    const auto taken = take(0s);
    ASSERT_EQ(taken.size(), 1u);
    std::this_thread::sleep_for(5ms);
    EXPECT_THAT(take(), IsEmpty());
    EXPECT_THAT(state_of(taken[0].id), testing::StartsWith("unknown: "));
    pass_time();
    EXPECT_THAT(said(take()), ElementsAre("two")) << "what follows goes on";
    EXPECT_FALSE(settle(taken[0].id, Sending::End::again)) << "by whoever comes back late";
    EXPECT_TRUE(settle(taken[0].id, Sending::End::delivered)) << "but what he knows counts";
    EXPECT_FALSE(settle(taken[0].id, Sending::End::unknown));
    EXPECT_EQ(state_of(taken[0].id), "delivered: ");
}

TEST_F(Outbox, AReceiptTellsWhatTheCallDidNot) {
    const auto note = [&](store::Receipt receipt) { return as(house(), [&](Tx& tx) { return store::note_receipt(tx, "telegram", receipt); }); };
    const auto fate = [&] { return world->sql("select state || '/' || receipt || '/' || error from outbox"); };
    write(world->owner(), "run:1", {"one"});
    const auto taken = take();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_TRUE(note({"77", taken[0].id, "delivered"})) << "before its call has ended";
    EXPECT_EQ(fate(), "in_flight/delivered/");
    EXPECT_TRUE(settle(taken[0].id, Sending::End::unknown));
    EXPECT_EQ(fate(), "delivered/delivered/");
    EXPECT_TRUE(note({"77", {}, "read"})) << "by its own id alone";
    EXPECT_TRUE(note({"77", {}, "delivered"}));
    EXPECT_TRUE(note({"77", {}, "failed", "too late for that"}));
    EXPECT_EQ(fate(), "delivered/read/");
    EXPECT_FALSE(note({"elsewhere", {}, "read"}));
    EXPECT_FALSE(note({"", {}, "read"}));
    EXPECT_FALSE(note({"77", store::OutboxId::make(base::SystemClock().now()), "read"}));
    EXPECT_FALSE(as(store::Identity{base::TenantId::make(base::SystemClock().now()), {}}, [&](Tx& tx) { return store::note_receipt(tx, "telegram", {"77", taken[0].id, "read"}); })) << "another house";
}

TEST_F(Outbox, WhatItsChannelCouldNotDeliverHasFailed) {
    const auto note = [&](const store::Outgoing& one) { return as(house(), [&](Tx& tx) { return store::note_receipt(tx, "telegram", {"there", one.id, "failed", "no such phone"}); }); };
    write(world->owner(), "run:1", {"one"});
    write(world->owner(), "run:2", {"two"}, "43");
    const auto taken = take();
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_TRUE(note(taken[0])) << "before its call has ended";
    for (const auto& one : taken) EXPECT_TRUE(settle(one.id, Sending::End::delivered));
    EXPECT_TRUE(note(taken[1]));
    for (const auto& one : taken) EXPECT_EQ(state_of(one.id), "failed: no such phone");
}

TEST_F(Outbox, AChatIsHeardAtItsChannelsTimeAndNeverLater) {
    const auto hear = [&](std::optional<base::TimePoint> at) { as(house(), [&](Tx& tx) { store::note_heard(tx, "telegram", "42", at); }); };
    const auto now = base::SystemClock().now();
    write(world->owner(), "run:1", {"one", "two", "three", "four"});
    const auto heard = [&] {
        const auto one = take().at(0);
        settle(one.id, Sending::End::delivered);
        pass_time();
        return one.heard;
    };
    EXPECT_EQ(heard(), std::nullopt);
    hear(now - 25h);
    EXPECT_EQ(heard(), now - 25h);
    hear(now + 25h);
    EXPECT_LT(*heard(), now + 1min);
    hear(now - 25h);
    EXPECT_GE(*heard(), now) << "what came late is no news";
}

TEST_F(Outbox, WhatIsStaleIsNotSent) {
    write(world->owner(), "run:1", {"one"}, "42", 0s);
    std::this_thread::sleep_for(5ms);
    EXPECT_THAT(take(), IsEmpty());
    EXPECT_EQ(world->sql("select state from outbox"), "failed");
}

TEST_F(Outbox, WhatPolicyDeniesIsWrittenDownAndDoesNotLeave) {
    std::vector<policy::HouseRule> rules = {policy::house_rule_from_json(world->owner().tenant, "silence", {{"verdict", "deny"}}).value()};
    const auto decision = write(world->owner(), "run:1", {"one"}, "42", 60s, {std::make_shared<const std::vector<policy::HouseRule>>(rules), {}, 0});
    EXPECT_EQ(decision.rule, "silence");
    EXPECT_THAT(take(), IsEmpty());
    EXPECT_EQ(world->sql("select state || ' ' || rule from outbox"), "failed silence");
}

TEST_F(Outbox, EverybodySeesHisOwnAndTheOwnerThatThereWasMore) {
    write(world->owner(), "run:1", {"for the owner"});
    write(world->member(), "run:2", {"for the member"});
    const auto list = [&](const store::Identity& who) { return as(who, [](Tx& tx) { return store::list_outbox(tx, 10); }); };
    const auto all = list(world->owner());
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].emitter, "run:2");
    EXPECT_EQ(all[0].content, std::nullopt);
    EXPECT_EQ(all[1].content, "for the owner");
    const auto own = list(world->member());
    ASSERT_EQ(own.size(), 1u);
    EXPECT_EQ(own[0].content, "for the member");
    EXPECT_EQ(own[0].rule, "who_has_written_is_answered");
    EXPECT_THAT(list({}), IsEmpty());
    EXPECT_THAT(as(store::Identity{base::TenantId::make(base::SystemClock().now()), {}}, [](Tx& tx) { return store::take_outgoing(tx, "telegram", 8, 60s); }), IsEmpty()) << "another house";
    EXPECT_ANY_THROW(as(world->member(), [](Tx& tx) { return tx.exec("update outbox set content = 'other words'"); }));
}

}  // namespace
