// What a run's writer makes of what waits, when its transaction comes to pass and when it does not.
#include "store/run_writer.h"

#include <gtest/gtest.h>

#include "made_run.h"
#include "on_database.h"
#include "store/conversations.h"
#include "store/stops.h"
#include "support/run_task.h"

namespace {

using base::Json;
using store::Tx;

struct RunWriterTest : OnDatabase {
    void SetUp() override {
        OnDatabase::SetUp();
        if (IsSkipped()) return;
        MadeRun made = make_run(world->db(), world->owner(), "hello", {Json::object(), true});
        run = made.run;
        lease = std::move(made.lease);
    }
    base::Span span(const std::string& name) const {
        base::Span out;
        out.id = base::SpanId::make(base::SystemClock().now());
        out.run = run;
        out.kind = "model";
        out.name = name;
        out.body = {{"text", name}};
        return out;
    }
    store::ModelCall call() const {
        store::ModelCall out;
        out.id = base::SpanId::make(base::SystemClock().now());
        out.run = run;
        out.alias = "default";
        out.started = base::SystemClock().now();
        return out;
    }
    std::vector<std::string> spans() {
        const auto trace = as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, run); });
        EXPECT_TRUE(trace.chain) << trace.chain.error().message;
        std::vector<std::string> out;
        for (const auto& one : trace.spans) out.push_back(one.name);
        return out;
    }
    std::string calls() { return world->sql("select count(*) from model_usage where run_id = '" + run.text() + "'"); }
    std::vector<store::Step> steps() {
        return as(world->owner(), [&](Tx& tx) { return store::list_steps(tx, run); });
    }
    void stop() { EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::ask_to_stop(tx, run); })); }

    using Names = std::vector<std::string>;
    const store::StepIntent model{{}, 0, "model", "default", "pure", "model:0", Json::object()}, tool{{}, 0, "tool", "bash", "at_most_once", "c1", Json::object()};
    base::RunId run;
    std::unique_ptr<store::RunLease> lease;
    base::NullLog log;
};

TEST_F(RunWriterTest, TraceAndUsageAreThereExactlyWhenTheOutcomeIs) {
    store::RunWriter writer(world->db(), world->owner(), run, 1);
    const auto asked = support::run_task(writer.begin(model));
    writer.emit(call());
    writer.emit(span("one"));
    support::run_task(writer.end(model, asked, "done", Json::object()));
    EXPECT_EQ(spans(), Names{});
    EXPECT_EQ(calls(), "0");
    const auto called = support::run_task(writer.begin(tool));
    EXPECT_EQ(spans(), Names{"one"});
    EXPECT_EQ(calls(), "1");
    writer.emit(span("two"));
    support::run_task(writer.end(tool, called, "done", Json::object()));
    EXPECT_EQ(spans(), (Names{"one", "two"}));

    // Whoever takes the run over goes on with its chain.
    lease.reset();
    auto taken = store::acquire_lease(world->db(), world->owner(), run);
    ASSERT_TRUE(taken);
    store::RunWriter next(world->db(), world->owner(), run, (*taken)->epoch(), steps());
    next.emit(span("three"));
    support::run_task(next.finish("answered", "", Json::object(), Json::object()));
    EXPECT_EQ(spans(), (Names{"one", "two", "three"}));
}

TEST_F(RunWriterTest, WhatTheDatabaseRefusesLeavesItsTraceBehind) {
    {
        store::TraceSink traces(world->db(), log);
        store::RunWriter writer(world->db(), world->owner(), run, 1, {}, {}, &traces);
        base::Span broken = span("broken");
        broken.tenant = world->owner().tenant, broken.person = world->owner().person;
        writer.emit(std::move(broken));
        writer.defer([](Tx& tx) { tx.send("select 1 / 0"); });
        EXPECT_THROW(support::run_task(writer.begin(model)), store::DbError);
        traces.flush();
        EXPECT_EQ(spans(), Names{"broken"});
        writer.emit(span("end"));
        support::run_task(writer.finish("failed", "why", Json::object(), Json::object()));
    }
    EXPECT_EQ(spans(), (Names{"broken", "end"}));
}

TEST_F(RunWriterTest, AnOutcomeThatCanBeMadeAgainWaitsForTheNextWrite) {
    store::RunWriter writer(world->db(), world->owner(), run, 1);
    store::StepIntent edit = tool;
    edit.effect = "idempotent";
    edit.effect_key = "c2";
    support::run_task(writer.end(edit, support::run_task(writer.begin(edit)), "done", Json::object()));
    EXPECT_EQ(steps().at(0).state, "intent");
    support::run_task(writer.begin(tool));
    EXPECT_EQ(steps().at(0).state, "done");
}

