// Batches of the night: what becomes of one whose run has ended while another looked.
#include "store/nightly.h"

#include "made_run.h"
#include "on_database.h"

namespace {

using base::Json;
using store::Tx;

struct Nights : OnDatabase {
    void TearDown() override {
        if (world) world->sql("delete from nightly_batch");
    }
    // A batch that runs, as a caller reads it before its run ends.
    store::NightlyBatch begin(store::Day day) {
        made = make_run(world->db(), world->owner());
        as(world->owner(), [&](Tx& tx) { return store::begin_batch(tx, day, made.run, made.conversation); });
        return find(day);
    }
    store::NightlyBatch find(store::Day day) {
        return as(world->owner(), [&](Tx& tx) { return store::find_batch(tx, day); }).value();
    }
    void end_run(const std::string& state, const std::string& error, const std::function<void(Tx&)>& with_it) {
        as(world->owner(), [&](Tx& tx) {
            store::finish_run(tx, made.run, made.lease->epoch(), state, error, Json::object(), Json::object());
            with_it(tx);
        });
    }
    bool settle(const store::NightlyBatch& batch) {
        return as(world->owner(), [&](Tx& tx) { return store::settle_batch(tx, batch); });
    }

    MadeRun made;
    store::Day day = store::parse_day("2026-03-10").value();
};

TEST_F(Nights, ABatchWhoseRunWorksIsLeft) {
    const auto batch = begin(day);
    EXPECT_FALSE(settle(batch));
    EXPECT_EQ(find(day).state, "running");
}

TEST_F(Nights, ABatchThatItsRunHasEndedMeanwhileKeepsItsAnswer) {
    const auto batch = begin(day);
    const Json answer = {{"batch_id", store::batch_id(day)}, {"daily", {{"events_processed", 3}}}};
    end_run("answered", "", [&](Tx& tx) {
        store::answer_batch(tx, day, answer);
        store::end_batch(tx, day, false);
    });
    EXPECT_TRUE(settle(batch));
    EXPECT_EQ(find(day).state, "done");
    EXPECT_EQ(find(day).answer, answer);
}

TEST_F(Nights, ABatchWhoseRunWasGivenUpFailsWithItsError) {
    const auto batch = begin(day);
    end_run("failed", "given up after three starts", [](Tx&) {});
    EXPECT_TRUE(settle(batch));
    EXPECT_EQ(find(day).state, "failed");
    EXPECT_EQ(find(day).answer, (Json{{"batch_id", store::batch_id(day)}, {"run_id", made.run.text()}, {"error", "given up after three starts"}}));
}

// What was to be done behind the answer is given up: a second call gets the same batch, and nothing is done twice.
TEST_F(Nights, ABatchWhoseCallersHaveTheirAnswerIsDone) {
    for (const Json& answer : {Json{{"daily", {{"events_processed", 3}}}}, Json{{"error", "the step weekly failed"}}}) {
        const auto batch = begin(day);
        end_run("failed", "given up after three starts", [&](Tx& tx) { store::answer_batch(tx, day, answer); });
        EXPECT_TRUE(settle(batch));
        EXPECT_EQ(find(day).state, answer.contains("error") ? "failed" : "done");
        EXPECT_EQ(find(day).answer, answer);
        TearDown();
    }
}

TEST_F(Nights, ABatchThatAnotherRunHasTakenUpAgainIsThatRuns) {
    const auto batch = begin(day);
    end_run("failed", "no model answers", [&](Tx& tx) { store::end_batch(tx, day, true); });
    const MadeRun next = make_run(world->db(), world->owner());
    as(world->owner(), [&](Tx& tx) { return store::begin_batch_again(tx, day, next.run); });
    EXPECT_TRUE(settle(batch));
    EXPECT_EQ(find(day).state, "running");
    EXPECT_EQ(find(day).run, next.run);
}

}  // namespace
