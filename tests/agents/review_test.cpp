// What is alike among failures is one issue, with the runs that show it; what was mended and comes back is said to be back.
#include "agents/review.h"

#include <gmock/gmock.h>

#include "harness.h"

namespace {

using agents::clusters_of;
using agents::pattern_of;
using agents::testing::Harness;
using store::Failure;
using store::Tx;
using namespace std::chrono_literals;

const base::TimePoint kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4);

base::RunId run_id(int n) { return base::RunId::parse("01900000-0000-7000-8000-00000000000" + std::to_string(n)).value(); }

TEST(Review, KnowsErrorsByWhatIsTheSameEachTime) {
    EXPECT_EQ(pattern_of("there is no file notes/2026.txt"), "there is no file *");
    EXPECT_EQ(pattern_of("there is no file 'my notes.txt' here"), "there is no file * here");
    EXPECT_EQ(pattern_of("waited 30 s for 127.0.0.1:8080\nsecond line"), "waited * s for *");
    EXPECT_EQ(pattern_of("it doesn't answer, and isn't there"), "it doesn't answer, and isn't there");
    EXPECT_EQ(pattern_of("row 1 2 3 of it"), "row * of it");
    EXPECT_LE(pattern_of(std::string(1000, 'x')).size(), 160u);
}

TEST(Review, PutsTogetherWhatIsAlike) {
    std::vector<Failure> failures = {{run_id(1), "run", "hearth", "failed", "the backend far broke off after 3 s", kNow},
                                     {run_id(2), "run", "hearth", "failed", "the backend far broke off after 70 s", kNow + 1h},
                                     {run_id(3), "run", "hearth", "no_backend", "", kNow + 2h},
                                     {run_id(1), "tool", "read_file", "failed", "Error: there is no file a.txt/b", kNow},
                                     {run_id(1), "tool", "read_file", "failed", "Error: there is no file c/d", kNow}};
    const auto found = clusters_of(failures);
    ASSERT_EQ(found.size(), 2u) << "a file that is not there is everyday work";
    EXPECT_EQ(found[0].title, "Runs of hearth end as failed: the backend far broke off after * s");
    EXPECT_EQ(found[0].count, 2);
    EXPECT_THAT(found[0].runs, testing::ElementsAre(run_id(1), run_id(2)));
    EXPECT_EQ(found[0].last, kNow + 1h);
    EXPECT_EQ(found[1].title, "Runs of hearth end as no_backend");
    failures.push_back({run_id(2), "tool", "read_file", "failed", "Error: there is no file e/f", kNow});
    failures.push_back({run_id(3), "tool", "read_file", "failed", "Error: there is no file g/h", kNow});
    EXPECT_EQ(clusters_of(failures).size(), 3u);
}

struct Issues : agents::testing::TurnTest {
    void SetUp() override {
        TurnTest::SetUp();
        if (auto* const database = support::TestDatabase::get()) database->sql("update run set finished_at = finished_at - interval '30 days'; update step set finished_at = finished_at - interval '30 days'");
    }
    void TearDown() override {
        if (auto* const database = support::TestDatabase::get()) database->sql("delete from issue; delete from review; delete from deploy");
    }
};

// A run that has ended so.
void fail(Harness& harness) {
    const auto run = harness.ask("hearth/dev", "hello").run;
    harness.database->sql("update run set state = 'failed', error = 'the upstream broke off after " + std::to_string(run.value.bytes[15]) + " s' where id = '" + run.text() + "'");
}

TEST_F(Issues, ComeOnceWithTheirEvidenceAndComeBack) {
    Harness harness(std::vector<router::ScriptedReply>(8, agents::testing::says("Hello.")));
    const auto review = [&](const std::string& build) { return harness.in_tx([&](Tx& tx) { return agents::review(tx, base::SystemClock().now(), build); }); };
    const auto deploy = [&](const std::string& build) { return harness.in_tx([&](Tx& tx) { return store::note_deploy(tx, build, "1"); }); };
    const auto only = [&] {
        const auto all = harness.in_tx([](Tx& tx) { return store::list_issues(tx, true); });
        EXPECT_EQ(all.size(), 1u);
        return all.empty() ? store::Issue{} : all[0];
    };
    EXPECT_TRUE(deploy("build1"));
    EXPECT_FALSE(deploy("build1"));
    fail(harness);
    fail(harness);
    auto found = review("build1");
    EXPECT_EQ(found.fresh, 1);
    EXPECT_EQ(only().seen.count, 2);
    EXPECT_EQ(only().seen.runs.size(), 2u);
    EXPECT_EQ(only().state + " " + only().first_build, "needs-triage build1");
    found = review("build1");
    EXPECT_EQ(found.failures, 0u) << "nothing is counted twice";
    fail(harness);
    EXPECT_EQ(review("build1").known, 1);
    EXPECT_EQ(only().seen.count, 3);

    const auto mark = [&](const std::string& state) { return harness.in_tx([&](Tx& tx) { return store::mark_issue(tx, only().id, state); }).ok(); };
    EXPECT_FALSE(mark("deployed")) << "a build says so";
    EXPECT_TRUE(mark("fixed-locally"));
    fail(harness);
    EXPECT_EQ(review("build1").known, 1);
    EXPECT_EQ(only().state, "fixed-locally") << "the build that fails is without the fix";
    EXPECT_TRUE(deploy("build2"));
    EXPECT_EQ(only().state + " " + only().fixed_build, "deployed build2");
    fail(harness);
    EXPECT_EQ(review("build2").back, 1);
    EXPECT_EQ(only().state + " " + only().regressed_build, "needs-triage build2");
    EXPECT_TRUE(mark("closed"));
    fail(harness);
    EXPECT_EQ(review("build2").known, 1);
    EXPECT_EQ(only().state, "closed");
}

TEST_F(Issues, AreTheOwners) {
    auto* const database = support::TestDatabase::get();
    Harness harness(std::vector<router::ScriptedReply>(8, agents::testing::says("Hello.")));
    fail(harness);
    const auto as_member = [](Tx& tx) { return store::failures_between(tx, base::SystemClock().now() - 1h, base::SystemClock().now()).size(); };
    EXPECT_EQ(database->db().run_blocking(database->member(), as_member), 0u);
    EXPECT_EQ(harness.in_tx(as_member), 1u);
}

}  // namespace