TEST_F(RunWriterTest, AStepThatIsNotToBeginAfterAllLeavesWhatWaits) {
    store::RunWriter writer(world->db(), world->owner(), run, 1);
    const auto asked = support::run_task(writer.begin(model));
    writer.emit(span("one"));
    support::run_task(writer.end(model, asked, "done", Json::object()));
    EXPECT_FALSE(support::run_task(writer.begin_if(tool, [](Tx&) { return false; })));
    ASSERT_EQ(steps().size(), 1u);
    EXPECT_EQ(steps()[0].state, "intent");
    EXPECT_EQ(spans(), Names{});
    EXPECT_TRUE(support::run_task(writer.begin_if(tool, [](Tx&) { return true; })));
    EXPECT_EQ(steps().size(), 2u);
    EXPECT_EQ(steps()[0].state, "done");
    EXPECT_EQ(spans(), Names{"one"});
}

TEST_F(RunWriterTest, AStepThatIsOvertakenAtItsEndEndsInAnotherWay) {
    store::RunWriter writer(world->db(), world->owner(), run, 1);
    const auto asked = support::run_task(writer.begin(tool));
    writer.emit(span("one"));
    std::function<void(Tx&)> overtaken = [&](Tx&) {
        writer.emit(span("two"));
        throw store::Overtaken("somebody else was faster");
    };
    EXPECT_THROW(support::run_task(writer.end_with(tool, asked, "done", Json::object(), overtaken)), store::Overtaken);
    EXPECT_EQ(steps().at(0).state, "intent");
    EXPECT_EQ(spans(), Names{});
    support::run_task(writer.end(tool, asked, "failed", Json::object()));
    EXPECT_EQ(steps().at(0).state, "failed");
    EXPECT_EQ(spans(), Names{"one"});
}

TEST_F(RunWriterTest, AStopThatRefusesAStepLosesNothingOfTheOneBefore) {
    store::RunWriter writer(world->db(), world->owner(), run, 1);
    const auto asked = support::run_task(writer.begin(model));
    writer.emit(span("one"));
    support::run_task(writer.end(model, asked, "done", Json::object()));
    stop();
    EXPECT_THROW(support::run_task(writer.begin(tool)), store::RunStopped);
    support::run_task(writer.finish("cancelled", "", Json::object(), Json::object()));
    ASSERT_EQ(steps().size(), 1u);
    EXPECT_EQ(steps()[0].state, "done");
    EXPECT_EQ(spans(), Names{"one"});
}

TEST_F(RunWriterTest, AfterAStopNobodyIsAskedForAWord) {
    store::RunWriter writer(world->db(), world->owner(), run, 1);
    stop();
    store::ApprovalRequest request;
    request.effect_key = "c1";
    request.tool = "bash";
    EXPECT_THROW(support::run_task(writer.ask(request)), store::RunStopped);
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::approvals_of(tx, run); }).empty());
    support::run_task(writer.finish("cancelled", "", Json::object(), Json::object()));
    EXPECT_EQ(as(world->owner(), [&](Tx& tx) { return store::find_run(tx, run)->status; }), "cancelled");
}

TEST_F(RunWriterTest, AStepWithASecretIsTheSameStepAgain) {
    const auto redactor = std::make_shared<base::Redactor>();
    redactor->add(redactor->forms_of("correct horse battery"));
    auto db = store::Db::open({store::app_url(world->cluster()), 1, world->foundation().node, redactor});
    ASSERT_TRUE(db);
    store::StepIntent secret = tool;
    secret.input = {{"command", "login 'correct horse battery'"}};
    {
        store::RunWriter writer(**db, world->owner(), run, 1);
        support::run_task(writer.end(secret, support::run_task(writer.begin(secret)), "done", Json::object()));
    }
    ASSERT_EQ(steps().at(0).input["command"], "login '[redacted: secret]'");
    store::RunWriter again(**db, world->owner(), run, 1, steps());
    EXPECT_TRUE(again.agrees(*again.recorded("c1"), secret));
    secret.input["command"] = "login 'another'";
    EXPECT_FALSE(again.agrees(*again.recorded("c1"), secret));
}

TEST_F(RunWriterTest, TheTimeOfEarlierHoldersIsThatBetweenTheirSteps) {
    store::RunWriter writer(world->db(), world->owner(), run, 1);
    support::run_task(writer.end(tool, support::run_task(writer.begin(tool)), "done", Json::object()));
    world->sql("update run set held_at = now() - interval '70 minutes' where id = '" + run.text() + "'");
    world->sql("update step set started_at = now() - interval '70 minutes', finished_at = now() - interval '60 minutes' where run_id = '" + run.text() + "'");
    lease.reset();
    const auto worked = [&] { return std::chrono::duration_cast<std::chrono::minutes>(as(world->owner(), [&](Tx& tx) { return store::time_worked(tx, run); })).count(); };
    EXPECT_EQ(worked(), 0);
    for (int holder = 0; holder < 2; ++holder) {  // the second does nothing
        auto taken = store::acquire_lease(world->db(), world->owner(), run);
        ASSERT_TRUE(taken);
        EXPECT_EQ(worked(), 10) << "nobody worked in the hour since";
    }
}

}  // namespace
