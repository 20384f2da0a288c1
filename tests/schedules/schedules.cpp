// Runs that are sent, added to and stopped at random moments, by several clients and through two processes on one database, which are
// killed meanwhile; then each is judged from outside (judge.h). Each run is a schedule.
//
// schedules [--runs SCHEDULES] [--seed SEED]: until there are so many of each property.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <random>
#include <utility>

#include "judge.h"
#include "process.h"
#include "store/connection.h"
#include "store/run_inputs.h"
#include "store/runs.h"
#include "store/stops.h"
#include "support/database.h"
#include "support/trusted_socket.h"

namespace schedules {
namespace {

using Time = std::chrono::steady_clock;

constexpr int kRunsAtOnce = 24, kMostKills = 6;
constexpr int kMomentsOfRun = 160;               // things that a process does for one, about
constexpr int kTellEvery = 1000;

struct Tally {
    int runs = 0, sent_again = 0, added_to = 0, stopped = 0, all_of_it = 0;
    int inputs = 0, inputs_read_by_turn = 0, inputs_refused = 0, keys_refused = 0, stops_refused = 0, taken_over = 0, kills = 0, faults = 0;
    std::map<std::string, int> states;
};

void fail(std::exception_ptr e) { std::rethrow_exception(e); }

class Round {
public:
    Round(const Process::Setting& setting, const store::Identity& who, store::Db& clients, unsigned seed, Tally& tally)
        : setting_(setting), who_(who), clients_(clients), seed_(seed), tally_(tally), chance_(seed), heard_(kRunsAtOnce), sends_(kRunsAtOnce) {
        for (auto& process : processes_) process = std::make_unique<Process>(setting_);
        plan();
    }

    void play() {
        while (!due_.empty() || open_ > 0) {
            for (; !due_.empty() && due_.begin()->first <= now_; due_.erase(due_.begin())) due_.begin()->second();
            const bool any = live();
            now_ += any ? 1 : kRunsAtOnce;
            if (below(any ? 200 : 20) == 0) look();
            if (due_.empty() && Time::now() > until_) return fault("a round does not end");
        }
        const auto ended = [&](store::Tx& tx) { return tx.exec("select 1 from run where state is null limit 1").empty(); };
        while (!clients_.run_blocking(who_, ended, store::Db::Access::read)) {
            look();
            for (int i = 0; i < kMomentsOfRun; ++i) live();
            store::settle_interrupted(clients_);  // as a server does now and then
            if (Time::now() > until_) return fault("a run does not end: " + open_runs());
        }
        for (const Heard& heard : heard_) judge_run(heard);
    }

private:
    int below(int n) { return int(chance_() % unsigned(n)); }
    Process& any_process() { return *processes_[std::size_t(below(2))]; }
    void at(int moment, std::function<void()> what) { due_.emplace(moment, std::move(what)); }
    void fault(const std::string& what) {
        ++tally_.faults;
        std::fprintf(stderr, "FAULT (seed %u): %s\n", seed_, what.c_str());
    }

    std::string open_runs() {
        const auto list = [](store::Tx& tx) { return tx.exec("select id, epoch, attempts, stop_asked_at is not null from run where state is null"); };
        std::string out;
        for (const store::Row& row : clients_.run_blocking(who_, list, store::Db::Access::read))
            out += row.id<base::RunId>(0).text() + " (epoch " + std::to_string(row.integer(1)) + ", taken up in vain " + std::to_string(row.integer(2)) + " times" +
                   (row.boolean(3) ? ", asked to stop) " : ") ");
        return out;
    }

    void plan() {
        const int all = kRunsAtOnce * kMomentsOfRun;
        for (int i = 0; i < kRunsAtOnce; ++i) {
            Heard& heard = heard_[std::size_t(i)];
            heard.key = "key " + base::RunId::make(base::SystemClock().now()).text();
            heard.question = "Do all of it for " + heard.key + ".";
            const int sent = below(all / 4);
            for (int n = 2 + below(2); n > 0; --n) at(sent + (below(2) ? 0 : below(all / 2)), [this, i, other = below(4) == 0] { send(i, other); });
            for (int n = 1 + below(3), k = 0; k < n; ++k) at(sent + below(all / 2), [this, i, text = "Also " + std::to_string(k) + "."] { add(i, text); });
            if (below(4)) at(sent + below(all / 2), [this, i] { stop(i); });
        }
        for (int n = 1 + below(kMostKills); n > 0; --n) at(below(all / 2), [this] { kill(); });
    }

