// Calls that need a person's word: the run rests, and goes on with the word, in whichever process; and stops that reach
// a run wherever it is held.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lives.h"
#include "store/approvals.h"
#include "store/stops.h"
#include "support/run_task.h"

namespace agents::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class Approval : public LivesTest {
protected:
    ChatRequest request(const char* alias, bool present = true) const {
        ChatRequest out;
        out.principal = owner();
        out.principal.can_ask = present;
        out.alias = alias;
        out.messages = {user("Please mail Ann about it, and look at the file first.")};
        return out;
    }
    std::vector<store::Approval> open() {
        return in_tx([](store::Tx& tx) { return store::open_approvals(tx); });
    }
    void give(store::ApprovalId id, bool grant) {
        const auto word = in_tx([&](store::Tx& tx) { return store::decide_approval(tx, id, grant, "test"); });
        ASSERT_TRUE(word) << word.error().text();
    }
    // Asks in a process that then is gone; the run rests.
    base::RunId asked(const char* alias) {
        Process first(folder.path());
        first.ask(request(alias));
        EXPECT_FALSE(first.live(100000));
        EXPECT_TRUE(first.result && *first.result);
        if (!first.result || !*first.result) return {};
        const ChatResult& result = **first.result;
        EXPECT_EQ(result.final_state, "waiting_person");
        EXPECT_THAT(result.response, HasSubstr("I wait for your word on send_mail {\"to\":\"Ann\"}"));
        EXPECT_EQ(run(result.run).status, "waiting_person");
        return result.run;
    }
    std::vector<std::string> said(base::ConversationId conversation) {
        std::vector<std::string> out;
        for (const auto& message : in_tx([&](store::Tx& tx) { return store::list_messages(tx, conversation); }))
            out.push_back(message.role + ": " + message.body.value("content", ""));
        return out;
    }
    support::TempDir folder;

    int steps(base::RunId id, const std::string& name) {
        int count = 0;
        for (const auto& step : in_tx([&](store::Tx& tx) { return store::list_steps(tx, id); })) count += step.name == name;
        return count;
    }
};

TEST_F(Approval, AGrantedCallHappensOnceAfterARestart) {
    for (const char* alias : {"hearth/dev", "hearth"}) {
        effects.clear();
        const auto id = asked(alias);
        ASSERT_FALSE(id.is_nil());
        EXPECT_EQ(effects["mail to Ann"], 0);
        const auto waiting = open();
        ASSERT_THAT(waiting, SizeIs(1));
        EXPECT_EQ(waiting[0].request.rule, "untrusted_text_asks") << "a file was read before";
        EXPECT_EQ(steps(id, "read_file"), 1);
        {
            Process idle(folder.path());  // nobody goes on without a word
            ASSERT_TRUE(idle.resume());
            EXPECT_EQ(run(id).status, "waiting_person");
        }
        give(waiting[0].id, true);
        Process second(folder.path());
        ASSERT_TRUE(second.resume());
        const store::Run ended = run(id);
        EXPECT_EQ(ended.status, "answered") << ended.error;
        EXPECT_EQ(effects["mail to Ann"], 1);
        EXPECT_EQ(steps(id, "read_file"), 1) << "what was done before is not done again";
        EXPECT_EQ(steps(id, "send_mail"), 1);
        EXPECT_THAT(said(ended.conversation), SizeIs(2));
        EXPECT_EQ(in_tx([&](store::Tx& tx) { return store::approvals_of(tx, id); }).at(0).state, store::Approval::State::used);
    }
}

TEST_F(Approval, ADeniedOrExpiredCallNeverHappensAndTheRunSaysSo) {
    for (const bool denied : {true, false}) {
        effects.clear();
        const auto id = asked("hearth/dev");
        ASSERT_FALSE(id.is_nil());
        if (denied) {
            give(open().at(0).id, false);
        } else {
            database->sql("update approval set expires_at = clock_timestamp() where run_id = '" + id.text() + "'");
            EXPECT_THAT(store::expire_approvals(database->db()), SizeIs(1));
        }
        Process second(folder.path());
        ASSERT_TRUE(second.resume());
        EXPECT_EQ(run(id).status, "answered") << run(id).error;
        EXPECT_EQ(effects["mail to Ann"], 0);
        EXPECT_EQ(steps(id, "send_mail"), 0);
        bool heard = false;
        for (const auto& request : second.model->requests())
            for (const auto& message : request.messages) heard |= message.text().find(denied ? "the person said no to send_mail" : "nobody answered in time") != std::string::npos;
        EXPECT_TRUE(heard);
    }
}

