// Health, metrics, logs, the description, and what every route has in common.
#include <set>

#include "base/json_schema.h"
#include "site_test.h"

namespace server::testing {
namespace {

using SystemTest = SiteTest;

TEST_F(SystemTest, HealthIsTruthfulWhileLoading) {
    Site site;
    router::BackendStatus status;
    status.state = router::BackendStatus::State::loading;
    status.stage = "weights";
    status.fraction = 0.42;
    site.model->set_status(status);
    const Reply loading = site.ask_as("", "GET", "/health");
    EXPECT_EQ(loading.status, 503);
    EXPECT_TRUE(loading.headers.contains("retry-after"));
    EXPECT_EQ(loading.json(), Json({{"status", "loading"}, {"stage", "weights"}, {"percent", 42}}));
    EXPECT_EQ(site.ask_as("", "HEAD", "/health", {}, "Connection: close\r\n").status, 503);

    status.state = router::BackendStatus::State::down;
    status.detail = "/models/x.gguf is damaged";
    site.model->set_status(status);
    EXPECT_EQ(site.ask_as("", "GET", "/health").status, 503);
    EXPECT_EQ(site.ask_as("", "GET", "/health").json(), Json({{"status", "down"}})) << "a stranger learns no more";
    EXPECT_NE(site.ask("GET", "/health").body.find("is damaged"), std::string::npos);

    status.state = router::BackendStatus::State::ready;
    site.model->set_status(status);
    EXPECT_EQ(site.ask_as("", "GET", "/health").json(), Json({{"status", "ok"}}));
    const Json known = site.ask("GET", "/health").json();
    EXPECT_EQ(known["status"], "ok");
    EXPECT_EQ(known["probes"][0]["name"], "sandbox");
    EXPECT_TRUE(known["backends"].contains("scripted"));
}

TEST_F(SystemTest, HealthTellsOfABackendThatFails) {
    router::ScriptedReply refused;
    refused.error = base::error(base::Code::unavailable, "cannot connect to 10.0.0.7");
    Site site({refused, says("hi again")});
    const auto ask = [&] { return site.ask("POST", "/v1/chat/completions", chat("default", {user("hi")})).status; };
    ASSERT_EQ(ask(), 503);
    const Reply stranger = site.ask_as("", "GET", "/health");
    EXPECT_EQ(stranger.status, 200) << "only a request can find that it answers again";
    EXPECT_EQ(stranger.json(), Json({{"status", "degraded"}}));
    Json known = site.ask("GET", "/health").json();
    EXPECT_EQ(known["status"], "degraded");
    EXPECT_LT(known["failing"][0]["seconds_ago"].get<int>(), 60);
    known["failing"][0].erase("seconds_ago");
    EXPECT_EQ(known["failing"], Json::array({{{"alias", "default"}, {"backend", "scripted"}, {"error", "cannot connect to 10.0.0.7"}}}));
    EXPECT_EQ(site.model->requests().size(), 1u) << "health asks nothing of the model";

    router::BackendStatus loading;
    loading.state = router::BackendStatus::State::loading;
    site.model->set_status(loading);
    EXPECT_EQ(site.ask_as("", "GET", "/health").json()["status"], "loading");
    loading.state = router::BackendStatus::State::ready;
    site.model->set_status(loading);
    ASSERT_EQ(ask(), 200);
    EXPECT_EQ(site.ask_as("", "GET", "/health").json(), Json({{"status", "ok"}}));
    EXPECT_FALSE(site.ask("GET", "/health").json().contains("failing"));
}

TEST_F(SystemTest, HealthTellsWhichOfTwoAliasesIsDown) {
    Site site({says("hi")}, {}, {}, {}, {"vectors"});
    using State = router::BackendStatus::State;
    const auto set = [](router::ScriptedBackend* backend, State state) {
        router::BackendStatus status;
        status.state = state;
        if (state == State::down) status.detail = "the file of " + backend->id() + " is damaged";
        backend->set_status(status);
    };
    const auto found = [&](State chat, State vectors) {
        set(site.model, chat);
        set(site.other_models.at(0), vectors);
        const Reply stranger = site.ask_as("", "GET", "/health");
        const Json known = site.ask("GET", "/health").json();
        EXPECT_EQ(stranger.json()["status"], known["status"]);
        EXPECT_FALSE(stranger.json().contains("failing"));
        std::string out = std::to_string(stranger.status) + " " + known["status"].get<std::string>();
        for (const Json& failing : known.value("failing", Json::array())) {
            out += " " + failing["alias"].get<std::string>();
            EXPECT_EQ(failing["error"], "the file of " + failing["backend"].get<std::string>() + " is damaged");
        }
        return out;
    };
    EXPECT_EQ(found(State::ready, State::ready), "200 ok");
    EXPECT_EQ(found(State::down, State::down), "503 down default vectors");
    EXPECT_EQ(found(State::loading, State::down), "503 loading vectors");
    EXPECT_EQ(found(State::down, State::loading), "503 loading default");
    EXPECT_EQ(found(State::ready, State::loading), "503 loading");
    EXPECT_EQ(found(State::ready, State::down), "200 degraded vectors");
    EXPECT_EQ(site.ask("POST", "/v1/chat/completions", chat("default", {user("hi")})).status, 200);
    EXPECT_EQ(site.ask("POST", "/v1/embeddings", {{"model", "vectors"}, {"input", "a"}}).status, 503);
    EXPECT_EQ(found(State::down, State::ready), "200 degraded default");
    EXPECT_EQ(site.ask("POST", "/v1/chat/completions", chat("default", {user("hi")})).status, 503);
    EXPECT_EQ(site.ask("POST", "/v1/embeddings", {{"model", "vectors"}, {"input", "a"}}).status, 200);
}

TEST_F(SystemTest, HealthSaysThatNothingNewIsTakenIn) {
    Site site;
    std::atomic<bool> full = true;
    site.services->may_accept = [&full]() -> base::Result<void> {
        if (full) return base::error(base::Code::resource_exhausted, "3 MiB left", "free some space");
        return {};
    };
    const Reply stranger = site.ask_as("", "GET", "/health");
    EXPECT_EQ(stranger.status, 503);
    EXPECT_EQ(stranger.json(), Json({{"status", "disk_full"}}));
    EXPECT_EQ(site.ask("GET", "/health").json()["reason"], "3 MiB left (free some space)");
    full = false;
    EXPECT_EQ(site.ask_as("", "GET", "/health").json(), Json({{"status", "ok"}}));
}

TEST_F(SystemTest, MetricsAreInPrometheusForm) {
    Site site({says("hi")});
    site.ask("POST", "/v1/chat/completions", chat("default", {user("hi")}));
    const Reply reply = site.ask("GET", "/metrics");
    EXPECT_EQ(reply.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(reply.body.find("# TYPE hearth_model_calls_total counter\n"), std::string::npos) << reply.body;
    EXPECT_NE(reply.body.find("hearth_model_calls_total{backend=\"scripted\",purpose=\"api\"} 1\n"), std::string::npos) << reply.body;
    EXPECT_NE(reply.body.find("hearth_http_request_seconds_bucket{"), std::string::npos);
}

TEST_F(SystemTest, LogsAreFilteredAndBounded) {
    Site site;
    for (int i = 0; i < 3; ++i) site.log.error("it broke", {{"i", i}});
    const Json two = site.ask("GET", "/logs?limit=2&level=error").json()["entries"];
    ASSERT_EQ(two.size(), 2u);
    EXPECT_EQ(two[1]["event"], "it broke");
    EXPECT_EQ(two[1]["fields"]["i"], 2);
    for (const char* query : {"limit=0", "limit=2001", "limit=-1", "limit=x", "level=loud"}) {
        const Reply reply = site.ask("GET", std::string("/logs?") + query);
        EXPECT_EQ(reply.status, 400) << query;
        EXPECT_EQ(reply.param(), std::string(query).substr(0, 5)) << query;
    }
}

// Every "$ref" of a JSON value.
void references(const Json& json, std::vector<std::string>& out) {
    for (const auto& [key, value] : json.items()) {
        if (json.is_object() && key == "$ref") out.push_back(value);
        else if (value.is_structured()) references(value, out);
    }
}

TEST_F(SystemTest, TheDescriptionHasEveryRouteAndLeadsNowhereElse) {
    Site site;
    const Json document = site.ask("GET", "/openapi.json").json();
    EXPECT_EQ(document["openapi"], "3.1.0");
    std::size_t operations = 0;
    std::set<std::string> ids;
    for (const auto& [path, methods] : document["paths"].items())
        for (const auto& [method, operation] : methods.items()) {
            ++operations;
            EXPECT_TRUE(ids.insert(operation["operationId"].get<std::string>()).second) << operation["operationId"];
            EXPECT_TRUE(operation["responses"].contains("default")) << path << method;
        }
    EXPECT_EQ(operations, routes().size());
    std::vector<std::string> all;
    references(document, all);
    for (const auto& ref : all) EXPECT_TRUE(document.contains(Json::json_pointer(ref.substr(1)))) << ref;
}

base::Schema schema_of(const Json& document, const std::string& name) {
    Json whole = document;
    whole["$ref"] = "#/components/schemas/" + name;
    return base::Schema::parse(whole).value();
}

TEST_F(SystemTest, AnswersAreAsTheDescriptionSays) {
    Site site({says("one"), says("two"), calls({{"c1", "weather", "{}"}})});
    const Json document = site.ask("GET", "/openapi.json").json();
    const auto holds = [&](const std::string& name, const Json& answer) {
        const auto valid = schema_of(document, name).validate(answer);
        EXPECT_TRUE(valid) << name << ": " << (valid ? "" : valid.error().message) << "\n" << answer;
    };
    const Json dev = site.ask("POST", "/v0/dev/chat", {{"messages", {user("hi")}}}).json();
    const std::string run = dev["run_id"];
    holds("DevChat", dev);
    holds("ChatCompletion", site.ask("POST", "/v1/chat/completions", chat("default", {user("hi")})).json());
    Json tools = chat("default", {user("hi")});
    tools["tools"] = {function("weather")};
    holds("ChatCompletionRequest", tools);
    holds("ChatCompletion", site.ask("POST", "/v1/chat/completions", tools).json());
    holds("Run", site.ask("GET", "/v1/runs").json()["data"][0]);
    holds("RunList", site.ask("GET", "/v1/runs").json());
    holds("RunTrace", site.ask("GET", "/v1/runs/" + run).json());
    holds("StoppingRun", site.ask("POST", "/v1/runs/" + run + "/stop").json());
    holds("Health", site.ask("GET", "/health").json());
    holds("LogEntries", site.ask("GET", "/logs").json());
    holds("ModelList", site.ask("GET", "/v1/models").json());
    holds("Model", site.ask("GET", "/v1/models/hearth").json());
    const Json made = site.ask("POST", "/v1/keys", {{"label", "x"}}).json();
    holds("NewKey", made);
    holds("KeyList", site.ask("GET", "/v1/keys").json());
    holds("RevokedKey", site.ask("DELETE", "/v1/keys/" + made["id"].get<std::string>()).json());
    holds("Error", site.ask("GET", "/nothing").json());
}

TEST_F(SystemTest, WrongMethodsAreToldTheRightOnes) {
    Site site;
    const std::tuple<const char*, const char*, const char*> cases[] = {{"PUT", "/v1/chat/completions", "POST"}, {"GET", "/v1/chat/completions", "POST"},
                                                                       {"HEAD", "/v0/dev/chat", "POST"}, {"PATCH", "/v1/keys", "GET, HEAD, POST"},
                                                                       {"POST", "/v1/models", "GET, HEAD"}, {"TRACE", "/health", "GET, HEAD"}, {"BREW", "/health", "GET, HEAD"}};
    for (const auto& [method, path, allowed] : cases) {
        const Reply reply = site.ask_as(site.key, method, path, {}, "Connection: close\r\n");
        EXPECT_EQ(reply.status, 405) << method << path;
        EXPECT_EQ(reply.headers.at("allow"), allowed) << method << path;
    }
    const Reply options = site.ask_as("", "OPTIONS", "/v1/keys");
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.headers.at("allow"), "GET, HEAD, POST, OPTIONS");
    EXPECT_FALSE(options.headers.contains("content-length"));
    EXPECT_EQ(site.ask_as("", "OPTIONS", "*").status, 204);
    EXPECT_EQ(site.ask_as("", "OPTIONS", "/nothing").status, 404);
}

TEST_F(SystemTest, OnlyPathsOfTheTableAreThere) {
    Site site;
    for (const char* path : {"//", "//health", "/health/", "/Health", "/v1/runs/", "/v1/runs/a/b", "/v1/runs//stop", "/v1", "/../health", "/v1/models/", "/health%2f", "/v1%2fmodels"})
        EXPECT_EQ(site.ask("GET", path).status, 404) << path;
    EXPECT_EQ(site.ask("GET", "/heal%74h").status, 200);
    EXPECT_EQ(site.ask("GET", "/health?x=1").status, 200);
}

}  // namespace
}  // namespace server::testing