    // Lets something happen somewhere; false: nothing did for a moment.
    bool live() {
        boost::asio::io_context* const all[] = {&processes_[0]->io(), &processes_[1]->io(), &io_};
        const int first = below(3);
        for (const auto patience : {std::chrono::microseconds(0), std::chrono::microseconds(100)})
            for (int i = 0; i < 3; ++i) {
                boost::asio::io_context& io = *all[(first + i) % 3];
                io.restart();
                if (io.run_one_for(patience) > 0) return true;
            }
        return false;
    }
    void look() { any_process().look_for_runs(); }

    void kill() {
        const auto victim = std::size_t(below(2));
        processes_[victim] = nullptr;
        processes_[victim] = std::make_unique<Process>(setting_);
        ++tally_.kills;
        look();
        // Often enough in a row that a run is taken up in vain until it is given up.
        if (below(3) == 0) at(now_ + below(kMomentsOfRun / 4), [this] { kill(); });
        // Whoever waited for an answer sends again.
        for (int i = 0; i < kRunsAtOnce; ++i)
            for (auto& sent : std::exchange(sends_[std::size_t(i)], {})) {
                if (sent->answered || sent->through != victim) {
                    if (!sent->answered) sends_[std::size_t(i)].push_back(std::move(sent));
                    continue;
                }
                --open_;
                at(now_ + below(kMomentsOfRun), [this, i, other = sent->other] { send(i, other); });
            }
    }

    struct Send {
        std::size_t through = 0;
        bool other = false, answered = false;
    };
    void send(int i, bool other) {
        // Of which request the key is, is open as long as none is known to have been taken in.
        if (heard_[std::size_t(i)].run.is_nil()) other = false;
        auto sent = std::make_shared<Send>(Send{std::size_t(below(2)), other, false});
        sends_[std::size_t(i)].push_back(sent);
        ++open_;
        net::spawn(processes_[sent->through]->io().get_executor(), send_now(i, sent), fail);
    }
    net::Task<void> send_now(int i, std::shared_ptr<Send> sent) {
        Heard& heard = heard_[std::size_t(i)];
        agents::Submission submission;
        submission.chat.principal.tenant = who_.tenant;
        submission.chat.principal.person = who_.person;
        submission.chat.principal.role = policy::Role::owner;
        submission.chat.alias = "hearth/dev";
        submission.chat.messages = {{{"role", "user"}, {"content", heard.question}}};
        submission.key = heard.key;
        submission.digest = sent->other ? "other" : "same";
        auto taken = co_await processes_[sent->through]->agents().submit(std::move(submission));
        sent->answered = true;
        --open_;
        if (sent->other) {
            ++tally_.keys_refused;
            if (taken || taken.error().code != base::Code::conflict) heard.faults.push_back("another request with the same key was not refused");
        } else if (!taken) {
            heard.faults.push_back("the request was refused: " + taken.error().text());
        } else {
            if (heard.run.is_nil()) heard.run = taken->run;
            if (heard.run != taken->run) heard.faults.push_back("the same key began another run");
            if (!taken->known && std::exchange(heard.begun, true)) heard.faults.push_back("the same key began a run twice");
        }
        if (below(2)) look();
    }

    // Clients that no process takes with it; what they tell, each process hears or does not.
    void add(int i, const std::string& text) { by_client(i, [this, i, text] { return add_now(heard_[std::size_t(i)], text); }); }
    void stop(int i) { by_client(i, [this, i] { return stop_now(heard_[std::size_t(i)]); }); }
    void by_client(int i, std::function<net::Task<void>()> what) {
        // Of what nobody has heard of, nobody can speak.
        if (heard_[std::size_t(i)].run.is_nil()) return at(now_ + kMomentsOfRun, [this, i, what] { by_client(i, what); });
        ++open_;
        net::spawn(io_.get_executor(), what(), fail);
    }
    net::Task<void> add_now(Heard& heard, std::string text) {
        const auto add = [&](store::Tx& tx) { return store::add_input(tx, heard.run, text, "test"); };
        const auto added = co_await clients_.run(who_, add);
        (added ? heard.added : heard.refused).push_back(text);
        tell({store::Signal::Kind::input, heard.run});
    }
    net::Task<void> stop_now(Heard& heard) {
        const auto stop = [&](store::Tx& tx) -> std::optional<std::int64_t> {
            if (!store::ask_to_stop(tx, heard.run)) return std::nullopt;
            // Behind its lock: all that began before it.
            return tx.exec("select count(*) from step where run_id = $1", {heard.run}).at(0).integer(0);
        };
        heard.steps_at_stop = co_await clients_.run(who_, stop);
        heard.stop_refused = !heard.steps_at_stop;
        tell({store::Signal::Kind::stop, heard.run});
    }
    void tell(const store::Signal& signal) {
        --open_;
        for (auto& process : processes_)
            if (below(2)) process->agents().heard(signal);
    }

