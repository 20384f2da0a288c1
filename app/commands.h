// One function a subcommand; each returns the process's exit status: 0 done, 1 failed, 2 wrong use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/settings.h"
#include "base/json.h"

namespace sandbox {
class Launcher;
}

namespace app {

struct ChatOptions {
    std::string question;    // before what standard input holds; empty: that alone, or a conversation on a terminal
    std::string agent;       // or an alias of the roster; empty: hearth/dev
    std::string workspace;   // empty: the current folder
    std::string conversation;
    std::string write_tier = "code";
    bool read_only = false, once = false, json = false;
};
struct BenchOptions {
    std::string model;       // empty: the chosen one
    int threads = 0, prefill = 512, decode = 128, repeat = 3;
    std::string profile = "fast";
    std::vector<std::string> against;  // peers, see app/peer.h
    int streams = 0;         // decoded together, beside one alone; 0: not measured
    bool ops = false;        // operation by operation
    bool turns = false;      // time to the first token where most is known
    bool fidelity = false;   // instead of speed: fast against exact, over `prefill` tokens of `text`
    std::string text;        // file; empty: the prompts of the program
    bool speculation = false;  // instead: with guessed tokens against without, over its own workloads
    std::string draft;       // that guesses for the model then; empty: model.draft, for the chosen model
    bool json = false;
};

struct QualityOptions {
    std::vector<std::string> prompts;  // NAME@VERSION, in place of the live ones
    std::string only;                  // a pattern of the cases' names; empty: all
    std::string bfcl;                  // a folder of the leaderboard's files; empty: none
    int each = 4;                      // cases of each of its categories
    bool json = false;
};

struct RunOptions {
    std::vector<std::string> words;  // the message; more than one, where it was not quoted
    std::string agent;               // empty: hearth/dev
    std::string workspace;           // empty: of an agent that works in a folder the current one
    std::string key;                 // under which the same request begins one run alone; empty: none
    bool read_only = false, detach = false, json = false;
};

struct ScheduleOptions {
    std::string when, zone, agent = "hearth", missed = "once", channel;  // zone empty: the system's; channel empty: the answer is kept with its run
    std::vector<std::string> words;                                      // what is to be done
    bool silent = false, json = false;
};

// Empty columns match everything; see policy/house_rules.h.
struct RuleOptions {
    std::string verdict, reason, hours;
    std::vector<std::string> people, roles, scopes, tools, permissions, labels, weekdays;  // people by name or id
    std::int64_t after_calls = 0;
    bool json = false;
};

// Of the simulated tenants of hearth mathcore bench; see router/math/bench.h.
struct MathcoreBenchOptions {
    std::string seed = "1", family;
    std::vector<std::string> parts;  // of mathcore_parts(); empty: all
    int seeds = 1, months = 400, repetitions = 200, nodes = 7, requests = 60, baseline_days = 30, threads = 0;  // 0: all usable
    bool json = false;
};

int serve(const LoadedSettings& settings, std::function<base::Result<LoadedSettings>()> again, std::unique_ptr<sandbox::Launcher> launcher, const std::string& no_launcher);
int chat(const LoadedSettings& settings, const ChatOptions& options);
int bench(const LoadedSettings& settings, const BenchOptions& options);
int fidelity(const LoadedSettings& settings, const BenchOptions& options);
int bench_speculation(const LoadedSettings& loaded, const BenchOptions& options);
int mathcore_show(const LoadedSettings& settings, bool json);
// `since`: as 2026-03-10; empty: seven days ago.
int mathcore_accept(const LoadedSettings& settings, const std::string& node, const std::string& since);
int mathcore_freeze(const LoadedSettings& settings, const std::string& node, bool frozen);
int mathcore_bench(const MathcoreBenchOptions& options);  // 1 where a bar is missed
std::vector<std::string> mathcore_parts();
int model_list(const LoadedSettings& settings, bool json);
int model_inspect(const LoadedSettings& settings, const std::string& file, bool json);
int model_convert(const LoadedSettings& settings, const std::string& source, const std::string& out, bool json);
int model_pull(const LoadedSettings& settings, const std::string& name);
int model_set_loaded(const LoadedSettings& settings, const std::string& name, bool wanted);
int model_use(const LoadedSettings& settings, const std::string& name);
int doctor(const LoadedSettings& settings, const sandbox::Launcher* launcher, const std::string& no_launcher, bool json);
int db_start(const LoadedSettings& settings);
int db_stop(const LoadedSettings& settings);
int db_status(const LoadedSettings& settings, bool json);
int db_migrate(const LoadedSettings& settings);
int config_show(const LoadedSettings& settings, const std::string& name, bool json);
base::Json settings_json(const LoadedSettings& settings);  // as a list
int db_roles();
int config_check(const LoadedSettings& settings);
// `person`: whose it is, by name or id; empty: the owner's.
int key_new(const LoadedSettings& settings, const std::string& person, const std::string& label, const std::vector<std::string>& scopes, bool quiet);
int key_list(const LoadedSettings& settings, const std::string& person, bool json);
int key_revoke(const LoadedSettings& settings, const std::string& person, const std::string& id);
// The dashboard. `person`: for whom, by name or id; empty: the owner.
// `qr`: with the link as a QR code, also where no telephone would reach it.
int open_dashboard(const LoadedSettings& settings, const std::string& person, bool json, bool qr);
int prompt_list(const LoadedSettings& settings, bool json);
int prompt_versions(const LoadedSettings& settings, const std::string& name, bool json);
// A version is a number or a label; empty: live, of a diff's second the newest.
int prompt_show(const LoadedSettings& settings, const std::string& name, const std::string& version, bool json);
int prompt_diff(const LoadedSettings& settings, const std::string& name, const std::string& before, const std::string& after);
int prompt_save(const LoadedSettings& settings, const std::string& name, const std::string& file, bool fresh, bool json);
// Without a reason for an override, what hearth quality run has measured must speak for it.
int prompt_release(const LoadedSettings& settings, const std::string& name, int version, const std::optional<std::string>& override_reason, bool json);
int prompt_rollback(const LoadedSettings& settings, const std::string& name, bool json);
// `folder`: with conversations in LoCoMo's form; empty: the current one.
int group_list(const LoadedSettings& settings, bool json);
int group_set(const LoadedSettings& settings, const std::string& name, const std::vector<std::string>& people, bool json);
int memory_bench(const std::string& folder, const std::string& encoder, bool json);
int memory_size_bench(const LoadedSettings& settings, std::size_t facts, std::size_t of_person, int questions, bool json);
int memory_list(const LoadedSettings& settings, int limit, bool all, bool json);
int memory_show(const LoadedSettings& settings, const std::string& id, bool json);
int memory_why(const LoadedSettings& settings, const std::string& question, bool json);
int memory_ingest(const LoadedSettings& settings, const std::vector<std::string>& files, bool json);
int blob_list(const LoadedSettings& settings, int limit, bool json);
int blob_show(const LoadedSettings& settings, const std::string& id, bool json);
int blob_save(const LoadedSettings& settings, const std::string& id, const std::string& file, bool json);
int blob_remember(const LoadedSettings& settings, const std::string& id, bool json);
int blob_forget(const LoadedSettings& settings, const std::string& id, bool json);
int memory_documents(const LoadedSettings& settings, int limit, bool json);
int memory_health(const LoadedSettings& settings, bool json);
int memory_consolidate(const LoadedSettings& settings, int seconds, bool json);
int memory_archive(const LoadedSettings& settings, bool json);
int memory_archive_show(const LoadedSettings& settings, const std::string& id, bool json);
int memory_export(const LoadedSettings& settings, const std::string& file, const std::string& since, const std::string& until);
int collection_create(const LoadedSettings& settings, const std::string& name, const std::string& schema, bool json);
int collection_list(const LoadedSettings& settings, bool json);
int collection_show(const LoadedSettings& settings, const std::string& name, int limit, bool json);
int collection_add(const LoadedSettings& settings, const std::string& name, const std::string& item, bool json);
int collection_remove(const LoadedSettings& settings, const std::string& name);
int memory_forget(const LoadedSettings& settings, const std::string& id, bool yes, bool json);
int quality_run(const LoadedSettings& settings, const QualityOptions& options);
// The value of the secret is read from standard input, on a terminal without showing it.
// `tools`: whose calls it is for; empty: it is for upstreams.
int secret_set(const LoadedSettings& settings, const std::string& name, const std::string& host, const std::vector<std::string>& tools, bool shared, bool json);
int secret_list(const LoadedSettings& settings, bool json);
int secret_remove(const LoadedSettings& settings, const std::string& name, bool shared, bool json);
int secret_rotate(const LoadedSettings& settings, const std::string& name, bool master, bool json);
int directive_list(const LoadedSettings& settings, bool json);
// `person`: a name or an id; empty: for the house.
int directive_add(const LoadedSettings& settings, const std::string& name, const std::string& text, const std::string& person, int days, bool json);
int directive_remove(const LoadedSettings& settings, const std::string& name, const std::string& person, bool json);
// With a key of hers, in that file: a person's own, through the running server.
int own_directive_list(const LoadedSettings& settings, const std::string& key_file, bool json);
int own_directive_add(const LoadedSettings& settings, const std::string& key_file, const std::string& name, const std::string& text, int days, bool json);
int own_directive_remove(const LoadedSettings& settings, const std::string& key_file, const std::string& name, bool json);
int rule_set(const LoadedSettings& settings, const std::string& name, const RuleOptions& options);
int rule_list(const LoadedSettings& settings, bool json);
int rule_remove(const LoadedSettings& settings, const std::string& name, bool json);
int approval_list(const LoadedSettings& settings, bool json);
int approval_decide(const LoadedSettings& settings, const std::string& id, bool grant, bool json);
// Of the options the others look at `detach` and `json` alone; `run`: an id or its beginning.
int run_start(const LoadedSettings& settings, const RunOptions& options);
int run_mixed(const RunOptions& options, const std::string& command);  // words beside a command of hearth run: wrong use
int run_list(const LoadedSettings& settings, const RunOptions& options, int limit);
int run_show(const LoadedSettings& settings, const RunOptions& options, const std::string& run);
int run_follow(const LoadedSettings& settings, const RunOptions& options, const std::string& run);
int run_stop(const LoadedSettings& settings, const RunOptions& options, const std::string& run);
int run_steer(const LoadedSettings& settings, const RunOptions& options, const std::string& run, const std::string& text);
// `word`: grant or deny; empty: asked at the terminal.
int run_approve(const LoadedSettings& settings, const RunOptions& options, const std::string& run, const std::string& word);
// `step`: an id or a position; empty: the last that has an outcome. `text` is added to the new run.
int run_fork(const LoadedSettings& settings, const RunOptions& options, const std::string& run, const std::string& step, const std::string& text);
int thread_list(const LoadedSettings& settings, int limit, bool json);
int thread_show(const LoadedSettings& settings, const std::string& id, bool json);
int thread_stop(const LoadedSettings& settings, const std::string& id, bool json);
// Tries each backend, or that one, plainly, streamed and with a tool; `list`: only tells when they last were.
int drill(const LoadedSettings& settings, const std::string& backend, bool list, bool json);
// `day`: whose batch, as 2026-03-10; empty: today's.
int nightly(const LoadedSettings& settings, const std::string& day, bool json);
int person_list(const LoadedSettings& settings, bool json);
int person_add(const LoadedSettings& settings, const std::string& name, const std::string& role, bool json);
// Empty, or nothing: as it is.
int person_set(const LoadedSettings& settings, const std::string& who, const std::string& replies, const std::string& effort, const std::optional<std::string>& tone, const std::string& language, bool json);
int pair_list(const LoadedSettings& settings, bool json);
// `who`: a person, by name or id.
int pair_approve(const LoadedSettings& settings, const std::string& code, const std::string& who, bool json);
int pair_remove(const LoadedSettings& settings, const std::string& bridge, const std::string& sender, bool json);
int outbox_list(const LoadedSettings& settings, int limit, bool json);
// `until`: "07:30", the next time the house's clock shows that; empty: until it is resumed.
int outbox_silence(const LoadedSettings& settings, const std::string& until, bool json);
int outbox_resume(const LoadedSettings& settings, bool json);
int outbox_word(const LoadedSettings& settings, const std::string& id, bool may_leave, bool json);
// Of one that is unknown: it has arrived; it has not; or it has not, and is sent again.
int outbox_told(const LoadedSettings& settings, const std::string& id, bool arrived, bool again, bool json);
// `hours`: "22:00-07:00" or "none"; `zone`: "Europe/Berlin".
int person_quiet(const LoadedSettings& settings, const std::string& who, const std::string& hours, const std::string& zone, bool json);
int heartbeat(const LoadedSettings& settings, bool json);
// Looks at what has failed since it last did.
int review_run(const LoadedSettings& settings, bool json);
int review_list(const LoadedSettings& settings, bool closed, bool json);
int review_show(const LoadedSettings& settings, const std::string& id, bool json);
int review_mark(const LoadedSettings& settings, const std::string& id, const std::string& state, bool json);
int schedule_add(const LoadedSettings& settings, const ScheduleOptions& options);
int schedule_list(const LoadedSettings& settings, bool ended, bool json);
// `id`: or its beginning.
int schedule_show(const LoadedSettings& settings, const std::string& id, bool json);
int schedule_run(const LoadedSettings& settings, const std::string& id, bool json);
int schedule_pause(const LoadedSettings& settings, const std::string& id, bool paused, bool json);
int schedule_remove(const LoadedSettings& settings, const std::string& id, bool json);
int trace_list(const LoadedSettings& settings, int limit, bool json);
// `run`: an id or its beginning; empty: the newest, or with `all` every run.
int trace_verify(const LoadedSettings& settings, const std::string& run, bool all, bool json);
// Each call of a model that the run made, asked again; `model`: an alias, `prompt`: NAME@VERSION, empty: as then.
int trace_replay(const LoadedSettings& settings, const std::string& run, const std::string& model, const std::string& prompt, bool json);
int trace_show(const LoadedSettings& settings, const std::string& run, bool json);

// Says why, on standard error, as every command does. Returns 1.
int complain(const base::Error& error);
bool on_terminal();  // standard output is one

}  // namespace app
