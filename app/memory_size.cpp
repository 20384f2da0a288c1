// hearth memory bench --facts: recall at size, in a PostgreSQL of its own that is gone afterwards. So many facts of fifty people lie in one table; questions of the
// person with most of them and of one with a hundredth are timed, from the question to the facts read back under row-level security, with an index that
// is warm, and while a fact comes in before each. The words are made up, their frequencies fall as those of a language do.
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "memory/person_indexes.h"
#include "store/connection.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;
using Time = std::chrono::steady_clock;

constexpr std::size_t kWords = 60000, kPeople = 50, kBatch = 5000;
constexpr double kBarLarge = 15, kBarSmall = 5;  // ms at the 95th percentile

double milliseconds_since(Time::time_point start) { return std::chrono::duration<double, std::milli>(Time::now() - start).count(); }

// Of this CPU thread, which ranks: what is left of it where other work goes on.
double processor_milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

double at(std::vector<double> times, double share) {
    std::sort(times.begin(), times.end());
    return times[std::size_t(share * double(times.size() - 1))];
}

struct Words {
    std::mt19937 random{1};

    // The n-th in frequency, of two to five syllables.
    std::string word(std::size_t n) const {
        static constexpr const char* syllables[] = {"ba", "ce", "di", "fo", "gu", "ha", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu", "za", "bran", "crel", "drim", "flor"};
        std::string out;
        for (std::size_t rest = n + 20; rest > 0; rest /= 20) out += syllables[rest % 20];
        return out;
    }
    std::string any() { return word(std::size_t(std::exp(std::uniform_real_distribution<>(0, std::log(double(kWords)))(random)) - 1)); }
    std::string text(int least, int most) {
        std::string out;
        for (int i = 0, n = least + int(random() % unsigned(most - least + 1)); i < n; ++i) out += (i ? " " : "") + any();
        return out;
    }
};

// A cluster in a folder of its own, stopped and removed at the end.
struct OwnCluster {
    fs::path folder;
    store::ClusterOptions options;
    store::Foundation foundation;
    std::unique_ptr<store::Db> db;

