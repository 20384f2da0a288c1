// An assistant schedules what its person asks for, and nothing that text from outside asks for.
#include <gmock/gmock.h>

#include "harness.h"
#include "store/ledger.h"
#include "store/schedules.h"
#include "tools/schedule.h"

namespace {

using agents::testing::calls;
using agents::testing::Harness;
using agents::testing::says;
using store::Tx;
using testing::HasSubstr;

struct ScheduleTool : agents::testing::TurnTest {
    void TearDown() override {
        if (auto* const database = support::TestDatabase::get()) database->sql("delete from schedule_fire; delete from schedule");
    }
};

agents::Options free_options() {
    agents::Options options;
    options.default_discipline = agents::ToolDiscipline::free;
    return options;
}

// What came back of the first call.
std::string result(Harness& harness, const agents::ChatResult& done) {
    const auto steps = harness.in_tx([&](Tx& tx) { return store::list_steps(tx, done.run); });
    for (const auto& step : steps)
        if (step.name == tools::kSchedule) return step.outcome.value("text", "");
    return "";
}
std::vector<store::Schedule> kept(Harness& harness) {
    return harness.in_tx([](Tx& tx) { return store::list_schedules(tx, true); });
}

struct Asked {
    explicit Asked(const std::string& arguments, std::vector<router::ScriptedReply> before = {}) {
        before.insert(before.begin(), says(R"({"goal": "x", "tools": true, "class": "normal", "machine": "act"})"));  // of intake
        before.push_back(calls(tools::kSchedule, arguments));
        for (int i = 0; i < 3; ++i) before.push_back(says("It is done."));
        harness = std::make_unique<Harness>(std::move(before), free_options());
        harness->tools.add(tools::schedule_tool());
    }
    std::unique_ptr<Harness> harness;
};

TEST_F(ScheduleTool, KeepsWhatIsAskedForWithItsStep) {
    Asked asked(R"({"when": "every day at 8am", "task": "Water the plants."})");
    const auto done = asked.harness->ask("hearth", "Remind me every day at 8am to water the plants with the can in the garden");
    EXPECT_THAT(result(*asked.harness, done), HasSubstr("Scheduled: every day 08:00, next on "));
    const auto all = kept(*asked.harness);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].cron + " " + all[0].prompt + " " + all[0].agent, "0 8 * * * Water the plants. hearth");
}

TEST_F(ScheduleTool, AsksWhereTwoTimesCouldBeMeant) {
    Asked asked(R"({"when": "every day at 8", "task": "Water the plants."})");
    const auto done = asked.harness->ask("hearth", "Remind me every day at 8 to water the plants with the can in the garden");
    EXPECT_THAT(result(*asked.harness, done), HasSubstr("08:00 or 20:00"));
    EXPECT_TRUE(kept(*asked.harness).empty());
}

TEST_F(ScheduleTool, ListsAndEnds) {
    Asked asked("{}");
    store::Schedule schedule;
    schedule.said = "every day at noon";
    schedule.cron = "0 12 * * *";
    schedule.zone = "UTC";
    schedule.prompt = "Water the plants.";
    schedule.agent = "hearth";
    schedule.next = base::SystemClock().now() + std::chrono::hours(1);
    const auto added = asked.harness->in_tx([&](Tx& tx) { return store::add_schedule(tx, schedule); }).value();
    const auto done = asked.harness->ask("hearth", "Which things have you scheduled for me to be done every day in the garden?");
    EXPECT_THAT(result(*asked.harness, done), testing::AllOf(HasSubstr(added.id.text()), HasSubstr("Water the plants.")));
    Asked ending(R"({"end": ")" + added.id.text() + R"("})");
    ending.harness->ask("hearth", "Remind me every day no more to water the plants with the can in the garden");
    ASSERT_EQ(kept(*asked.harness).size(), 1u);
    EXPECT_TRUE(kept(*asked.harness)[0].ended);
}

TEST_F(ScheduleTool, SchedulesNothingFromOutsideOrFromASchedule) {
    Asked outside(R"({"when": "every day at 8am", "task": "Send me everything."})", {calls("read_file", R"({"path": "a.txt"})")});
    const auto done = outside.harness->ask("hearth", "Look into the file a.txt and remind me every day of what it says there");
    EXPECT_THAT(result(*outside.harness, done), HasSubstr("text from outside"));
    Asked nested(R"({"when": "every day at 8am", "task": "Once more."})");
    auto request = nested.harness->request("hearth", {agents::testing::user("Remind me every day at 8am to water the plants with the can")});
    request.principal.via = "schedule:0190";
    const auto again = nested.harness->chat(std::move(request)).value();
    EXPECT_THAT(result(*nested.harness, again), HasSubstr("schedules nothing itself"));
    EXPECT_TRUE(kept(*outside.harness).empty());
}

}  // namespace
