// What the gateway adds to a call of a model: calls begin at a fixed rate, whether earlier ones have ended or not, to a
// backend by itself and through the gateway with a row of the roster, budgets and circuit breakers, in turns.
#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <cstdlib>

#include "net/metrics_registry.h"
#include "router/gateway.h"
#include "router/http_backend.h"
#include "router/scripted_backend.h"
#include "support/stub_server.h"

namespace {

using Time = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr int kRounds = 5;
constexpr int kHistory = 20;  // messages of a request

router::ModelRequest request_to(const std::string& alias) {
    router::ModelRequest request;
    request.alias = alias;
    request.purpose = "bench";
    request.on_behalf.person = base::PersonId::make(base::TimePoint(std::chrono::hours(1)));
    for (int i = 0; i < kHistory; ++i)
        request.messages.push_back(router::Message::make(i % 2 ? router::MessageRole::assistant : router::MessageRole::user, std::string(400, 'x')));
    request.tools = {{"read_file", "Read a text file.", base::OrderedJson{{"type", "object"}, {"properties", {{"path", {{"type", "string"}}}}}}}};
    return request;
}

struct Case {
    std::string name;
    std::function<net::Task<base::Result<router::ModelReply>>(router::DeltaSink)> call;
    std::vector<double> times = {};
};

net::Task<void> once(Case& which, Time::time_point due) {
    std::size_t heard = 0;
    router::DeltaSink sink = [&](const router::ModelDelta& delta) { heard += delta.text.size(); };
    const auto reply = co_await which.call(sink);
    if (!reply) {
        fmt::print(stderr, "{}: {}\n", which.name, reply.error().text());
        std::exit(1);
    }
    which.times.push_back(Milliseconds(Time::now() - due).count());
}

// A call is as late as its answer is after the moment when it was due.
net::Task<void> drive(Case& which, int rate, int calls) {
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor);
    const auto began = Time::now();
    for (int i = 0; i < calls; ++i) {
        const auto due = began + std::chrono::microseconds(1'000'000ll * i / rate);
        timer.expires_at(due);
        co_await timer.async_wait(boost::asio::use_awaitable);
        net::spawn(executor, once(which, due), [](std::exception_ptr e) { std::rethrow_exception(e); });
    }
}

double at(std::vector<double> times, double share) {
    std::sort(times.begin(), times.end());
    return times[std::size_t(share * double(times.size() - 1))];
}

router::ScriptedReply answer(const router::ModelRequest&) {
    router::ScriptedReply reply;
    reply.text = "ten words of an answer that nobody will ever read";
    return reply;
}

support::StubReply streamed(const support::StubRequest&) {
    support::StubReply reply;
    std::string body;
    for (int i = 0; i < 10; ++i) body += "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"},\"finish_reason\":null}]}\n\n";
    reply.chunks = {body + "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"};
    return reply;
}

}  // namespace

int main(int argc, char** argv) {
    const int rate = argc > 1 ? std::atoi(argv[1]) : 500, seconds = argc > 2 ? std::atoi(argv[2]) : 5;
    support::StubServer server(streamed);
    net::HttpClient client;
    base::NullLog log;
    base::SystemClock clock;
    net::MetricsRegistry metrics;
    const auto scripted = [] { return std::make_unique<router::ScriptedBackend>("scripted", std::vector<router::ScriptedReply>{}, answer); };
    const auto http = [&] { return std::make_unique<router::HttpBackend>(router::HttpBackendOptions{"http", server.url("/v1"), "m", {}}, client); };
    const auto alone = scripted();
    const auto upstream = http();
    std::vector<std::unique_ptr<router::Backend>> backends;
    backends.push_back(scripted());
    backends.push_back(http());
    router::Gateway gateway(std::move(backends), {}, clock, log, metrics);
    router::Gateway::Roster roster;
    for (const char* name : {"scripted", "http"}) {
        router::Alias row{name, {name, "scripted"}};
        row.prompt = "You are a bench.";
        row.sampling.temperature = 0.5;
        row.budget.day.tokens = 1'000'000'000'000;
        roster.aliases.push_back(row);
    }
    roster.person.day.cost = 1e9;
    gateway.change(std::move(roster));
    Case cases[] = {{"in process, alone", [&](auto sink) { return alone->generate(request_to("scripted"), sink); }},
                    {"in process, gateway", [&](auto sink) { return gateway.generate(request_to("scripted"), sink); }},
                    {"over HTTP, alone", [&](auto sink) { return upstream->generate(request_to("http"), sink); }},
                    {"over HTTP, gateway", [&](auto sink) { return gateway.generate(request_to("http"), sink); }}};
    for (int round = 0; round < kRounds; ++round)
        for (Case& which : cases) {
            boost::asio::io_context io;
            net::spawn(io.get_executor(), drive(which, rate, rate * seconds), [](std::exception_ptr e) { std::rethrow_exception(e); });
            io.run();
        }
    double load[3] = {};
    getloadavg(load, 3);
    fmt::print("{} calls/s, {} rounds of {} s, {} messages a request, load {:.1f} on {} cores\n{:22} {:>8} {:>8} {:>8}  ms\n", rate, kRounds, seconds, kHistory, load[0], get_nprocs(), "", "p50", "p95", "p99");
    for (const Case& which : cases) fmt::print("{:22} {:8.3f} {:8.3f} {:8.3f}\n", which.name, at(which.times, 0.5), at(which.times, 0.95), at(which.times, 0.99));
    for (int i : {0, 2})
        fmt::print("the gateway adds {:.3f} ms at p50, {:.3f} ms at p95 ({})\n", at(cases[i + 1].times, 0.5) - at(cases[i].times, 0.5), at(cases[i + 1].times, 0.95) - at(cases[i].times, 0.95), cases[i].name);
}