TEST_F(Approval, AnotherProcessMayDieWithTheWordInHand) {
    const auto id = asked("hearth/dev");
    ASSERT_FALSE(id.is_nil());
    give(open().at(0).id, true);
    for (std::size_t things = 1; things < 40; ++things) {
        Process brief(folder.path());
        brief.io.restart();
        net::spawn(brief.io.get_executor(), brief.agents->resume_interrupted(), [](std::exception_ptr) {});
        if (!brief.live(things)) break;
        database->sql("update run set attempts = 0 where id = '" + id.text() + "'");  // so many processes do not die in a row
    }
    Process last(folder.path());
    ASSERT_TRUE(last.resume());
    const auto status = run(id).status;
    EXPECT_TRUE(status == "answered" || status == "unknown_effect") << status;
    EXPECT_LE(effects["mail to Ann"], 1);
    if (status == "answered") {
        EXPECT_EQ(effects["mail to Ann"], 1);
    }
}

TEST_F(Approval, WithNobodyPresentNothingIsAsked) {
    Process process(folder.path());
    process.ask(request("hearth/dev", false));
    EXPECT_FALSE(process.live(100000));
    ASSERT_TRUE(process.result && *process.result);
    EXPECT_EQ((*process.result)->final_state, "answered");
    EXPECT_EQ(effects["mail to Ann"], 0);
    EXPECT_TRUE(open().empty());
}

// hearth chat asks so: its connection ended when the run came to rest.
TEST_F(Approval, TheWordCountsThoughTheClientsConnectionHasEnded) {
    base::StopSource client;
    Process first(folder.path());
    ChatRequest asked = request("hearth/dev");
    asked.ends_with_client = true;
    asked.stop = client.token();
    first.ask(std::move(asked));
    EXPECT_FALSE(first.live(100000));
    ASSERT_TRUE(first.result && *first.result);
    const auto id = (*first.result)->run;
    client.request_stop();
    EXPECT_EQ(run(id).status, "waiting_person");
    give(open().at(0).id, true);
    ASSERT_TRUE(first.resume());
    EXPECT_EQ(run(id).status, "answered") << run(id).error;
    EXPECT_EQ(effects["mail to Ann"], 1);
}

policy::HouseRule rule(base::TenantId tenant, const std::string& name, const Json& body) { return policy::house_rule_from_json(tenant, name, body).value(); }

TEST_F(Approval, ARuleOfTheHouseIsAskedForAndNamed) {
    Process process(folder.path());
    const auto tenant = database->owner().tenant;
    process.rules.change({rule(tenant, "ask_before_programs", {{"verdict", "ask"}, {"tools", {"bash"}}, {"reason", "Programs wait for me."}})});
    ChatRequest asked = request("hearth/dev");
    asked.messages = {user("Do it all.")};
    process.ask(std::move(asked));
    EXPECT_FALSE(process.live(100000));
    ASSERT_TRUE(process.result && *process.result);
    const auto id = (*process.result)->run;
    EXPECT_EQ((*process.result)->final_state, "waiting_person");
    auto waiting = open();
    ASSERT_THAT(waiting, SizeIs(1));
    EXPECT_EQ(waiting[0].request.rule, "ask_before_programs");
    EXPECT_EQ(waiting[0].request.reason, "bash needs a person's approval: Programs wait for me.");
    EXPECT_EQ(effects["one"], 0);
    give(waiting[0].id, true);
    // The rules change while it works: the second program is not asked for any more, it is refused.
    process.rules.change({rule(tenant, "no_programs", {{"verdict", "deny"}, {"permissions", {"execute"}}})});
    ASSERT_TRUE(process.resume());
    EXPECT_EQ(effects["one"] + effects["two"], 0) << "a word does not outweigh what is denied since";
    const auto trace = in_tx([&](store::Tx& tx) { return store::read_trace(tx, id); });
    int named = 0;
    for (const auto& one : trace.spans) named += one.kind == "tool" && one.attributes.value("rule", "") == "no_programs";
    EXPECT_EQ(named, 2);
}

