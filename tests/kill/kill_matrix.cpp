// Kills processes in the middle of their runs, at random: at which durable write or effect of a tool, and before, while or after it.
// What they leave, others go on with; then it is judged from outside (verdict.h). A share of the kills is PostgreSQL's own. At last nights are killed, at each of their writes (night.h).
//
// kill_matrix [--runs KILLS] [--seed SEED] [--workers PROCESSES]
#include <CLI/CLI.hpp>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>

#include "life.h"
#include "night.h"
#include "process.h"
#include "store/runs.h"
#include "support/database.h"
#include "support/trusted_socket.h"
#include "verdict.h"

namespace kill_matrix {
namespace {

using Time = std::chrono::steady_clock;

constexpr int kPostmasterEvery = 200;  // kills, where nothing else is asked for
constexpr int kTellEvery = 1000;
constexpr int kLongestDelay = 1500;    // µs between a commit that is sent and the kill
const std::string kLife = "life ";     // of the name of a process's connections
constexpr double kAgain = 0.2;         // of the runs are killed once more while they are gone on with
constexpr std::chrono::minutes kLongestLife{15};  // one without an end is a fault; the machine may be busy

struct Tally {
    struct Cell {
        char label[kLabelSize];
        int kills[3];
    } cells[kMostLabels] = {};
    int labels = 0, kills = 0, kills_of_resumed = 0, missed = 0, not_accepted = 0, answered = 0, unknown = 0, faults = 0;
};

void add(Tally& tally, const char* label, Moment moment, int n = 1) {
    int i = 0;
    while (i < tally.labels && std::strcmp(tally.cells[i].label, label) != 0) ++i;
    if (i == tally.labels) std::strncpy(tally.cells[tally.labels++].label, label, kLabelSize - 1);
    tally.cells[i].kills[int(moment)] += n;
}

class Worker {
public:
    Worker(const Setting& setting, Tally& tally, unsigned seed, const store::ClusterOptions* cluster)
        : setting_(setting), tally_(tally), seed_(seed), cluster_(cluster), chance_(seed), db_(store::Db::open({setting.url, 1, setting.node}).value()) {
        setting_.url += " application_name='" + kLife + setting.node.text() + "'";
    }

    void run(int kills) {
        for (int c = 0; c < kCaseCount; ++c) {
            learn(c);
            if (tally_.faults) return;
        }
        for (int lives = 0; tally_.kills < kills; ++lives) {
            if (lives > 3 * kills + 10) return fault("most plans are missed");
            one_life(true);
        }
        if (!left_.is_nil()) one_life(false);
        if (!left_.is_nil()) fault("the last run does not end");
    }

private:
    int below(int n) { return int(chance_() % unsigned(n)); }
    template <class F>
    auto in_tx(F work) { return db_->run_blocking(setting_.who, work); }

    void fault(const std::string& what) {
        ++tally_.faults;
        std::fprintf(stderr, "FAULT (seed %u, kill %d, at %s %s): %s\n", seed_, tally_.kills, record_->hit_label, kMoments[int(moment_)], what.c_str());
    }

    void learn(int c) {
        const int status = live_once(&kCases[c]);
        const auto made = newest();
        if (status != 0 || made.is_nil() || !record_->ended) return fault("an undisturbed run did not end");
        last_ = made;
        whole_[c] = in_tx([&](store::Tx& tx) { return whole_of(tx, made); });
        if (whole_[c].transcript["state"] != "answered") fault("an undisturbed run: " + whole_[c].transcript.dump());
        for (int i = 0; i < record_->labels; ++i) seen_[c].push_back(record_->seen[i]);
    }

    int live_once(const Case* fresh, const Plan& resuming = {}, const Plan& beginning = {}) {
        *record_ = Record{};
        record_->resuming = resuming;
        record_->beginning = beginning;
        return in_a_process(*record_, kLongestLife, [&] { live(setting_, *record_, left_, fresh); });
    }

    Plan plan_of(int c) {
        Plan plan;
        const auto& at = seen_[c][std::size_t(below(int(seen_[c].size())))];
        std::strcpy(plan.label, at.label);
        plan.occurrence = below(at.times);
        return plan;
    }
    void finish_plan(Plan& plan) {
        plan.moment = Moment(below(3));
        plan.delay_us = below(kLongestDelay);
        if (cluster_) plan.victim = store::cluster_status(*cluster_).value().pid;
    }

