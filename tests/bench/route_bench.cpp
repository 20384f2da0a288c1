// What each route costs by itself: the server in this process with a scripted model and a real
// PostgreSQL, asked over one kept connection. Between requests a transaction that writes one row is
// timed: its median times the number of transactions that the route waits for is subtracted.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "site.h"

namespace {

using server::testing::Site;
using server::testing::user;
using support::Client;
using base::Json;

struct Measured {
    std::string name;
    std::string method, path;
    Json body;
    std::function<std::string(int)> path_of = {};  // of the i-th request, when it varies
};

double milliseconds_of(const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double at(std::vector<double> times, double share) {
    std::sort(times.begin(), times.end());
    return times[std::size_t(share * double(times.size() - 1))];
}

// Transactions that wrote something, so far; those of the trace writer, which nobody waits for, apart.
struct Writes {
    long all = 0, traces = 0;
};
Writes writes_of(Site& site) {
    site.traces.flush();
    Writes out;
    out.all = std::stol(site.database->sql("select pg_snapshot_xmax(pg_current_snapshot())::text"));
    out.traces = std::stol(site.database->sql("select count(distinct x) from (select xmin::text x from span union all select xmin::text from telemetry_event) t"));
    return out;
}

void write_one_row(Site& site) {
    auto write = [](store::Tx& tx) { tx.exec("insert into conversation (id, channel, workspace) values (gen_random_uuid(), 'bench', '')"); };
    site.database->db().run_blocking(site.database->owner(), write);
}

void measure(Site& site, const Measured& route, int runs) {
    Client client = Client::tcp(site.http->port());
    const std::string body = route.body.is_null() ? "" : base::dump(route.body);
    std::vector<double> times, commits;
    const Writes before = writes_of(site);
    for (int i = 0; i < runs; ++i) {
        const std::string path = route.path_of ? route.path_of(i) : route.path;
        const std::string text = support::request_text(route.method, path, body, site.key);
        support::Reply reply;
        times.push_back(milliseconds_of([&] {
            client.send(text);
            reply = client.read();
        }));
        if (reply.status >= 300) {
            fmt::print(stderr, "{}: {} {}\n", route.name, reply.status, reply.body);
            std::exit(1);
        }
    }
    const Writes after = writes_of(site);
    for (int i = 0; i < runs; ++i) commits.push_back(milliseconds_of([&] { write_one_row(site); }));
    const double waited = double(after.all - before.all - (after.traces - before.traces)) / runs;
    const double commit = at(commits, 0.5), p50 = at(times, 0.5), p95 = at(times, 0.95);
    fmt::print("{:34} {:8.3f} {:8.3f} {:8.1f} {:8.3f} {:8.3f}\n", route.name, p50, p95, waited, commit, p50 - waited * commit);
    std::fflush(stdout);
}

std::vector<Measured> routes_of(Site& site, int runs) {
    const Json hello = Json::array({user("hello")}), look = Json::array({user("look")});
    const auto chat = [](const char* model, Json messages, bool stream) { return Json{{"model", model}, {"messages", std::move(messages)}, {"stream", stream}}; };
    const std::string run = site.ask("POST", "/v0/dev/chat", {{"messages", look}}).json()["run_id"];
    std::vector<std::string> keys;
    for (int i = 0; i < runs; ++i) keys.push_back(site.ask("POST", "/v1/keys", {{"label", "bench"}}).json()["id"]);
    return {
        {"GET /health", "GET", "/health", {}},
        {"GET /openapi.json", "GET", "/openapi.json", {}},
        {"GET /metrics", "GET", "/metrics", {}},
        {"GET /logs", "GET", "/logs", {}},
        {"GET /v1/models", "GET", "/v1/models", {}},
        {"GET /v1/models/{id}", "GET", "/v1/models/hearth/dev", {}},
        {"GET /v1/runs", "GET", "/v1/runs", {}},
        {"GET /v1/runs/{id}", "GET", "/v1/runs/" + run, {}},
        {"POST /v1/runs/{id}/stop", "POST", "/v1/runs/" + run + "/stop", {}},
        {"GET /v1/keys", "GET", "/v1/keys", {}},
        {"POST /v1/keys", "POST", "/v1/keys", {{"label", "bench"}}},
        {"DELETE /v1/keys/{id}", "DELETE", "", {}, [keys](int i) { return "/v1/keys/" + keys.at(std::size_t(i)); }},
        {"POST /v1/chat/completions default", "POST", "/v1/chat/completions", chat("default", hello, false)},
        {"  streamed", "POST", "/v1/chat/completions", chat("default", hello, true)},
        {"  hearth/dev", "POST", "/v1/chat/completions", chat("hearth/dev", hello, false)},
        {"  hearth/dev streamed", "POST", "/v1/chat/completions", chat("hearth/dev", hello, true)},
        {"  hearth", "POST", "/v1/chat/completions", chat("hearth", hello, false)},
        {"POST /v0/dev/chat", "POST", "/v0/dev/chat", {{"messages", hello}}},
        {"  streamed", "POST", "/v0/dev/chat", {{"messages", hello}, {"stream", true}}},
        {"  with one list_dir", "POST", "/v0/dev/chat", {{"messages", look}}},
    };
}

}  // namespace

int main(int argc, char** argv) {
    const int runs = argc > 1 ? std::atoi(argv[1]) : 200;
    const std::string only = argc > 2 ? argv[2] : "";
    if (!support::TestDatabase::get()) {
        fmt::print("skipped: {}\n", support::TestDatabase::why_not());
        return 0;
    }
    Site site({}, {}, {}, [](const router::ModelRequest& request) {
        const bool asks = request.messages.back().role == router::MessageRole::user && request.messages.back().text() == "look";
        return asks ? server::testing::calls({{"", "list_dir", R"({"path":"."})"}}) : server::testing::says("Hello, dear friend.");
    });
    const auto routes = routes_of(site, runs);
    fmt::print("{:34} {:>8} {:>8} {:>8} {:>8} {:>8}  (ms, {} requests each)\n", "", "p50", "p95", "commits", "a commit", "own p50", runs);
    for (const auto& route : routes)
        if (only.empty() || route.name.find(only) != std::string::npos) measure(site, route, runs);
}
