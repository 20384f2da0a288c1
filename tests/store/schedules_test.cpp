// Schedules of people, and the times at which they come due: each once, whoever looks.
#include "store/schedules.h"

#include <gmock/gmock.h>

#include <thread>

#include "made_run.h"
#include "on_database.h"

namespace {

using store::Schedule;
using store::Tx;
using namespace std::chrono_literals;
using testing::HasSubstr;

const base::TimePoint kNoon = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4) + 12h;

Schedule daily(const std::string& prompt, base::TimePoint next = kNoon) {
    Schedule out;
    out.said = "every day at noon";
    out.cron = "0 12 * * *";
    out.zone = "UTC";
    out.prompt = prompt;
    out.agent = "hearth";
    out.next = next;
    return out;
}

struct Schedules : OnDatabase {
    void TearDown() override {
        if (world) world->sql("delete from schedule_fire; delete from schedule");
    }
    store::Identity house() const { return {world->owner().tenant, {}}; }
    store::Added add(const store::Identity& who, const Schedule& schedule) {
        return as(who, [&](Tx& tx) { return store::add_schedule(tx, schedule); }).value();
    }
    bool note(store::ScheduleId id, base::TimePoint instant) {
        return as(world->owner(), [&](Tx& tx) { return store::note_fire(tx, id, instant, "due"); });
    }
    std::vector<store::OpenFire> open() {
        return as(house(), [](Tx& tx) { return store::open_fires(tx, 100); });
    }
    std::vector<store::DueSchedule> due(base::TimePoint now) {
        return as(house(), [&](Tx& tx) { return store::due_schedules(tx, now, 100); });
    }
};

TEST_F(Schedules, OfTheSameThereIsOne) {
    const auto first = add(world->owner(), daily("What is in the news?"));
    EXPECT_FALSE(first.merged);
    const auto again = add(world->owner(), daily(" what is  in the NEWS"));
    EXPECT_TRUE(again.merged);
    EXPECT_EQ(again.id, first.id);
    EXPECT_FALSE(add(world->member(), daily("What is in the news?")).merged) << "another person's";
    Schedule elsewhere = daily("What is in the news?");
    elsewhere.bridge = "telegram";
    elsewhere.chat = "42";
    EXPECT_FALSE(add(world->owner(), elsewhere).merged);
    Schedule once = daily("What is in the news?");
    once.cron.clear();
    EXPECT_FALSE(add(world->owner(), once).merged);
    as(world->owner(), [&](Tx& tx) { store::end_schedule(tx, first.id); });
    EXPECT_FALSE(add(world->owner(), daily("What is in the news?")).merged) << "the first is over";
}

TEST_F(Schedules, TwoThatAreAddedAtOnceAreMerged) {
    std::vector<std::thread> both;
    for (int i = 0; i < 4; ++i) both.emplace_back([this] { add(world->owner(), daily("What is in the news?")); });
    for (auto& one : both) one.join();
    EXPECT_EQ(world->sql("select count(*) from schedule"), "1");
}

TEST_F(Schedules, AreTheirOwners) {
    const auto id = add(world->owner(), daily("mine")).id;
    EXPECT_EQ(as(world->member(), [&](Tx& tx) { return store::find_schedule(tx, id.text()); }).error().code, base::Code::not_found);
    EXPECT_TRUE(as(world->member(), [&](Tx& tx) { return store::list_schedules(tx, true); }).empty());
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return store::take_due(tx, id, kNoon); }));
    as(world->member(), [&](Tx& tx) { store::end_schedule(tx, id); });
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::find_schedule(tx, id.text().substr(0, 30)); }).value().prompt, "mine");
    EXPECT_EQ(due(kNoon).size(), 1u);
    EXPECT_EQ(due(kNoon)[0].who.person, world->owner().person);
}

