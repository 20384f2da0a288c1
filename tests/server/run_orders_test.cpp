// POST /v1/runs over HTTP, and what is sent to runs: shapes, statuses, and whose they are.
#include "site_test.h"
#include "store/runs.h"

namespace server::testing {
namespace {

class RunOrders : public SiteTest {
protected:
    void SetUp() override {
        SiteTest::SetUp();
        if (!IsSkipped()) support::TestDatabase::get()->sql("update run set state = 'failed', finished_at = now() where state is null");
    }
    static Json order(const std::string& text) { return {{"agent", "hearth/dev"}, {"input", text}}; }
    // What the keeper does each second.
    static void look(Site& site) {
        boost::asio::post(site.io, [&site] { net::spawn(site.io.get_executor(), site.agents->resume_interrupted(), {}); });
    }
    static std::string id_of(const Reply& reply) {
        EXPECT_EQ(reply.status, 202) << reply.body;
        return reply.json()["id"];
    }
    static Json ended(Site& site, const std::string& id) {
        Json run;
        for (int i = 0; i < 500 && (run.is_null() || run["finished"].is_null()); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            run = site.ask("GET", "/v1/runs/" + id).json();
        }
        EXPECT_FALSE(run["finished"].is_null());
        return run;
    }
};

TEST_F(RunOrders, ARunIsAcceptedBegunAndTold) {
    Site site({calls({{"", "list_dir", R"({"path":"."})"}}), says("Nothing there.")});
    Json body = order("What is here?");
    body.update({{"metadata", {{"a", "b"}}}, {"budget", {{"output_tokens", 50}, {"more", 1}}}, {"unknown", 1}});
    const Reply accepted = site.ask("POST", "/v1/runs", body);
    const std::string id = id_of(accepted);
    EXPECT_EQ(accepted.json()["status"], "queued");
    EXPECT_EQ(accepted.json()["question"], "What is here?");
    EXPECT_EQ(accepted.json()["metadata"], Json({{"a", "b"}}));
    EXPECT_EQ(accepted.headers.at("location"), "/v1/runs/" + id);
    EXPECT_EQ(accepted.headers.at("x-hearth-ignored-fields"), "unknown, budget.more");
    EXPECT_EQ(site.ask("GET", "/v1/runs?limit=1").json()["data"][0]["status"], "queued");
    look(site);
    const Json run = ended(site, id);
    EXPECT_EQ(run["status"], "answered");
    EXPECT_EQ(run["answer"], "Nothing there.");
    const Reply told = site.ask("GET", "/v1/runs/" + id + "/events");
    EXPECT_EQ(told.headers.at("content-type"), "text/event-stream; charset=utf-8");
    std::vector<std::string> names;
    for (const auto& event : events_of(told.body)) names.push_back(event.name);
    EXPECT_EQ(names, (std::vector<std::string>{"run_started", "tool_call", "tool_result", "text", "done"}));
    EXPECT_NE(told.body.find("id: 1.1\nevent: run_started\n"), std::string::npos) << told.body;
    EXPECT_EQ(events_of(told.body).back().json()["final_state"], "answered");
    const Reply rest = site.ask("GET", "/v1/runs/" + id + "/events", {}, "Last-Event-ID: 1.3\r\n");
    EXPECT_EQ(events_of(rest.body).size(), 2u) << rest.body;
}

TEST_F(RunOrders, WhatIsAskedIsKept) {
    Site site({}, {}, {}, [](const router::ModelRequest&) { return says("Well."); });
    Json body = {{"input", Json::array({user("One."), assistant("Yes?"), user("Two.")})}, {"class", "heavy"}};
    const std::string id = id_of(site.ask("POST", "/v1/runs", body));
    look(site);
    const Json run = ended(site, id);
    EXPECT_EQ(run["model"], "hearth");
    EXPECT_EQ(run["turn"]["class"], "heavy");
    EXPECT_EQ(run["messages"].size(), 4u);
    const Json next = {{"input", "Three."}, {"conversation", run["conversation_id"]}};
    const std::string second = id_of(site.ask("POST", "/v1/runs", next));
    look(site);
    EXPECT_EQ(ended(site, second)["messages"].size(), 6u);
}

TEST_F(RunOrders, AKeyStandsForOneRequest) {
    Site site;
    const std::string key = "Idempotency-Key: " + base::RunId::make(base::SystemClock().now()).text() + "\r\n";
    const Reply first = site.ask("POST", "/v1/runs", order("hi"), key);
    EXPECT_FALSE(first.headers.contains("idempotent-replayed"));
    const Reply again = site.ask_as(site.key, "POST", "/v1/runs", R"( {"input":"hi",  "agent":"hearth/dev"})", key);
    EXPECT_EQ(id_of(again), id_of(first));
    EXPECT_EQ(again.headers.at("idempotent-replayed"), "true");
    const Reply other = site.ask("POST", "/v1/runs", order("ho"), key);
    EXPECT_EQ(other.status, 409);
    EXPECT_EQ(other.param(), "Idempotency-Key");
    EXPECT_EQ(site.ask("POST", "/v1/runs", order("hi"), "Idempotency-Key: " + std::string(256, 'k') + "\r\n").status, 400);
}

TEST_F(RunOrders, WhenTooManyWaitTheNextIsToldToComeAgain) {
    Site site;
    const std::string conversation = site.ask("POST", "/v1/runs", order("hi")).json()["conversation_id"];
    site.database->sql("insert into run (id, tenant_id, audience_id, conversation_id, alias) select gen_random_uuid(), c.tenant_id, c.audience_id, c.id, 'hearth'"
                       " from conversation c, generate_series(1, 999) where c.id = '" + conversation + "'");
    const Reply full = site.ask("POST", "/v1/runs", order("hi"));
    EXPECT_EQ(full.status, 503) << full.body;
    EXPECT_FALSE(full.headers.at("retry-after").empty());
    site.database->sql("delete from run where request is null and conversation_id = '" + conversation + "'");
    EXPECT_EQ(site.ask("POST", "/v1/runs", order("hi")).status, 202);
}

TEST_F(RunOrders, AnotherPersonsRunIsNotThere) {
    Site site({says("Well.")});
    const std::string id = id_of(site.ask("POST", "/v1/runs", order("hi")));
    const std::string stranger = site.make_key({"chat", "dev"}, site.database->member());
    EXPECT_EQ(site.ask_as(stranger, "GET", "/v1/runs/" + id + "/events").status, 404);
    EXPECT_EQ(site.ask_as(stranger, "POST", "/v1/runs/" + id + "/steer", R"({"text": "x"})").status, 404);
    EXPECT_EQ(site.ask_as(stranger, "POST", "/v1/runs/" + id + "/approve", R"({"decision": "grant"})").status, 404);
    EXPECT_EQ(site.ask_as(stranger, "POST", "/v1/runs/" + id + "/fork", R"({"step": 0})").status, 404);
    const std::string conversation = site.ask("GET", "/v1/runs/" + id).json()["conversation_id"];
    EXPECT_EQ(site.ask_as(stranger, "POST", "/v1/runs", R"({"input": "x", "conversation": ")" + conversation + "\"}").status, 404);
    const std::string chat = site.make_key({"chat"});
    EXPECT_EQ(site.ask_as(chat, "POST", "/v1/runs", R"({"input": "x", "agent": "hearth/dev"})").status, 403);
    EXPECT_EQ(site.ask_as(chat, "POST", "/v1/runs/" + id + "/steer", R"({"text": "x"})").status, 403) << "nor what another key began";
    EXPECT_EQ(site.ask_as(chat, "POST", "/v1/runs/" + id + "/fork", R"({"step": 0})").status, 403);
}

TEST_F(RunOrders, WordsReachARunThatHasNotBegun) {
    Site site({}, {}, {}, [](const router::ModelRequest& request) { return says("I read: " + request.messages.back().text()); });
    const std::string id = id_of(site.ask("POST", "/v1/runs", order("One.")));
    EXPECT_EQ(site.ask("POST", "/v1/runs/" + id + "/steer", {{"text", "Two."}}).status, 200);
    EXPECT_EQ(site.ask("GET", "/v1/runs/" + id).json()["inputs"][0]["read"], false);
    look(site);
    const Json run = ended(site, id);
    EXPECT_EQ(run["answer"], "I read: One.\n\nTwo.");
    EXPECT_EQ(run["inputs"][0]["read"], true);
    const Reply late = site.ask("POST", "/v1/runs/" + id + "/steer", {{"text", "Three."}});
    EXPECT_EQ(late.status, 409);
    EXPECT_NE(late.message().find("the run is finished"), std::string::npos);
}

}  // namespace
}  // namespace server::testing
