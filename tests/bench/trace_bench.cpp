// Traces at size: so many spans of runs of two people are generated and written as the server writes them; then the list of runs,
// traces and verification are timed, while further spans are being written.
#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "site.h"
#include "store/trace_keeping.h"
#include "store/traces.h"

namespace {

using server::testing::Site;
using Time = std::chrono::steady_clock;

constexpr int kSpansOfRun = 20, kRunsOfTransaction = 50;
constexpr auto kOldest = std::chrono::hours(24 * 90);  // when the first of the generated runs began, before now

double milliseconds_since(Time::time_point start) { return std::chrono::duration<double, std::milli>(Time::now() - start).count(); }

double at(std::vector<double> times, double share) {
    std::sort(times.begin(), times.end());
    return times[std::size_t(share * double(times.size() - 1))];
}

struct Generator {
    std::mt19937 random{1};
    std::vector<base::RunId> runs{};

    std::string words(int most) {
        std::string out;
        for (int i = 0, n = 1 + int(random() % unsigned(most)); i < n; ++i) out += (i ? " word" : "word") + std::to_string(random() % 1000);
        return out;
    }

    base::Span span(base::RunId run, base::SpanId id, base::SpanId parent, const char* kind, const char* name, base::TimePoint at) {
        base::Span out;
        out.id = id;
        out.parent = parent;
        out.run = run;
        out.kind = kind;
        out.name = name;
        out.started = at;
        out.duration = std::chrono::microseconds(random() % 1'000'000);
        out.attributes = {{"alias", "default"}, {"backend", "embedded"}, {"usage", {{"prompt_tokens", random() % 4000}, {"output_tokens", random() % 300}}}};
        out.body = {{"sent", {{"messages", {{{"role", "user"}, {"content", words(120)}}}}}}, {"reply", {{"content", words(60)}}}};
        return out;
    }

    // A run with its message, and its spans in the order in which they end: the root last.
    void write_run(store::Tx& tx, base::TimePoint at) {
        const auto run = base::RunId::make(at);
        const auto conversation = base::ConversationId::make(at);
        const auto message = base::MessageId::make(at);
        tx.send("insert into conversation (id, channel) values ($1, 'bench')", {conversation});
        tx.send("insert into message (id, conversation_id, position, role, body) values ($1, $2, 0, 'user', $3)", {message, conversation, base::Json{{"role", "user"}, {"content", words(30)}}});
        tx.send("insert into run (id, conversation_id, input_id, alias, epoch, state, turn, usage, finished_at) values ($1, $2, $3, 'hearth', 1, 'answered', $4, $5, now())",
                {run, conversation, message, base::Json{{"request", words(30)}, {"answer", words(120)}, {"work", words(400)}}, base::Json{{"prompt_tokens", random() % 9000}, {"output_tokens", random() % 900}}});
        const auto root = base::SpanId::make(at);
        for (int i = 1; i < kSpansOfRun; ++i) store::write_span(tx, span(run, base::SpanId::make(at + std::chrono::milliseconds(i)), root, i % 3 ? "model" : "tool", i % 3 ? "copilot" : "read_file", at));
        store::write_span(tx, span(run, root, {}, "run", "hearth", at));
        runs.push_back(run);
    }
};

void generate(Site& site, Generator& generator, int spans) {
    const auto start = Time::now();
    const int runs = spans / kSpansOfRun;
    const auto step = std::chrono::duration_cast<std::chrono::microseconds>(kOldest) / std::max(1, runs);
    const auto first = site.clock.now() - kOldest;
    for (int done = 0; done < runs; done += kRunsOfTransaction) {
        auto some = [&](store::Tx& tx) {
            for (int i = done; i < std::min(runs, done + kRunsOfTransaction); ++i) generator.write_run(tx, first + step * i);
        };
        const bool others = done / kRunsOfTransaction % 10 == 9;
        site.database->db().run_blocking(others ? site.database->member() : site.database->owner(), some);
        if (others) generator.runs.resize(generator.runs.size() - std::size_t(std::min(kRunsOfTransaction, runs - done)));
    }
    site.database->sql("analyze");
    fmt::print("{} spans of {} runs written in {:.0f} s ({:.0f} spans/s)\n", runs * kSpansOfRun, runs, milliseconds_since(start) / 1000, runs * kSpansOfRun / (milliseconds_since(start) / 1000));
}

void measure(Site& site, const std::string& name, int requests, const std::function<std::string()>& path) {
    support::Client client = support::Client::tcp(site.http->port());
    std::vector<double> times;
    std::size_t bytes = 0;
    for (int i = 0; i < requests; ++i) {
        const std::string text = support::request_text("GET", path(), "", site.key);
        const auto start = Time::now();
        client.send(text);
        const support::Reply reply = client.read();
        times.push_back(milliseconds_since(start));
        bytes += reply.body.size();
        if (reply.status != 200) {
            fmt::print(stderr, "{}: {} {}\n", name, reply.status, reply.body);
            std::exit(1);
        }
    }
    fmt::print("{:36} {:8.2f} {:8.2f} {:8.2f} {:10.0f}\n", name, at(times, 0.5), at(times, 0.95), at(times, 0.99), double(bytes) / requests);
}

void verify(Site& site) {
    const auto start = Time::now();
    std::optional<base::RunId> before;
    std::int64_t spans = 0, faults = 0;
    const auto some = [&](store::Tx& tx) {
        const auto verdicts = store::verify_runs(tx, before, 100);
        for (const auto& verdict : verdicts) spans += verdict.spans, faults += verdict.fault.has_value();
        if (!verdicts.empty()) before = verdicts.back().run;
        return verdicts.size();
    };
    while (site.database->db().run_blocking(site.database->owner(), some, store::Db::Access::read) == 100) {}
    const double seconds = milliseconds_since(start) / 1000;
    fmt::print("verified {} spans of one person in {:.1f} s ({:.0f} spans/s), {} faults\n", spans, seconds, double(spans) / seconds, faults);
}

}  // namespace

int main(int argc, char** argv) {
    const int spans = argc > 1 ? std::atoi(argv[1]) : 1'000'000, requests = argc > 2 ? std::atoi(argv[2]) : 500;
    if (!support::TestDatabase::get()) {
        fmt::print("skipped: {}\n", support::TestDatabase::why_not());
        return 0;
    }
    Site site;
    Generator generator;
    generate(site, generator, spans);
    const std::vector<base::RunId> runs = generator.runs;
    std::atomic<bool> ending{false};
    std::thread writer([&] {
        while (!ending) {
            auto one = [&](store::Tx& tx) { generator.write_run(tx, site.clock.now()); };
            site.database->db().run_blocking(site.database->owner(), one);
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    });
    std::mt19937 random{2};
    const auto any = [&] { return runs[random() % runs.size()].text(); };
    double load[1] = {};
    getloadavg(load, 1);
    fmt::print("{:36} {:>8} {:>8} {:>8} {:>10}  (ms, {} requests each, 10 runs/s being written, load {:.1f})\n", "", "p50", "p95", "p99", "bytes", requests, load[0]);
    measure(site, "GET /v1/runs", requests, [] { return "/v1/runs"; });
    measure(site, "GET /v1/runs?before=…", requests, [&] { return "/v1/runs?before=" + any(); });
    measure(site, "GET /v1/runs?limit=500&before=…", requests / 5, [&] { return "/v1/runs?limit=500&before=" + any(); });
    measure(site, "GET /v1/runs/{id}", requests, [&] { return "/v1/runs/" + any(); });
    ending = true;
    writer.join();
    verify(site);
}
