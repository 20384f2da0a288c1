// What it costs that a step is durable: the time that one takes beyond its own commits, and how many a second there are with many runs
// at once. PostgreSQL keeps fsync and synchronous_commit on; a commit costs what writing and syncing a block of 8 KiB costs, measured
// between the steps, as pg_test_fsync does.
//
// durable_bench [SECONDS_OF_LOAD]
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>

#include "store/connection.h"
#include "store/conversations.h"
#include "store/run_writer.h"
#include "support/database.h"

namespace {

using base::Json;
using Time = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr int kSteps = 400;         // of each kind, one at a time
constexpr int kStepsOfRun = 12;
constexpr int kRunsAtOnce = 64;

struct Kind {
    const char* name;
    const char* kind;
    const char* effect;
    int commits;  // of its own
    std::vector<double> times = {};
};
Kind kinds[] = {{"call of a model", "model", "pure", 1}, {"pure tool", "tool", "pure", 1}, {"idempotent tool", "tool", "idempotent", 1}, {"at_most_once tool", "tool", "at_most_once", 2}};

double at(std::vector<double> times, double share) {
    std::sort(times.begin(), times.end());
    return times.empty() ? 0 : times[std::size_t(share * double(times.size() - 1))];
}

class Disk {
public:
    explicit Disk(const std::filesystem::path& folder) : fd_(open((folder / "fsync_probe").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)), block_(8192, 'x') {
        for (int i = 0; i < 64; ++i) sync(i);  // the file is as long as it gets
        times_.clear();
    }
    ~Disk() { close(fd_); }
    void sync(int i) {
        const auto began = Time::now();
        if (pwrite(fd_, block_.data(), block_.size(), off_t(i % 64) * 8192) != ssize_t(block_.size()) || fdatasync(fd_) != 0) std::perror("fdatasync"), std::exit(1);
        times_.push_back(Milliseconds(Time::now() - began).count());
    }
    const std::vector<double>& times() const { return times_; }

private:
    int fd_;
    std::string block_;
    std::vector<double> times_;
};

// A run whose writer is used as agents use it.
class Run {
public:
    Run(store::Db& db, const store::Identity& who) : id_(base::RunId::make(base::SystemClock().now())), lease_(store::lease_new_run(db, id_)), writer_(db, who, id_, 1) {
        auto begin = [&](store::Tx& tx) {
            const auto conversation = base::ConversationId::make(base::SystemClock().now());
            store::create_conversation(tx, conversation, "api", "");
            const auto input = store::append_message(tx, conversation, {}, {{"role", "user"}, {"content", "hello"}});
            store::create_run(tx, *lease_, conversation, input, "hearth", {});
        };
        db.run_blocking(who, begin);
    }
    net::Task<void> step(const Kind& kind) {
        store::StepIntent intent;
        intent.kind = kind.kind;
        intent.name = kind.name;
        intent.effect = kind.effect;
        intent.effect_key = "step:" + std::to_string(steps_++);
        intent.input = {{"text", std::string(400, 'i')}};
        const auto id = co_await writer_.begin(intent);
        base::Span span;
        span.id = base::SpanId::make(base::SystemClock().now());
        span.run = id_;
        span.kind = kind.kind;
        span.name = kind.name;
        span.body = {{"text", std::string(2000, 's')}};
        writer_.emit(std::move(span));
        if (intent.kind == "model") {
            store::ModelCall call;
            call.id = base::SpanId::make(base::SystemClock().now());
            call.run = id_;
            call.alias = "default";
            call.started = base::SystemClock().now();
            writer_.emit(std::move(call));
        }
        std::string state = "done";
        Json outcome = {{"text", std::string(800, 'o')}};
        co_await writer_.end(intent, id, std::move(state), std::move(outcome));
    }
    net::Task<void> finish() {
        std::string state = "answered", error;
        Json usage = Json::object(), turn = Json::object();
        co_await writer_.finish(std::move(state), std::move(error), std::move(usage), std::move(turn));
    }
    int steps() const { return steps_; }

private:
    base::RunId id_;
    std::unique_ptr<store::RunLease> lease_;
    store::RunWriter writer_;
    int steps_ = 0;
};

void fail(std::exception_ptr e) { std::rethrow_exception(e); }

net::Task<void> one_at_a_time(store::Db& db, store::Identity who, Disk& disk) {
    std::unique_ptr<Run> run;
    for (int i = 0; i < kSteps; ++i)
        for (Kind& kind : kinds) {
            if (!run || run->steps() >= kStepsOfRun) run = std::make_unique<Run>(db, who);
            disk.sync(i);
            const auto began = Time::now();
            co_await run->step(kind);
            kind.times.push_back(Milliseconds(Time::now() - began).count());
        }
}

net::Task<void> many_at_once(store::Db& db, store::Identity who, Time::time_point until, int& steps) {
    while (Time::now() < until) {
        Run run(db, who);
        for (int i = 0; i < kStepsOfRun && Time::now() < until; ++i) {
            co_await run.step(kinds[i % 4]);
            ++steps;
        }
        co_await run.finish();
    }
}

struct Load {
    int steps = 0;
    double seconds = 0;
};
Load many_runs(store::Db& db, const store::Identity& who, std::chrono::seconds time) {
    Load out;
    boost::asio::io_context io;
    const auto began = Time::now(), until = began + time;
    for (int i = 0; i < kRunsAtOnce; ++i) net::spawn(io.get_executor(), many_at_once(db, who, until, out.steps), fail);
    io.run();
    out.seconds = Milliseconds(Time::now() - began).count() / 1000;
    return out;
}

double load_average() {
    double load[1] = {};
    getloadavg(load, 1);
    return load[0];
}

}  // namespace