TEST_F(Schedules, ComeDueOnceWhoeverLooks) {
    const auto id = add(world->owner(), daily("mine")).id;
    EXPECT_TRUE(due(kNoon - 1s).empty());
    EXPECT_FALSE(as(world->owner(), [&](Tx& tx) { return store::take_due(tx, id, kNoon - 1s); }));
    EXPECT_TRUE(note(id, kNoon));
    EXPECT_FALSE(note(id, kNoon));
    as(world->owner(), [&](Tx& tx) { store::move_on(tx, id, kNoon + 24h); });
    EXPECT_TRUE(due(kNoon).empty());
    const auto fires = open();
    ASSERT_EQ(fires.size(), 1u);
    EXPECT_EQ(fires[0].instant, kNoon);
    EXPECT_EQ(fires[0].role, "owner");
    auto made = make_run(world->db(), world->owner());
    const auto give = [&] { return as(world->owner(), [&](Tx& tx) { return store::give_run(tx, fires[0], made.run); }); };
    EXPECT_TRUE(give());
    EXPECT_FALSE(give());
    EXPECT_TRUE(open().empty()) << "its run works";
    world->sql("update run set state = 'answered', finished_at = now() where id = '" + made.run.text() + "'");
    ASSERT_EQ(open().size(), 1u);
    EXPECT_EQ(open()[0].run, made.run);
    const auto settle = [&] { return as(world->owner(), [&](Tx& tx) { return store::settle_fire(tx, fires[0], "done", "told"); }); };
    EXPECT_TRUE(settle());
    EXPECT_FALSE(settle());
    const auto log = as(world->owner(), [&](Tx& tx) { return store::fires_of(tx, id, 10); });
    ASSERT_EQ(log.size(), 1u);
    EXPECT_EQ(log[0].state + " " + log[0].outcome, "done told");
}

TEST_F(Schedules, ThatArePausedOrOverDoNotComeDue) {
    const auto id = add(world->owner(), daily("mine")).id;
    as(world->owner(), [&](Tx& tx) { store::pause_schedule(tx, id); });
    EXPECT_TRUE(due(kNoon).empty());
    as(world->owner(), [&](Tx& tx) { store::resume_schedule(tx, id, kNoon + 24h); });
    EXPECT_TRUE(due(kNoon).empty());
    EXPECT_EQ(due(kNoon + 24h).size(), 1u);
    as(world->owner(), [&](Tx& tx) { store::end_schedule(tx, id); });
    EXPECT_TRUE(due(kNoon + 24h).empty());
    as(world->owner(), [&](Tx& tx) { store::resume_schedule(tx, id, kNoon); });
    EXPECT_TRUE(due(kNoon + 24h).empty()) << "what is over stays so";
}

TEST_F(Schedules, GoByTheHouseholdsClock) {
    const auto zone = [&](const store::Identity& who) { return as(who, store::household_zone); };
    EXPECT_EQ(zone(world->owner()), "");
    for (const char* name : {"Europe/Paris", "Europe/Paris", "Asia/Kathmandu"}) as(world->owner(), [&](Tx& tx) { store::set_household_zone(tx, name); });
    EXPECT_EQ(zone(world->member()), "Asia/Kathmandu");
    EXPECT_THROW(as(world->member(), [&](Tx& tx) { store::set_household_zone(tx, "UTC"); }), store::DbError) << "the owner's to say";
    world->sql("delete from household");
}

TEST_F(Schedules, ForgetWhenTheyCameDue) {
    const auto id = add(world->owner(), daily("mine")).id;
    for (int day = 0; day < 3; ++day) as(world->owner(), [&](Tx& tx) { return store::note_fire(tx, id, kNoon + day * 24h, "skipped"); });
    note(id, kNoon + 72h);
    const auto erase = [&](base::TimePoint before) { return as({}, [&](Tx& tx) { return store::erase_fires(tx, before, 2); }); };
    const auto now = base::SystemClock().now();
    EXPECT_EQ(erase(now - 1h), 0);
    EXPECT_EQ(erase(now + 1h), 2);
    EXPECT_EQ(erase(now + 1h), 1);
    EXPECT_EQ(erase(now + 1h), 0) << "what is still to be done stays";
}

TEST_F(Schedules, SayWhatCannotBe) {
    const auto error = [&](const Schedule& schedule) { return as(world->owner(), [&](Tx& tx) { return store::add_schedule(tx, schedule); }).error().text(); };
    EXPECT_THAT(error(daily("")), HasSubstr("0 bytes"));
    EXPECT_THAT(error(daily(std::string(5000, 'x'))), HasSubstr("5000 bytes"));
    for (int i = 0; i < store::kMostSchedules; ++i) add(world->owner(), daily("number " + std::to_string(i)));
    EXPECT_THAT(error(daily("one more")), HasSubstr("100 schedules"));
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::find_schedule(tx, "%"); }).error().code, base::Code::not_found);
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::find_schedule(tx, "0190'); drop table schedule; --"); }).error().code, base::Code::not_found);
}

}  // namespace
