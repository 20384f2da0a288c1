// POST /v1/runs/{id}/replay.
#include "site_test.h"

namespace server::testing {
namespace {

using ReplayRoute = SiteTest;

TEST_F(ReplayRoute, AsksAgainWithAnotherModel) {
    Site site({says("Good day.")}, {}, {}, {}, {"other"});
    const std::string run = site.ask("POST", "/v0/dev/chat", {{"messages", {user("hi")}}}).json()["run_id"];
    std::string span;
    const Json trace = site.ask("GET", "/v1/runs/" + run).json();
    for (const auto& one : trace["spans"])
        if (one["kind"] == "model") span = one["id"];
    const std::string path = "/v1/runs/" + run + "/replay";
    site.model->push(says("Good day."));
    const Json again = site.ask("POST", path, Json::object({{"span_id", span}})).json();
    EXPECT_EQ(again["object"], "replay");
    EXPECT_EQ(again["same"], true) << again;
    site.other_models.at(0)->push(says("Hello."));
    const Json other = site.ask("POST", path, {{"span_id", span}, {"model", "other"}}).json();
    EXPECT_EQ(other["same"], false);
    EXPECT_EQ(other["now"]["backend"], "other");
    EXPECT_EQ(other["now"]["message"]["content"], "Hello.");

    const Reply unknown = site.ask("POST", path, {{"span_id", span}, {"model", "nobody"}});
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(unknown.param(), "model");
    for (const auto& [body, param] : {std::pair<Json, std::string>{Json::object({{"span_id", "x"}}), "span_id"}, {Json::object(), "span_id"}, {Json::object({{"span_id", 7}}), "span_id"},
                                      {{{"span_id", span}, {"prompt", "dev_system"}}, "prompt"}, {{{"span_id", span}, {"model", true}}, "model"}}) {
        const Reply reply = site.ask("POST", path, body);
        EXPECT_EQ(reply.status, 400) << body;
        EXPECT_EQ(reply.param(), param) << body;
    }
    EXPECT_EQ(site.ask("POST", "/v1/runs/01900000-0000-7000-8000-000000000000/replay", Json::object({{"span_id", span}})).status, 404);
    EXPECT_EQ(site.ask("POST", path, Json::object({{"span_id", run}})).status, 404);
}

}  // namespace
}  // namespace server::testing
