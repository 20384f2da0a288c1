// What there is to act on is said once, and where all is well nothing is, however often the heart beats.
#include "agents/heartbeat.h"

#include <gmock/gmock.h>

#include "harness.h"
#include "store/senders.h"
#include "support/run_task.h"

namespace {

using agents::Heartbeat;
using agents::testing::Harness;
using base::Health;
using store::Tx;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Findings, AreSentencesOfWhatIsNotWell) {
    const std::vector<store::Surveyed> surveyed = {{"runs_failed", "hearth 2026-03-04", "hearth", 3}, {"runs_failed", "hearth/dev 2026-03-04", "hearth/dev", 1}, {"of another version", "x", "x", 1}};
    const base::Probes probes = {{"database", Health::ok, "answers", ""}, {"disk", Health::failed, "full", "free some space"}, {"sandbox", Health::warning, "T1", "more"}};
    std::vector<std::string> said;
    for (const auto& one : agents::findings_of(surveyed, probes, {}, base::Language::english)) said.push_back(one.body);
    EXPECT_THAT(said, ElementsAre("3 runs of hearth have failed on one day (hearth run list).", "A run of hearth/dev has failed (hearth run list).", "disk: full (free some space)"));
    EXPECT_THAT(agents::findings_of(surveyed, probes, {"runs_failed", "probe"}, base::Language::english), IsEmpty()) << "silenced in one place";
    EXPECT_EQ(agents::findings_of({{"not_done", "refused 2026-03-04", "refused", 2}}, {}, {}, base::Language::french).at(0).body, "Une tâche prévue a été refusée 2 fois en un jour (hearth schedule list --all).");
    EXPECT_EQ(agents::finding_kinds(), "runs_failed,effect_unknown,word_wanted,not_delivered,not_done,probe");
    EXPECT_EQ(agents::heartbeat_words({{"a", "1", "One."}, {"a", "2", "Two.", {}, true}, {"a", "3", "Three."}}), "One.\nThree.");
}

struct HeartbeatTest : agents::testing::TurnTest {
    void TearDown() override {
        if (auto* const database = support::TestDatabase::get()) database->sql("delete from finding; delete from heartbeat; delete from outbox; delete from channel_conversation");
    }
};

struct Beating {
    Beating() {
        harness.database->sql("update run set finished_at = finished_at - interval '30 days' where finished_at > now() - interval '10 days'");
        harness.in_tx([](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "42"); });
    }
    void beat(int times = 1) {
        const auto pieces = [](const std::string&, const std::string& text) { return std::optional(std::vector{text}); };
        Heartbeat heart({harness.db, rules, harness.clock, harness.log, harness.database->owner(), [this] { return probes; }, pieces}, {std::chrono::seconds(0), "telegram", silenced});
        for (int i = 0; i < times; ++i) EXPECT_TRUE(support::run_task(heart.beat()));
    }
    std::string told() { return harness.database->sql("select string_agg(content, '; ' order by number) from outbox"); }
    std::string runs() { return harness.database->sql("select count(*) from run"); }

    Harness harness{std::vector<router::ScriptedReply>(4, agents::testing::says("Hello."))};
    tools::RuleBook rules;
    base::Probes probes = {{"database", Health::ok, "answers", ""}};
    std::set<std::string> silenced;
};

TEST_F(HeartbeatTest, AHundredBeatsOfAHealthySystemSayNothingAndOneFaultIsSaidOnce) {
    Beating beating;
    const std::string runs = beating.runs();
    beating.beat(100);
    EXPECT_EQ(beating.told(), "");
    beating.probes.push_back({"backend far", Health::failed, "does not answer", ""});
    beating.beat(20);
    EXPECT_EQ(beating.told(), "backend far: does not answer");
    beating.probes.pop_back();
    beating.beat();
    beating.probes.push_back({"backend far", Health::failed, "does not answer", ""});
    beating.beat(3);
    EXPECT_EQ(beating.told(), "backend far: does not answer") << "it only flickered";
    beating.probes.pop_back();
    beating.beat();
    beating.harness.database->sql("update finding set gone_at = gone_at - interval '7 hours'");
    beating.probes.push_back({"backend far", Health::failed, "does not answer", ""});
    beating.beat(3);
    EXPECT_EQ(beating.told(), "backend far: does not answer; backend far: does not answer") << "it is new";
    EXPECT_EQ(beating.runs(), runs) << "nobody was asked anything";
    EXPECT_TRUE(beating.harness.model->requests().empty());
}

TEST_F(HeartbeatTest, WhoeverTalksIsNotInterrupted) {
    Beating beating;
    beating.probes = {{"disk", Health::failed, "full", ""}};
    const auto conversation = beating.harness.in_tx([](Tx& tx) { return store::conversation_in_chat(tx, "telegram", "42"); });
    beating.harness.ask("hearth", "hello", conversation);
    beating.harness.database->sql("delete from finding; delete from outbox");
    beating.beat(2);
    EXPECT_EQ(beating.told(), "");
    beating.harness.database->sql("update run set started_at = started_at - interval '5 minutes', finished_at = finished_at - interval '5 minutes' where conversation_id = '" + conversation.text() + "'");
    beating.beat(2);
    EXPECT_EQ(beating.told(), "disk: full");
}

TEST_F(HeartbeatTest, OfSeveralProcessesOneBeats) {
    Beating beating;
    const auto claim = [&] { return beating.harness.in_tx([](Tx& tx) { return store::claim_beat(tx, std::chrono::hours(1)); }); };
    EXPECT_TRUE(claim());
    EXPECT_FALSE(claim());
}

}  // namespace