int main(int argc, char** argv) {
    const int seconds = argc > 1 ? std::atoi(argv[1]) : 5;
    auto* const database = support::TestDatabase::get();
    if (!database) {
        fmt::print(stderr, "{}\n", support::TestDatabase::why_not());
        return 1;
    }
    store::Connection admin(database->admin_url());
    for (const char* name : {"fsync", "synchronous_commit"}) fmt::print("{} {}; ", name, admin.script(std::string("show ") + name).at(0).text(0));
    fmt::print("load {:.1f} on {} cores\n", load_average(), get_nprocs());

    Disk disk(database->cluster().folder);
    {
        boost::asio::io_context io;
        net::spawn(io.get_executor(), one_at_a_time(database->db(), database->owner(), disk), fail);
        io.run();
    }
    const double sync = at(disk.times(), 0.5);
    fmt::print("one at a time; a sync of 8 KiB takes {:.3f} ms (p95 {:.3f})\n{:20} {:>8} {:>8} {:>8} {:>14}\n", sync, at(disk.times(), 0.95), "ms", "commits", "p50", "p95", "p50 beyond");
    for (const Kind& kind : kinds)
        fmt::print("{:20} {:8} {:8.2f} {:8.2f} {:14.2f}\n", kind.name, kind.commits, at(kind.times, 0.5), at(kind.times, 0.95), at(kind.times, 0.5) - kind.commits * sync);

    const auto syncs = [&] {
        sleep(2);  // until the sessions have told their counts
        return std::stod(admin.script("select wal_sync from pg_stat_wal").at(0).text(0));
    };
    fmt::print("{} runs at once, {} s each\n{:>12} {:>10} {:>14}\n", kRunsAtOnce, seconds, "connections", "steps/s", "syncs a step");
    for (const int connections : {4, 16, 24, 32, 4, 16, 24, 32}) {
        auto db = store::Db::open({store::app_url(database->cluster()), connections, database->foundation().node}).value();
        many_runs(*db, database->owner(), std::chrono::seconds(1));  // connects, and plans each statement once a session
        const double before = syncs();
        const Load load = many_runs(*db, database->owner(), std::chrono::seconds(seconds));
        fmt::print("{:12} {:10.0f} {:14.2f}\n", connections, load.steps / load.seconds, (syncs() - before) / std::max(1, load.steps));
    }
}
