// What holds messages back before they leave: a word that is waited for, silence, quiet hours and caps; and how long their words are kept.
#include "store/outbox_rules.h"

#include <gmock/gmock.h>

#include "on_database.h"
#include "store/digest.h"

namespace {

using policy::Verdict;
using store::Sending;
using store::Tx;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct OutboxRules : OnDatabase {
    void TearDown() override {
        if (world) world->sql("delete from outbox; delete from channel_heard; delete from outbox_silence; delete from quiet_hours");
    }
    store::Identity house() const { return {world->owner().tenant, {}}; }
    void write_secret(const std::string& chat, std::chrono::seconds lifetime) {
        as(world->member(), [&](Tx& tx) {
            store::Reply reply{"telegram", chat, "link:" + chat, {"/#link=" + chat}};
            reply.lifetime = lifetime;
            reply.secret = true;
            return store::write_reply(tx, {world->member().tenant, world->member().person, policy::Role::member, "telegram", false}, {}, reply);
        });
    }
    // Of one's own.
    std::optional<std::string> shown(const std::string& chat) {
        for (const auto& one : as(world->member(), [](Tx& tx) { return store::list_outbox(tx, 100); }))
            if (one.chat == chat) return one.content;
        return "no such row";
    }
    void write(const std::string& chat, const policy::House& rules = {}) {
        as(world->member(), [&](Tx& tx) {
            return store::write_reply(tx, {world->member().tenant, world->member().person, policy::Role::member, "telegram", false}, rules, {"telegram", chat, "run:" + chat, {"for " + chat}});
        });
    }
    std::vector<std::string> take(const store::OutboxCaps& caps = {}) {
        std::vector<std::string> out;
        for (const auto& one : as(house(), [&](Tx& tx) { return store::take_outgoing(tx, "telegram", 100, 60s, caps); })) out.push_back(one.chat);
        return out;
    }
    void hear(const std::string& chat, base::TimePoint at = base::SystemClock().now()) {
        as(house(), [&](Tx& tx) { store::note_heard(tx, "telegram", chat, at); });
    }
    store::OutboxRow row(const std::string& chat) {
        for (auto& one : as(world->owner(), [](Tx& tx) { return store::list_outbox(tx, 100); }))
            if (one.chat == chat) return one;
        return {};
    }
    // Of a time zone in which it is that minute of the day now, as PostgreSQL's clock has it.
    int minute_in_utc() { return std::stoi(world->sql("select (extract(hour from now() at time zone 'UTC') * 60 + extract(minute from now() at time zone 'UTC'))::integer")); }
    base::Result<void> quiet(const std::optional<store::QuietHours>& hours) {
        return as(world->owner(), [&](Tx& tx) { return store::set_quiet_hours(tx, world->member().person, hours); });
    }
    policy::House asking() const {
        std::vector<policy::HouseRule> rules = {policy::house_rule_from_json(world->owner().tenant, "ask_first", {{"verdict", "ask"}}).value()};
        return {std::make_shared<const std::vector<policy::HouseRule>>(std::move(rules)), {}, 0};
    }
};

TEST_F(OutboxRules, WhatTheHouseAsksAboutWaitsForTheOwner) {
    write("1", asking());
    write("2", asking());
    EXPECT_EQ(row("1").state, "prepared");
    EXPECT_EQ(row("1").rule, "ask_first");
    EXPECT_THAT(take(), IsEmpty());
    const auto release = [&](const store::Identity& who, const std::string& id, bool may) { return as(who, [&](Tx& tx) { return store::release_outgoing(tx, id, may); }); };
    EXPECT_FALSE(release(world->member(), row("1").id.text(), true)) << "a member's word is none";
    EXPECT_FALSE(release(world->owner(), "1", true));
    EXPECT_TRUE(release(world->owner(), row("1").id.text(), true));
    EXPECT_TRUE(release(world->owner(), row("2").id.text(), false));
    EXPECT_FALSE(release(world->owner(), row("2").id.text(), true)) << "it is decided";
    const auto taken = as(house(), [&](Tx& tx) { return store::take_outgoing(tx, "telegram", 8, 60s); });
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_TRUE(taken[0].released);
    EXPECT_EQ(row("2").state, "failed");
}

TEST_F(OutboxRules, WhatARuleWantsAWordForWhenItLeavesIsPreparedAgain) {
    write("1");
    const auto taken = as(house(), [&](Tx& tx) { return store::take_outgoing(tx, "telegram", 8, 60s); });
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_FALSE(taken[0].released);
    EXPECT_TRUE(as(house(), [&](Tx& tx) { return store::settle_outgoing(tx, taken[0].id, Sending{Sending::End::held, "ask first"}); }));
    EXPECT_EQ(row("1").state, "prepared");
    EXPECT_EQ(row("1").error, "ask first");
}

TEST_F(OutboxRules, TheOwnerSaysHowWhatIsUnknownEnded) {
    const auto tell = [&](const store::Identity& who, const std::string& id, store::Told word) { return as(who, [&](Tx& tx) { return store::tell_outgoing(tx, id, word); }); };
    const auto lose = [&](const std::string& chat) {
        write(chat);
        for (const auto& one : as(house(), [&](Tx& tx) { return store::take_outgoing(tx, "telegram", 8, 60s); })) as(house(), [&](Tx& tx) { return store::settle_outgoing(tx, one.id, Sending{Sending::End::unknown, "broke off"}); });
        return row(chat).id.text();
    };
    const std::string arrived = lose("1"), lost = lose("2"), again = lose("3"), old = lose("4"), forgotten = lose("5");
    EXPECT_EQ(tell(world->member(), arrived, store::Told::sent).error().code, base::Code::not_found) << "a member's word is none";
    EXPECT_EQ(tell(world->owner(), "1", store::Told::sent).error().code, base::Code::not_found);
    EXPECT_TRUE(tell(world->owner(), arrived, store::Told::sent));
    EXPECT_EQ(row("1").state, "delivered");
    EXPECT_EQ(row("1").told, "sent");
    EXPECT_EQ(row("1").told_by, "owner");
    EXPECT_EQ(row("1").error, "");
    EXPECT_EQ(tell(world->owner(), arrived, store::Told::again).error().code, base::Code::conflict) << "its end is known";
    EXPECT_TRUE(tell(world->owner(), lost, store::Told::unsent));
    EXPECT_EQ(row("2").state, "failed");
    world->sql("update outbox set expires_at = clock_timestamp() where chat = '4'; update outbox set digest = 'd', content = '' where chat = '5'");
    EXPECT_THAT(tell(world->owner(), old, store::Told::again).error().text(), testing::HasSubstr("has expired"));
    EXPECT_THAT(tell(world->owner(), forgotten, store::Told::again).error().text(), testing::HasSubstr("has forgotten"));
    EXPECT_TRUE(tell(world->owner(), again, store::Told::again));
    EXPECT_THAT(take(), ElementsAre("3"));
    EXPECT_EQ(row("3").told, "again");
    EXPECT_EQ(row("3").attempts, 2);
}

TEST_F(OutboxRules, NothingLeavesInSilence) {
    const auto silent = [&] { return as(house(), [](Tx& tx) { return store::silence_of_outbox(tx); }); };
    const auto silence = [&](std::optional<base::TimePoint> until) { as(world->owner(), [&](Tx& tx) { store::silence_outbox(tx, {until}); }); };
    EXPECT_FALSE(silent());
    silence({});
    write("1");
    EXPECT_THAT(take(), IsEmpty());
    EXPECT_EQ(row("1").state, "queued");
    EXPECT_EQ(silent()->until, std::nullopt);
    const auto later = std::chrono::floor<std::chrono::seconds>(base::SystemClock().now()) + 1h;
    silence(later);
    EXPECT_EQ(silent()->until, later);
    EXPECT_THAT(take(), IsEmpty());
    silence(base::SystemClock().now() - 1s);
    EXPECT_FALSE(silent()) << "it is over";
    EXPECT_THAT(take(), ElementsAre("1"));
    EXPECT_TRUE(as(world->owner(), [](Tx& tx) { return store::resume_outbox(tx); }));
    EXPECT_FALSE(as(world->owner(), [](Tx& tx) { return store::resume_outbox(tx); }));
    EXPECT_ANY_THROW(as(world->member(), [&](Tx& tx) { store::silence_outbox(tx, {}); }));
}

TEST_F(OutboxRules, QuietHoursHoldBackWhatAnswersNobody) {
    EXPECT_FALSE(quiet(store::QuietHours{0, 60, "Europe/Atlantis"}));
    const int now = minute_in_utc(), day = 24 * 60;
    ASSERT_TRUE(quiet(store::QuietHours{(now + day - 60) % day, (now + 60) % day, "UTC"}));
    write("1");
    write("2");
    hear("2");
    EXPECT_THAT(take(), ElementsAre("2")) << "whoever has just written is awake";
    EXPECT_EQ(row("1").state, "queued");
    EXPECT_EQ(row("1").waits, "quiet hours");
    hear("1", base::SystemClock().now() - 2h);
    EXPECT_THAT(take(), IsEmpty());
    ASSERT_TRUE(quiet(store::QuietHours{(now + 60) % day, (now + day - 60) % day, "UTC"})) << "the rest of the day";
    EXPECT_THAT(take(), ElementsAre("1"));
    EXPECT_EQ(row("1").waits, "");
}

TEST_F(OutboxRules, QuietHoursAreThoseOfThePersonsZone) {
    const int now = minute_in_utc(), day = 24 * 60;
    ASSERT_TRUE(quiet(store::QuietHours{(now + day - 60) % day, (now + 60) % day, "Etc/GMT-6"}));  // six hours later there
    write("1");
    EXPECT_THAT(take(), ElementsAre("1"));
    ASSERT_TRUE(quiet(store::QuietHours{(now + 5 * 60) % day, (now + 7 * 60) % day, "Etc/GMT-6"}));
    const auto known = as(world->owner(), [](Tx& tx) { return store::quiet_hours(tx); });
    ASSERT_EQ(known.size(), 1u);
    EXPECT_EQ(known.at(world->member().person).zone, "Etc/GMT-6");
    EXPECT_EQ(store::hours_text({22 * 60, 7 * 60 + 5, ""}), "22:00-07:05");
    EXPECT_TRUE(as(world->member(), [](Tx& tx) { return store::quiet_hours(tx); }).empty()) << "the owner alone is told";
    write("2");
    EXPECT_THAT(take(), IsEmpty());
    ASSERT_TRUE(quiet(std::nullopt));
    EXPECT_THAT(take(), ElementsAre("2"));
}

TEST_F(OutboxRules, AsManyLeaveAsTheCapsAllow) {
    for (const char* chat : {"1", "2", "3", "4", "5"}) write(chat);
    hear("5");
    EXPECT_THAT(take({100, 2}), UnorderedElementsAre("1", "2", "5")) << "two that nobody wrote in, and an answer";
    EXPECT_EQ(row("3").waits, "chats an hour");
    EXPECT_THAT(take({100, 2}), IsEmpty());
    EXPECT_THAT(take({4, 20}), ElementsAre("3")) << "the fourth of this minute";
    EXPECT_EQ(row("4").waits, "messages a minute");
    world->sql("update outbox set changed_at = changed_at - interval '2 minutes'");
    EXPECT_THAT(take({4, 20}), ElementsAre("4"));
}

TEST_F(OutboxRules, WhatIsOldIsForgottenAndItsDigestStays) {
    write("1");
    write("2");
    const auto taken = as(house(), [&](Tx& tx) { return store::take_outgoing(tx, "telegram", 1, 60s); });
    ASSERT_EQ(taken.size(), 1u);
    as(house(), [&](Tx& tx) { return store::settle_outgoing(tx, taken[0].id, Sending{Sending::End::delivered}); });
    world->sql("update outbox set changed_at = changed_at - interval '31 days'");
    const auto erase = [&](int days) { return as(house(), [&](Tx& tx) { return store::erase_outbox(tx, days); }); };
    EXPECT_EQ(erase(32), 0);
    EXPECT_EQ(erase(30), 1) << "not what has not left";
    EXPECT_EQ(erase(30), 0);
    EXPECT_EQ(world->sql("select string_agg(content, ',') from outbox where content <> ''"), "for 2");
    EXPECT_EQ(row("1").digest, store::sha256_hex("for 1"));
    EXPECT_EQ(as(world->member(), [](Tx& tx) { return store::list_outbox(tx, 10); }).back().content, std::nullopt);
}

// Whatever becomes of it: nobody reads it there, and it ends with its sending.
TEST_F(OutboxRules, ASecretLiesThereNoLongerThanItMust) {
    const auto held = [&](const std::string& chat) { return world->sql("select content || ' ' || digest from outbox where chat = '" + chat + "'"); };
    const auto gone = [&](const std::string& chat) { return " " + store::sha256_hex("/#link=" + chat); };
    const struct {
        const char* chat;
        Sending::End end;
    } ends[] = {{"1", Sending::End::delivered}, {"2", Sending::End::failed}, {"3", Sending::End::unknown}};
    for (const auto& one : ends) {
        write_secret(one.chat, 60s);
        EXPECT_EQ(shown(one.chat), std::nullopt);
        const auto taken = as(house(), [&](Tx& tx) { return store::take_outgoing(tx, "telegram", 1, 60s); });
        ASSERT_EQ(taken.size(), 1u);
        EXPECT_EQ(taken[0].content, std::string("/#link=") + one.chat);
        EXPECT_EQ(held(one.chat), taken[0].content + " ");
        as(house(), [&](Tx& tx) { return store::settle_outgoing(tx, taken[0].id, Sending{one.end, "", 0ms, "77"}); });
        EXPECT_EQ(held(one.chat), gone(one.chat));
    }
    write_secret("4", 0s);  // by a channel that nobody serves any more
    EXPECT_EQ(as(house(), [](Tx& tx) { return store::erase_outbox(tx, 0); }), 0);
    EXPECT_EQ(held("4"), gone("4"));
    EXPECT_EQ(row("4").state, "failed");
}

}  // namespace