    void judge_run(const Heard& heard) {
        const auto look_at = [&](store::Tx& tx) { return judge(tx, heard); };
        const Verdict verdict = clients_.run_blocking(who_, look_at, store::Db::Access::read);
        for (const auto& what : verdict.faults) fault(heard.run.text() + ": " + what);
        ++tally_.runs;
        ++tally_.states[verdict.state];
        const bool added = !heard.added.empty() || !heard.refused.empty(), stopped = heard.steps_at_stop || heard.stop_refused;
        ++tally_.sent_again;
        tally_.added_to += added;
        tally_.stopped += stopped;
        tally_.taken_over += verdict.taken_over;
        tally_.all_of_it += added && stopped && verdict.taken_over;
        tally_.inputs += int(heard.added.size());
        tally_.inputs_read_by_turn += verdict.read_by_turn;
        tally_.inputs_refused += int(heard.refused.size());
        tally_.stops_refused += heard.stop_refused;
        effects().erase(heard.run);
    }

    const Process::Setting& setting_;
    store::Identity who_;
    store::Db& clients_;
    unsigned seed_;
    Tally& tally_;
    std::mt19937 chance_;
    std::vector<Heard> heard_;
    std::vector<std::vector<std::shared_ptr<Send>>> sends_;
    std::multimap<int, std::function<void()>> due_;
    int now_ = 0, open_ = 0;
    Time::time_point until_ = Time::now() + std::chrono::minutes(10);
    std::unique_ptr<Process> processes_[2];
    boost::asio::io_context io_;
};

int play_all(int runs, unsigned seed) {
    auto* const database = support::TestDatabase::get();
    if (!database) {
        std::fprintf(stderr, "skipped: %s\n", support::TestDatabase::why_not().c_str());
        return 4;
    }
    support::trust_the_socket(database->cluster());
    // What is judged is who comes before whom; that it lasts is another matter (tests/kill).
    store::Connection admin(database->admin_url());
    admin.script("alter system set synchronous_commit = off");
    admin.script("select pg_reload_conf()");
    const support::TempDir folder;
    const Process::Setting setting{store::app_url(database->cluster()), database->foundation().node, folder.path()};
    const auto clients = store::Db::open({setting.url, 6, setting.node}).value();
    Tally tally;
    std::printf("seed %u\n", seed);
    const auto began = Time::now();
    const auto seconds = [&] { return std::chrono::duration<double>(Time::now() - began).count(); };
    for (int told = 0; std::min({tally.sent_again, tally.added_to, tally.all_of_it}) < runs && tally.faults < 20; ++seed) {
        Round(setting, database->owner(), *clients, seed, tally).play();
        if (tally.runs / kTellEvery == told) continue;
        told = tally.runs / kTellEvery;
        std::printf("%d runs after %.0f s, %d of them with stop, takeover and inputs\n", tally.runs, seconds(), tally.all_of_it);
        std::fflush(stdout);
    }
    std::printf("%d runs in %.1f s, %.0f a second; %d kills of a process, %d runs taken over;", tally.runs, seconds(), tally.runs / seconds(), tally.kills, tally.taken_over);
    for (const auto& [state, n] : tally.states) std::printf(" %d %s", n, state.c_str());
    std::printf("\n  %8d schedules of a request that is sent again under its key; %d with another request were refused\n", tally.sent_again, tally.keys_refused);
    std::printf("  %8d of inputs: %d taken in, %d of them answered by a turn of their own, %d refused\n", tally.added_to, tally.inputs, tally.inputs_read_by_turn, tally.inputs_refused);
    std::printf("  %8d of a stop, %d of them too late\n", tally.stopped, tally.stops_refused);
    std::printf("  %8d of stop, takeover and inputs in one run\n%d faults\n", tally.all_of_it, tally.faults);
    return tally.faults ? 1 : 0;
}

}  // namespace
}  // namespace schedules

int main(int argc, char** argv) {
    int runs = 200;
    unsigned seed = std::random_device{}() % 1000000;
    CLI::App app("Sends runs, adds to them, stops them and kills who works on them at random moments, and judges what is left of them.");
    app.add_option("--runs", runs, "how many schedules of each property")->check(CLI::Range(1, 100000000));
    app.add_option("--seed", seed, "of what is random");
    CLI11_PARSE(app, argc, argv);
    try {
        return schedules::play_all(runs, seed);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "schedules broke off: %s\n", e.what());
        return 2;
    }
}