    explicit OwnCluster(fs::path made) : folder(std::move(made)) {}
    ~OwnCluster() {
        db.reset();
        if (const auto stopped = store::stop_cluster(options); !stopped) std::fprintf(stderr, "%s\n", visible(stopped.error().text()).c_str());
        std::error_code failed;
        fs::remove_all(folder, failed);
    }
};

base::Result<std::unique_ptr<OwnCluster>> start(const Settings& settings) {
    std::string name = (fs::temp_directory_path() / "hearth-bench-XXXXXX").string();
    if (!mkdtemp(name.data())) return base::error(Code::io, "no folder can be made in " + fs::temp_directory_path().string(), "set TMPDIR to one that can be written");
    auto out = std::make_unique<OwnCluster>(name);
    chmod(name.c_str(), 0711);  // the database's user passes through
    out->options = cluster_options(settings);
    out->options.folder = out->folder / "pg";
    if (auto started = store::start_cluster(out->options); !started) return std::move(started).error();
    if (auto done = store::migrate(store::owner_url(out->options)); !done) return std::move(done).error();
    auto foundation = store::lay_foundation(store::owner_url(out->options), name);
    if (!foundation) return std::move(foundation).error();
    out->foundation = *foundation;
    store::Db::Options options{store::app_url(out->options), 2, foundation->node};
    auto db = store::Db::open(options);
    if (!db) return std::move(db).error();
    out->db = *std::move(db);
    return out;
}

void fill(store::Connection& owner, const base::TenantId& tenant, Words& words, const base::PersonId& person, std::size_t facts) {
    for (std::size_t done = 0; done < facts; done += kBatch) {
        std::string bodies;
        for (std::size_t i = done; i < std::min(facts, done + kBatch); ++i) bodies += (bodies.empty() ? "" : ",") + words.text(6, 16);
        owner.exec("insert into fact (id, tenant_id, audience_id, body) select gen_random_uuid(), $1, $2, b from unnest($3::text[]) b on conflict do nothing", {tenant, person, "{" + bodies + "}"});
    }
}

Json percentiles(const std::vector<double>& times) { return {{"p50", at(times, 0.5)}, {"p95", at(times, 0.95)}, {"p99", at(times, 0.99)}}; }

Json measure(OwnCluster& cluster, Words& words, memory::PersonIndexes& indexes, const base::PersonId& person, std::size_t facts, int questions, double bar) {
    const store::Identity who{cluster.foundation.tenant, person};
    std::vector<double> own;
    std::size_t found = 0;
    const auto ask = [&] {
        const std::string question = "what about " + words.text(3, 6) + "?";
        auto read = [&](store::Tx& tx) { return indexes.recall(tx, question, base::SystemClock().now(), 8).size(); };
        const auto start = Time::now();
        const double before = processor_milliseconds();
        found += cluster.db->run_blocking(who, read, store::Db::Access::read);
        own.push_back(processor_milliseconds() - before);
        return milliseconds_since(start);
    };
    const double cold = ask();
    const double cold_own = own.back();
    own.clear();
    std::vector<double> warm, growing;
    for (int i = 0; i < questions; ++i) warm.push_back(ask());
    const std::vector<double> ranking = own;
    for (int i = 0; i < questions; ++i) {
        auto keep = [&](store::Tx& tx) { return store::remember(tx, words.text(6, 16), {}); };
        cluster.db->run_blocking(who, keep);
        growing.push_back(ask());
    }
    return {{"facts", facts}, {"first_ms", cold}, {"first_processor_ms", cold_own}, {"warm_ms", percentiles(warm)}, {"processor_ms", percentiles(ranking)}, {"growing_ms", percentiles(growing)},
            {"found", double(found) / (2 * questions + 1)}, {"bar_ms", bar}, {"met", at(warm, 0.95) <= bar}};
}

void print(const char* what, const Json& times) {
    std::printf("  %-34s p50 %7.2f   p95 %7.2f   p99 %7.2f ms\n", what, times["p50"].get<double>(), times["p95"].get<double>(), times["p99"].get<double>());
}

void print(const Json& out) {
    std::printf("%zu facts of %zu people, written in %.0f s\n", out["facts"].get<std::size_t>(), kPeople, out["written_s"].get<double>());
    for (const Json& one : out["people"]) {
        std::printf("a person with %zu: the first question %.0f ms (%.0f ms of the processor), %.1f facts a question\n", one["facts"].get<std::size_t>(), one["first_ms"].get<double>(), one["first_processor_ms"].get<double>(), one["found"].get<double>());
        print("then", one["warm_ms"]);
        print("the processor time of recall alone", one["processor_ms"]);
        print("with a new fact before each", one["growing_ms"]);
        std::printf("  p95 at most %.0f ms: %s\n", one["bar_ms"].get<double>(), one["met"] ? "met" : "missed");
    }
    std::printf("the larger one's index takes about %.0f MiB; load %.1f on %d processors\n", out["index_mib"].get<double>(), out["load"].get<double>(), out["processors"].get<int>());
}

}  // namespace

int memory_size_bench(const LoadedSettings& loaded, std::size_t facts, std::size_t of_person, int questions, bool json) {
    if (of_person + facts / 100 > facts) return complain(base::error(Code::invalid_argument, "--person " + std::to_string(of_person) + " leaves too few of the " + std::to_string(facts) + " facts for the others", "give at most 99 in a hundred"));
    auto cluster = start(loaded.settings);
    if (!cluster) return complain(cluster.error());
    OwnCluster& own = **cluster;
    store::Connection owner(store::owner_url(own.options));
    Words words;
    const auto person = [] { return base::PersonId::make(base::SystemClock().now()); };
    const base::PersonId large = person(), small = person();
    const base::TenantId tenant = own.foundation.tenant;
    const auto begun = Time::now();
    fill(owner, tenant, words, large, of_person);
    fill(owner, tenant, words, small, facts / 100);
    for (std::size_t i = 2; i < kPeople; ++i) fill(owner, tenant, words, person(), (facts - of_person - facts / 100) / (kPeople - 2));
    owner.script("analyze fact");
    Json out = {{"facts", facts}, {"written_s", milliseconds_since(begun) / 1000}, {"people", Json::array()}};
    memory::PersonIndexes indexes;
    out["people"].push_back(measure(own, words, indexes, large, of_person, questions, kBarLarge));
    out["index_mib"] = double(indexes.bytes()) / 1048576;
    out["people"].push_back(measure(own, words, indexes, small, facts / 100, questions, kBarSmall));
    double load[1] = {0};
    getloadavg(load, 1);
    out["load"] = load[0];
    out["processors"] = get_nprocs();
    if (json) print_json(out, 2);
    else print(out);
    return 0;
}

}  // namespace app
