// Runs over HTTP: the list, the whole trace, stopping.
#include "site_test.h"

namespace server::testing {
namespace {

using RunsTest = SiteTest;

TEST_F(RunsTest, TheListIsNewestFirstAndPaged) {
    Site site({says("1"), says("2"), says("3")});
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.insert(ids.begin(), site.ask("POST", "/v0/dev/chat", {{"messages", {user("hi")}}}).json()["run_id"].get<std::string>());
    const Json list = site.ask("GET", "/v1/runs?limit=2").json();
    EXPECT_EQ(list["object"], "list");
    ASSERT_EQ(list["data"].size(), 2u);
    EXPECT_EQ(list["data"][0]["id"], ids[0]);
    EXPECT_EQ(list["data"][1]["id"], ids[1]);
    EXPECT_EQ(site.ask("GET", "/v1/runs?limit=1&before=" + ids[1]).json()["data"][0]["id"], ids[2]);
    for (const char* query : {"limit=0", "limit=501", "limit=x", "limit=1.5", "limit=99999999999", "before=x"}) {
        const Reply reply = site.ask("GET", std::string("/v1/runs?") + query);
        EXPECT_EQ(reply.status, 400) << query;
        EXPECT_FALSE(reply.param().empty());
    }
}

TEST_F(RunsTest, ATraceIsWhole) {
    Site site({calls({{"", "list_dir", R"({"path":"."})"}}), says("Nothing there.")});
    const Json answer = site.ask("POST", "/v0/dev/chat", {{"messages", {user("What is here?")}}}).json();
    const Json run = site.ask("GET", "/v1/runs/" + answer["run_id"].get<std::string>()).json();
    EXPECT_EQ(run["status"], "answered");
    EXPECT_EQ(run["chain"], "whole");
    std::vector<std::string> steps, spans;
    for (const auto& step : run["steps"]) steps.push_back(step["kind"].get<std::string>() + " " + step["state"].get<std::string>());
    EXPECT_EQ(steps, (std::vector<std::string>{"model done", "tool done", "model done"}));
    int roots = 0;
    for (const auto& span : run["spans"]) roots += span["parent"].is_null();
    EXPECT_EQ(roots, 1);
    EXPECT_EQ(run["messages"].size(), 2u);
    for (const char* none : {"01900000-0000-7000-8000-000000000000", "x", "%2e%2e"}) {
        EXPECT_EQ(site.ask("GET", std::string("/v1/runs/") + none).status, 404) << none;
        EXPECT_EQ(site.ask("POST", std::string("/v1/runs/") + none + "/stop").status, 404) << none;
    }
}

TEST_F(RunsTest, ARunIsStopped) {
    router::ScriptedReply slow = says("one two three four five six seven eight nine ten");
    slow.delta_delay = std::chrono::milliseconds(500);
    Site site({slow});
    Client client = Client::tcp(site.http->port());
    client.send(support::request_text("POST", "/v0/dev/chat", base::dump(Json{{"messages", {user("hi")}}, {"stream", true}}), site.key));
    client.read_until("\"one");
    const std::string run = site.ask("GET", "/v1/runs?limit=1").json()["data"][0]["id"];
    EXPECT_EQ(site.ask("GET", "/v1/runs/" + run).json()["status"], "running");
    EXPECT_EQ(site.ask("POST", "/v1/runs/" + run + "/stop").json()["stopping"], true);
    const std::string rest = client.read_until("0\r\n\r\n");
    EXPECT_NE(rest.find("\"state\":\"cancelled\""), std::string::npos) << rest;
    const Json again = site.ask("POST", "/v1/runs/" + run + "/stop").json();
    EXPECT_EQ(again["stopping"], false);
    EXPECT_EQ(again["status"], "cancelled");
}

}  // namespace
}  // namespace server::testing
