// Calls of models are counted, also those that belong to no run, and nothing of what was said is kept.
#include <gmock/gmock.h>

#include "routes_harness.h"

namespace server::testing {
namespace {

using base::Json;

class Usage : public Routes {
protected:
    std::vector<Json> calls(const std::string& purpose) {
        std::vector<Json> out;
        const Json usage = json(call_usage());
        for (const Json& call : usage["calls"])
            if (call["purpose"] == purpose) out.push_back(call);
        return out;
    }
    Response call_usage(const std::string& query = "calls=500") { return call("GET", "/v1/usage", nullptr, query); }
    int sum(const char* what) {
        int out = 0;
        const Json usage = json(call_usage());
        for (const Json& day : usage["days"])
            if (day["purpose"] == "api") out += day[what].get<int>();
        return out;
    }
};

TEST_F(Usage, ABareCallIsRecordedWithoutWhatWasSaid) {
    const std::size_t before = calls("api").size();
    const int tokens = sum("prompt_tokens");
    says("a secret answer");
    ASSERT_EQ(call("POST", "/v1/chat/completions", bare()).status, 200);
    says("another secret answer");
    ASSERT_EQ(call("POST", "/v1/chat/completions", bare(true)).status, 200);
    const auto recorded = calls("api");
    ASSERT_EQ(recorded.size(), before + 2);
    const Json& newest = recorded[0];
    EXPECT_EQ(newest["model"], "default");
    EXPECT_EQ(newest["backend"], "scripted");
    EXPECT_EQ(newest["finish_reason"], "stop");
    EXPECT_EQ(newest["error"], "");
    EXPECT_TRUE(newest["run_id"].is_null());
    EXPECT_GT(newest["output_tokens"].get<int>(), 0);
    EXPECT_GE(newest["duration_us"].get<int>(), 0);
    EXPECT_EQ(sum("prompt_tokens"), tokens + recorded[0]["prompt_tokens"].get<int>() + recorded[1]["prompt_tokens"].get<int>());
    EXPECT_EQ(database->sql("select count(*) from model_usage m where m::text like '%secret%'"), "0");
    EXPECT_EQ(database->sql("select count(*) from message m where m::text like '%secret%'"), "0");
}

TEST_F(Usage, AFailedCallSaysWhy) {
    const std::size_t before = calls("api").size();
    EXPECT_EQ(call("POST", "/v1/chat/completions", bare()).status, 503);  // the script is empty
    const auto recorded = calls("api");
    ASSERT_EQ(recorded.size(), before + 1);
    EXPECT_THAT(recorded[0]["error"].get<std::string>(), ::testing::HasSubstr("scripted"));
    EXPECT_EQ(recorded[0]["backend"], "");
    EXPECT_GT(sum("failures"), 0);
}

TEST_F(Usage, ACallOfARunNamesItAndItsSpan) {
    says("done");
    const Response answered = call("POST", "/v0/dev/chat", {{"messages", Json::array({{{"role", "user"}, {"content", "Hi"}}})}});
    ASSERT_EQ(answered.status, 200) << answered.body;
    const std::string run = json(answered)["run_id"];
    const auto recorded = calls("dev");
    ASSERT_FALSE(recorded.empty());
    EXPECT_EQ(recorded[0]["run_id"], run);
    bool found = false;
    const Json trace = json(call("GET", "/v1/runs/" + run));
    for (const Json& span : trace["spans"]) found |= span["id"] == recorded[0]["id"] && span["kind"] == "model";
    EXPECT_TRUE(found);
}

TEST_F(Usage, AnothersCallsAreNotShown) {
    says("mine");
    const auto list = [](store::Tx& tx) { return store::list_calls(tx, {}, 500).size(); };
    const auto count = [&](const store::Identity& who) { return database->db().run_blocking(who, list); };
    traces->flush();
    const auto of_member = count(database->member());
    ASSERT_EQ(call("POST", "/v1/chat/completions", bare()).status, 200);
    traces->flush();
    EXPECT_EQ(count(database->member()), of_member);
    EXPECT_GT(count(database->owner()), 0u);
}

TEST_F(Usage, IsSummedByWhatIsAskedFor) {
    says("done");
    const Response answered = call("POST", "/v0/dev/chat", {{"messages", Json::array({{{"role", "user"}, {"content", "Hi"}}})}});
    ASSERT_EQ(answered.status, 200) << answered.body;
    const std::string conversation = json(answered)["conversation_id"];
    const auto shares = [&](const std::string& by) {
        std::map<std::string, int> out;
        const Json usage = json(call_usage("calls=0&by=" + by));
        for (const Json& share : usage["shares"]) out[share["key"]] = share["calls"].get<int>();
        return out;
    };
    EXPECT_GT(shares("agent").at("hearth/dev"), 0);
    EXPECT_GT(shares("conversation").at(conversation), 0);
    EXPECT_GT(shares("model").at("default"), 0);
    EXPECT_GT(shares("backend").at("scripted"), 0);
    EXPECT_GT(shares("person").at(database->owner().person.text()), 0) << "an operator sees everybody's sums";
    EXPECT_EQ(call_usage("by=weekday").status, 400);
    EXPECT_FALSE(json(call_usage("calls=0")).contains("shares"));
}

TEST_F(Usage, ABudgetThatIsUsedUpIsNamedWithItsEnd) {
    router::Gateway::Roster roster;
    roster.aliases = {{"default", {"scripted"}}};
    roster.aliases[0].budget.day.tokens = 200;
    roster.person.day.tokens = 1'000'000;
    gateway->change(std::move(roster));
    Response last;
    for (int i = 0; i < 20 && last.status != 429; ++i) {
        says("a few words of answer");
        last = call("POST", "/v1/chat/completions", bare());
    }
    ASSERT_EQ(last.status, 429) << last.body;
    EXPECT_THAT(json(last)["error"]["message"].get<std::string>(), ::testing::HasSubstr("the budget of the model 'default' is used up"));
    EXPECT_THAT(json(last)["error"]["message"].get<std::string>(), ::testing::HasSubstr("it begins anew at"));
    const Json budgets = json(call_usage("calls=0"))["budgets"];
    ASSERT_EQ(budgets.size(), 2u);
    EXPECT_EQ(budgets[0]["of"], "model default");
    EXPECT_GT(budgets[0]["spent_today"]["tokens"], 0);
    EXPECT_LE(budgets[0]["spent_today"]["tokens"], 200);
    EXPECT_EQ(budgets[1]["of"], "person");
    EXPECT_EQ(calls("api")[0]["error"].get<std::string>().find("the budget of"), 0u) << "the refusal is on record";
}

TEST_F(Usage, DaysAreOnesOwnOrTheHouses) {
    says("an answer");
    ASSERT_EQ(call("POST", "/v1/chat/completions", bare()).status, 200);
    const auto days = [&](const std::string& query) { return json(call("GET", "/v1/usage/days", nullptr, query))["data"]; };
    const Json own = days("days=1");
    ASSERT_EQ(own.size(), 1u);
    EXPECT_GT(own[0]["calls"].get<int>(), own[0]["failures"].get<int>());
    EXPECT_GE(own[0]["p95_ms"].get<double>(), own[0]["p50_ms"].get<double>());
    EXPECT_GE(days("of=house")[0]["calls"].get<int>(), own[0]["calls"].get<int>());
    EXPECT_EQ(call("GET", "/v1/usage/days", nullptr, "of=street").status, 400);
    EXPECT_EQ(call("GET", "/v1/usage/days", nullptr, "days=0").status, 400);
}

TEST_F(Usage, BoundsAreNamed) {
    const Response refused = call_usage("days=0");
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(json(refused)["error"]["param"], "days");
    EXPECT_EQ(call_usage("calls=many").status, 400);
    EXPECT_TRUE(json(call_usage("calls=0"))["calls"].empty());
}

}  // namespace
}  // namespace server::testing