    void one_life(bool kills) {
        const int c = below(kCaseCount);
        Plan resuming, beginning;
        if (kills) {
            beginning = plan_of(c);
            finish_plan(beginning);
            if (!left_.is_nil() && !again_ && double(below(1000)) < kAgain * 1000) {
                std::strcpy(resuming.label, kAnyWrite);
                resuming.occurrence = below(8);
                finish_plan(resuming);
            }
        }
        const int status = live_once(kills ? &kCases[c] : nullptr, resuming, beginning);
        moment_ = record_->resumed ? beginning.moment : resuming.moment;
        count_kill(status);
        if (cluster_ && record_->hit)
            if (auto started = store::start_cluster(*cluster_); !started) return fault("PostgreSQL does not start again: " + started.error().text());
        if (!wait_for_backends(*db_, setting_.who, kLife + setting_.node.text())) return fault("PostgreSQL does not notice that a process is gone");
        again_ = !record_->resumed;
        if (!left_.is_nil()) judge_left();
        if (record_->resumed && kills) take_stock(c);
    }

    void count_kill(int status) {
        const bool by_us = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && record_->hit;
        if (record_->hit) {
            add(tally_, record_->hit_label, moment_);
            ++tally_.kills;
            tally_.kills_of_resumed += !record_->resumed;
        } else {
            ++tally_.missed;
        }
        if (!by_us && status != 0) fault("a process ended with status " + std::to_string(status));
        if (record_->crashed && !cluster_) fault("something threw");
    }

    base::RunId newest() {
        const auto runs = in_tx([](store::Tx& tx) { return store::list_runs(tx, 1, std::nullopt); });
        return runs.empty() ? base::RunId{} : runs[0].id;
    }
    bool has_ended(base::RunId run) {
        return in_tx([&](store::Tx& tx) { return store::find_run(tx, run).value().finished.time_since_epoch().count() != 0; });
    }

    void judge_left() {
        if (!has_ended(left_)) {
            if (record_->resumed && !cluster_) fault("a run that was gone on with has no end: " + left_.text());
            return;
        }
        judge_run(std::exchange(left_, {}), left_case_);
    }

    // Of the run that was begun, if it came so far.
    void take_stock(int c) {
        const base::RunId made = newest();
        if (made == last_) {
            if (record_->run[0]) fault(std::string("LOST: run ") + record_->run + ", of which its client has heard");
            if (record_->hit && std::strcmp(record_->hit_label, "input") == 0 && moment_ == Moment::answered) fault("LOST: an input whose commit was answered");
            ++tally_.not_accepted;
            return;
        }
        last_ = made;
        if (has_ended(made)) return judge_run(made, c);
        if (record_->ended) fault("the end of which the client has heard is not there");
        if (!left_.is_nil()) fault("a run is still left");
        left_ = made;
        left_case_ = c;
    }

    void judge_run(base::RunId run, int c) {
        const auto look = [&](store::Tx& tx) {
            Verdict out = judge(tx, setting_, run, whole_[c]);
            tx.send("delete from fact where source_run_id = $1", {run});
            return out;
        };
        const Verdict verdict = in_tx(look);
        for (const auto& what : verdict.faults) fault(run.text() + ": " + what);
        (verdict.state == "unknown_effect" ? tally_.unknown : tally_.answered) += 1;
        std::filesystem::remove(setting_.folder / "effects" / run.text());
    }

