// Recall at size: so many facts of fifty people in one table, a quarter of them one person's; then questions of that person and of one with a
// hundredth are timed, from the question to the facts read back under row-level security, with an index that is warm, and while a fact
// comes in before each. The words are made up, their frequencies fall as those of a language do.
#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <random>

#include "memory/fact_indexes.h"
#include "support/database.h"

namespace {

using Time = std::chrono::steady_clock;

constexpr std::size_t kWords = 60000, kPeople = 50, kBatch = 5000;
constexpr int kQuestions = 300;

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

struct Language {
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

void fill(support::TestDatabase& world, Language& language, const base::PersonId& person, std::size_t facts) {
    for (std::size_t done = 0; done < facts; done += kBatch) {
        std::string bodies;
        for (std::size_t i = done; i < std::min(facts, done + kBatch); ++i) bodies += (bodies.empty() ? "" : ",") + language.text(6, 16);
        world.sql("insert into fact (id, tenant_id, audience_id, body) select gen_random_uuid(), '" + world.owner().tenant.text() + "', '" + person.text() + "', unnest('{" + bodies + "}'::text[])");
    }
}

void measure(support::TestDatabase& world, Language& language, memory::FactIndexes& indexes, const base::PersonId& person, const char* name) {
    const store::Identity who{world.owner().tenant, person};
    std::string question;
    std::size_t found = 0;
    std::vector<double> own;
    const auto ask = [&] {
        question = "what about " + language.text(3, 6) + "?";
        auto read = [&](store::Tx& tx) { return indexes.recall(tx, question, base::SystemClock().now(), 8).size(); };
        const auto start = Time::now();
        const double before = processor_milliseconds();
        found += world.db().run_blocking(who, read, store::Db::Access::read);
        own.push_back(processor_milliseconds() - before);
        return milliseconds_since(start);
    };
    const double cold = ask();
    std::vector<double> warm, growing;
    own.clear();
    for (int i = 0; i < kQuestions; ++i) warm.push_back(ask());
    const std::vector<double> ranking = own;
    for (int i = 0; i < kQuestions; ++i) {
        auto keep = [&](store::Tx& tx) { return store::remember(tx, language.text(6, 16), {}); };
        world.db().run_blocking(who, keep);
        growing.push_back(ask());
    }
    fmt::print("{}: first {:.0f} ms; then p50 {:.2f}, p95 {:.2f}, p99 {:.2f} ms (processor time of ours {:.2f}, {:.2f}, {:.2f}); with a new fact before each p50 {:.2f}, p95 {:.2f}, p99 {:.2f} ms; {:.1f} facts a question\n", name, cold, at(warm, 0.5),
               at(warm, 0.95), at(warm, 0.99), at(ranking, 0.5), at(ranking, 0.95), at(ranking, 0.99), at(growing, 0.5), at(growing, 0.95), at(growing, 0.99), double(found) / (2 * kQuestions + 1));
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t all = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    auto* const world = support::TestDatabase::get();
    if (!world) return fmt::print(stderr, "{}\n", support::TestDatabase::why_not()), 1;
    Language language;
    const auto person = [] { return base::PersonId::make(base::SystemClock().now()); };
    const base::PersonId large = person(), small = person();
    const auto start = Time::now();
    fill(*world, language, large, all / 4);
    fill(*world, language, small, all / 100);
    for (std::size_t i = 2; i < kPeople; ++i) fill(*world, language, person(), (all - all / 4 - all / 100) / (kPeople - 2));
    world->sql("analyze fact");
    fmt::print("{} facts of {} people written in {:.0f} s\n", all, kPeople, milliseconds_since(start) / 1000);
    memory::FactIndexes indexes;
    measure(*world, language, indexes, large, fmt::format("{} facts of one", all / 4).c_str());
    fmt::print("its index takes about {:.0f} MiB\n", double(indexes.bytes()) / 1048576);
    measure(*world, language, indexes, small, fmt::format("{} facts of one", all / 100).c_str());
    double load[1];
    getloadavg(load, 1);
    fmt::print("load {:.1f} on {} processors\n", load[0], get_nprocs());
    return 0;
}