TEST_F(Approval, ARuleCountsTheCallsOfADay) {
    database->sql("update step set started_at = started_at - interval '2 days'");
    Process process(folder.path());
    process.rules.change({rule(database->owner().tenant, "one_a_day", {{"verdict", "deny"}, {"tools", {"bash"}}, {"after_calls", 1}})});
    ChatRequest asked = request("hearth/dev");
    asked.messages = {user("Do it all.")};
    process.ask(std::move(asked));
    EXPECT_FALSE(process.live(100000));
    ASSERT_TRUE(process.result && *process.result);
    EXPECT_EQ(effects["one"], 1);
    EXPECT_EQ(effects["two"], 0);
}

TEST_F(Approval, AStopFromAnotherProcessLetsNoStepBegin) {
    Process holder(folder.path());
    holder.ask(request("hearth/dev", false));
    while (holder.events.empty()) ASSERT_TRUE(holder.live(1));
    const auto id = holder.events[0].run;
    const auto before = in_tx([&](store::Tx& tx) { return store::list_steps(tx, id); }).size();
    Process other(folder.path());
    EXPECT_TRUE(support::run_task(other.agents->stop(request("").principal, id)));
    EXPECT_FALSE(holder.live(100000));  // which hears no signal here
    ASSERT_TRUE(holder.result && *holder.result);
    EXPECT_EQ((*holder.result)->final_state, "cancelled");
    EXPECT_EQ(run(id).status, "cancelled");
    EXPECT_LE(in_tx([&](store::Tx& tx) { return store::list_steps(tx, id); }).size(), before + 1);
    EXPECT_FALSE(support::run_task(other.agents->stop(request("").principal, id))) << "it has ended";
}

// As of a process that stands still behind the commit of an intent: that takes long, and there is a stop at its end, which nobody signals.
TEST_F(Approval, AStopThatCameWhileTheProcessStoodStillIsHeardBeforeTheCall) {
    database->sql("create function stand_still() returns trigger language plpgsql as $$ begin"
                  " update run set stop_asked_at = clock_timestamp() where id = new.run_id; perform pg_sleep(0.2); return null; end $$;"
                  " create trigger stand_still after insert on step for each row when (new.name = 'bash') execute function stand_still()");
    Process process(folder.path());
    ChatRequest asked = request("hearth/dev");
    asked.messages = {user("Do it all.")};
    process.ask(std::move(asked));
    EXPECT_FALSE(process.live(100000));
    database->sql("drop trigger stand_still on step; drop function stand_still()");
    ASSERT_TRUE(process.result && *process.result);
    EXPECT_EQ((*process.result)->final_state, "cancelled");
    EXPECT_EQ(effects["one"] + effects["two"], 0);
    int refused = 0;
    for (const auto& step : in_tx([&](store::Tx& tx) { return store::list_steps(tx, (*process.result)->run); })) refused += step.name == "bash" && step.state == "failed";
    EXPECT_EQ(refused, 1) << "its step is there, and tells that it was not begun";
}

TEST_F(Approval, AStopWaitsForARunThatNobodyHolds) {
    base::RunId id;
    {
        Process first(folder.path());
        first.ask(request("hearth/dev", false));
        while (first.events.empty()) ASSERT_TRUE(first.live(1));
        id = first.events[0].run;
    }
    Process second(folder.path());
    EXPECT_TRUE(support::run_task(second.agents->stop(request("").principal, id)));
    ASSERT_TRUE(second.resume());
    EXPECT_EQ(run(id).status, "cancelled");
}

TEST_F(Approval, AListenerThatMissedAStopFindsIt) {
    Process holder(folder.path());
    holder.ask(request("hearth/dev", false));
    while (holder.events.empty()) ASSERT_TRUE(holder.live(1));
    const auto id = holder.events[0].run;
    EXPECT_TRUE(in_tx([&](store::Tx& tx) { return store::ask_to_stop(tx, id); }));
    holder.agents->heard({store::Signal::Kind::missed, {}});
    EXPECT_FALSE(holder.live(100000));
    EXPECT_EQ((*holder.result)->final_state, "cancelled");
}

}  // namespace
}  // namespace agents::testing