    Setting setting_;
    Tally& tally_;
    unsigned seed_;
    const store::ClusterOptions* cluster_;  // where PostgreSQL is what is killed
    std::mt19937 chance_;
    std::unique_ptr<store::Db> db_;
    Record* record_ = shared_memory<Record>();
    Whole whole_[kCaseCount];
    std::vector<Record::Seen> seen_[kCaseCount];
    base::RunId left_, last_;
    int left_case_ = 0;
    bool again_ = false;
    Moment moment_{};
};

Setting setting_of(support::TestDatabase& database, const std::filesystem::path& folder, int worker) {
    Setting out;
    const auto now = base::SystemClock().now();
    out.url = store::app_url(database.cluster());
    out.who = {database.foundation().tenant, base::PersonId::make(now)};
    out.node = base::NodeId::make(now);
    out.folder = folder / std::to_string(worker);
    std::filesystem::create_directories(out.folder / "effects");
    database.sql("insert into person (id, tenant_id, name, role) values ('" + out.who.person.text() + "', '" + out.who.tenant.text() + "', 'worker " +
                 std::to_string(worker) + "', 'member')");
    return out;
}

Tally sum(const Tally* of, int n) {
    Tally out;
    for (int w = 0; w < n; ++w) {
        for (int i = 0; i < of[w].labels; ++i)
            for (int m = 0; m < 3; ++m) add(out, of[w].cells[i].label, Moment(m), of[w].cells[i].kills[m]);
        out.kills += of[w].kills;
        out.kills_of_resumed += of[w].kills_of_resumed;
        out.missed += of[w].missed;
        out.not_accepted += of[w].not_accepted;
        out.answered += of[w].answered;
        out.unknown += of[w].unknown;
        out.faults += of[w].faults;
    }
    return out;
}

void print(const char* what, const Tally& tally, double seconds) {
    std::printf("%s: %d kills in %.1f s, %.1f a second; %d of them of a run that was gone on with; runs: %d answered, %d unknown_effect, %d not accepted; %d plans missed\n", what,
                tally.kills, seconds, tally.kills / seconds, tally.kills_of_resumed, tally.answered, tally.unknown, tally.not_accepted, tally.missed);
    std::printf("  %-32s %8s %8s %8s\n", "write or effect", kMoments[0], kMoments[1], kMoments[2]);
    for (int i = 0; i < tally.labels; ++i)
        std::printf("  %-32s %8d %8d %8d\n", tally.cells[i].label, tally.cells[i].kills[0], tally.cells[i].kills[1], tally.cells[i].kills[2]);
}

int matrix(int kills, int of_postmaster, unsigned seed, int workers) {
    auto* const database = support::TestDatabase::get();
    if (!database) {
        std::fprintf(stderr, "skipped: %s\n", support::TestDatabase::why_not().c_str());
        return 4;
    }
    support::trust_the_socket(database->cluster());
    const support::TempDir folder;
    Tally* const tallies = shared_memory<Tally>(std::size_t(workers + 1));
    const int plain = std::max(0, kills - of_postmaster);
    std::printf("seed %u\n", seed);
    auto began = Time::now();
    const auto seconds = [&] { return std::chrono::duration<double>(Time::now() - began).count(); };
    for (int w = 0; w < workers; ++w) {
        const Setting setting = setting_of(*database, folder.path(), w);
        std::fflush(nullptr);
        if (fork() != 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        try {
            Worker(setting, tallies[w], seed + unsigned(w), nullptr).run((plain + workers - 1 - w) / workers);
        } catch (const std::exception& e) {
            std::fprintf(stderr, "FAULT: worker %d (seed %u) broke off: %s\n", w, seed + unsigned(w), e.what());
            _exit(1);
        }
        _exit(0);
    }
    int broken = 0;
    for (int left = workers, told = 0; left > 0;) {
        int status = 0;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            --left;
            broken += status != 0;
            continue;
        }
        usleep(200'000);
        if (const int now = sum(tallies, workers).kills; now / kTellEvery > told / kTellEvery) {
            told = now;
            std::printf("%d kills after %.0f s\n", now, seconds());
            std::fflush(stdout);
        }
    }
    const Tally of_processes = sum(tallies, workers);
    print("processes", of_processes, seconds());
    began = Time::now();
    Worker(setting_of(*database, folder.path(), workers), tallies[workers], seed + unsigned(workers), &database->cluster()).run(of_postmaster);
    print("postmaster", tallies[workers], seconds());
    const int faults = broken + of_processes.faults + tallies[workers].faults + kill_nights(*database, folder.path());
    std::printf("%d faults\n", faults);
    return faults ? 1 : 0;
}

}  // namespace
}  // namespace kill_matrix

int main(int argc, char** argv) {
    int kills = 300, of_postmaster = 0, workers = 3;
    unsigned seed = std::random_device{}() % 1000000;
    CLI::App app("Kills processes and PostgreSQL at random moments of runs, and judges what is left of them.");
    app.add_option("--runs", kills, "how many kills")->check(CLI::Range(1, 100000000));
    app.add_option("--postmaster", of_postmaster, "how many of them of PostgreSQL (one of 200)")->check(CLI::NonNegativeNumber);
    app.add_option("--seed", seed, "of what is random");
    app.add_option("--workers", workers, "how many processes at once")->check(CLI::Range(1, 16));
    CLI11_PARSE(app, argc, argv);
    if (app.count("--postmaster") == 0) of_postmaster = std::max(1, kills / kill_matrix::kPostmasterEvery);
    try {
        return kill_matrix::matrix(kills, of_postmaster, seed, workers);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "kill_matrix broke off: %s\n", e.what());
        return 2;
    }
}
