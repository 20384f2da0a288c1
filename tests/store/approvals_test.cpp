// Approvals: one word for one call with these very arguments, once, and for a time; and stops of runs that rest.
#include "store/approvals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_run.h"
#include "on_database.h"
#include "store/conversations.h"
#include "store/runs.h"
#include "store/stops.h"
#include "store/traces.h"

using base::Code;
using base::Json;
using store::Approval;
using store::Tx;
using testing::HasSubstr;
using namespace std::chrono_literals;

namespace {

struct Approvals : OnDatabase {
    // A run that has come to rest in `state`; empty: it works.
    base::RunId make_run(const std::string& state) {
        const MadeRun made = ::make_run(world->db(), world->owner(), "send it");
        const auto rest = [&](Tx& tx) { store::finish_run(tx, made.run, made.lease->epoch(), state, "", Json::object(), Json::object()); };
        if (!state.empty()) as(world->owner(), rest);
        return made.run;
    }
    static store::ApprovalRequest mail(base::RunId run, const Json& arguments = {{"to", "Ann"}}) {
        return {run, "call_1", "send_mail", arguments, "people_ask", "It touches other people."};
    }
    Approval ask(const store::ApprovalRequest& request, std::chrono::seconds lifetime = 60s) {
        return as(world->owner(), [&](Tx& tx) { return store::ask_approval(tx, request, lifetime); }).value();
    }
    base::Result<Approval> decide(store::ApprovalId id, bool grant, const store::Identity& who) {
        return as(who, [&](Tx& tx) { return store::decide_approval(tx, id, grant, "test"); });
    }
    void use(store::ApprovalId id) {
        as(world->owner(), [&](Tx& tx) { store::use_approval(tx, id); });
    }
    std::string status(base::RunId run) {
        return as(world->owner(), [&](Tx& tx) { return store::find_run(tx, run)->status; });
    }
    bool is_open(store::ApprovalId id, const store::Identity& who) {
        for (const Approval& one : as(who, [](Tx& tx) { return store::open_approvals(tx); }))
            if (one.id == id) return true;
        return false;
    }
};

}  // namespace

TEST_F(Approvals, AGrantIsUsedOnce) {
    const auto run = make_run("waiting_person");
    const Approval asked = ask(mail(run));
    EXPECT_EQ(asked.state, Approval::State::open);
    EXPECT_EQ(ask(mail(run)).id, asked.id);  // asked again after a resume: the same question
    EXPECT_THROW(use(asked.id), store::DbError);
    const auto granted = decide(asked.id, true, world->owner());
    ASSERT_TRUE(granted);
    EXPECT_EQ(granted->state, Approval::State::granted);
    EXPECT_EQ(status(run), "interrupted");  // nobody holds it yet: whoever comes takes it up
    use(asked.id);
    EXPECT_THROW(use(asked.id), store::DbError);
    EXPECT_EQ(ask(mail(run)).state, Approval::State::used);
}

TEST_F(Approvals, OtherArgumentsAreAnotherQuestion) {
    const auto run = make_run("");
    const Approval asked = ask(mail(run));
    const auto other = as(world->owner(), [&](Tx& tx) { return store::ask_approval(tx, mail(run, {{"to", "Bob"}}), 60s); });
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Code::conflict);
    EXPECT_THAT(other.error().message, HasSubstr("other arguments"));
}

TEST_F(Approvals, AnotherPersonNeitherSeesNorDecides) {
    const Approval asked = ask(mail(make_run("waiting_person")));
    EXPECT_TRUE(is_open(asked.id, world->owner()));
    EXPECT_FALSE(is_open(asked.id, world->member()));
    const auto forged = decide(asked.id, true, world->member());
    ASSERT_FALSE(forged);
    EXPECT_EQ(forged.error().code, Code::not_found);
    EXPECT_TRUE(is_open(asked.id, world->owner()));
}

TEST_F(Approvals, AWordIsGivenOnce) {
    const auto run = make_run("waiting_person");
    const Approval asked = ask(mail(run));
    ASSERT_TRUE(decide(asked.id, false, world->owner()));
    EXPECT_FALSE(is_open(asked.id, world->owner()));
    const auto again = decide(asked.id, true, world->owner());
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::conflict);
    EXPECT_THAT(again.error().message, testing::ContainsRegex("denied already, by ."));
    const auto found = as(world->owner(), [&](Tx& tx) { return store::find_approval(tx, asked.id).value(); });
    EXPECT_EQ(found.decided_via, "test");
    EXPECT_TRUE(asked.decided_via.empty());
    EXPECT_THROW(use(asked.id), store::DbError);
}

TEST_F(Approvals, WhatIsAskedTooLongIsExpiredAndTheRunGoesOn) {
    const auto run = make_run("waiting_person"), other = make_run("waiting_person");
    const Approval asked = ask(mail(run), 0s), kept = ask(mail(other), 60s);
    EXPECT_FALSE(is_open(asked.id, world->owner()));
    ASSERT_FALSE(decide(asked.id, true, world->owner()));
    EXPECT_THAT(store::expire_approvals(world->db()), testing::ElementsAre(run));
    EXPECT_EQ(status(run), "interrupted");
    EXPECT_EQ(status(other), "waiting_person");
    EXPECT_TRUE(store::expire_approvals(world->db()).empty());
    EXPECT_EQ(ask(mail(run)).state, Approval::State::expired);
    EXPECT_THROW(use(asked.id), store::DbError);
}

TEST_F(Approvals, AWordForARunThatHasEndedWakesNothing) {
    const auto run = make_run("waiting_person");
    const Approval asked = ask(mail(run));
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::ask_to_stop(tx, run); }));
    EXPECT_EQ(status(run), "cancelled");
    EXPECT_FALSE(is_open(asked.id, world->owner()));
    const auto decided = decide(asked.id, true, world->owner());
    ASSERT_FALSE(decided);
    EXPECT_EQ(decided.error().message, "the run " + run.text() + " was stopped, and waits for no word any more");
    EXPECT_EQ(status(run), "cancelled");
    const auto trace = as(world->owner(), [&](Tx& tx) { return store::read_trace(tx, run); });
    ASSERT_EQ(trace.spans.size(), 1u) << "its trace ends with it";
    EXPECT_TRUE(trace.spans[0].parent.is_nil());
    EXPECT_EQ(trace.spans[0].attributes["final_state"], "cancelled");
    EXPECT_FALSE(as(world->owner(), [&](Tx& tx) { return store::ask_to_stop(tx, run); })) << "once";
}

TEST_F(Approvals, AStopIsAskedForOfOnesOwnRunsAlone) {
    const auto working = make_run(""), ended = make_run("answered");
    EXPECT_FALSE(as(world->member(), [&](Tx& tx) { return store::ask_to_stop(tx, working); }));
    EXPECT_FALSE(as(world->owner(), [&](Tx& tx) { return store::stop_asked(tx, working); }));
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::ask_to_stop(tx, working); }));
    EXPECT_TRUE(as(world->owner(), [&](Tx& tx) { return store::stop_asked(tx, working); }));
    EXPECT_FALSE(as(world->owner(), [&](Tx& tx) { return store::ask_to_stop(tx, ended); }));
    EXPECT_EQ(status(ended), "answered");
}
