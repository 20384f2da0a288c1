#include "app/keeper.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "app/database.h"
#include "store/approvals.h"
#include "store/directives.h"
#include "store/responses.h"
#include "store/runs.h"
#include "store/schedules.h"
#include "store/secrets.h"
#include "store/threads.h"
#include "store/trace_keeping.h"

namespace app {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kBetweenLooks = 1s;
constexpr auto kBetweenSettlings = 60s;
constexpr auto kBetweenErasures = 1h;
constexpr int kErasedAtOnce = 10'000;
constexpr auto kBetweenStarts = 5s;  // of a cluster that does not start

}  // namespace

Keeper::Keeper(const Settings& settings, store::Db& db, base::Log& log, std::shared_ptr<base::Redactor> redactor)
    : settings_(settings), db_(db), log_(log), redactor_(std::move(redactor)) {}

net::Task<void> Keeper::watch(boost::asio::thread_pool& blocking, std::function<net::Task<void>()> resume) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    const auto once = [this] { look(); };
    for (;;) {
        timer.expires_after(kBetweenLooks);
        co_await timer.async_wait(boost::asio::use_awaitable);
        co_await net::on_pool(blocking, once);
        if (!trouble().empty()) continue;
        try {
            co_await resume();
        } catch (const std::exception& e) {
            log_.warn("what was interrupted cannot be gone on with now", {{"error", e.what()}});
        }
    }
}

void Keeper::look() {
    std::string found;
    try {
        db_.restore_locks();
        if (!trouble().empty() || Clock::now() >= next_settling_) settle();
        tend();
    } catch (const store::DbError& e) {
        found = find_out(e);
    } catch (const std::exception& e) {
        found = e.what();
    }
    say(found);
}

// What is wrong, and for the private cluster the attempt to mend it.
std::string Keeper::find_out(const store::DbError& e) {
    if (!has_private_cluster(settings_)) return e.what();
    auto cluster = cluster_options(settings_);
    cluster.patience = kBetweenStarts;  // the next look sees how far it is
    const auto status = store::cluster_status(cluster);
    if (!status) return status.error().text();
    if (status->running) return e.what();
    if (!status->crashed) return "PostgreSQL was stopped (hearth db start starts it)";
    if (Clock::now() < next_start_) return trouble();
    next_start_ = Clock::now() + kBetweenStarts;
    log_.warn("PostgreSQL broke off: starting it again");
    const auto started = store::start_cluster(cluster);
    return started ? std::string("PostgreSQL broke off and was just started again") : started.error().text();
}

void Keeper::settle() {
    for (const auto& run : store::expire_approvals(db_)) log_.info("nobody answered in time: the run goes on without a word", {{"run", run.text()}});
    for (const auto& run : store::stop_expired_threads(db_)) log_.info("the time of a thread is over: its run is stopped", {{"run", run.text()}});
    for (const auto& run : store::settle_interrupted(db_)) log_.warn("run was interrupted", {{"run", run.text()}});
    next_settling_ = Clock::now() + kBetweenSettlings;
}

void Keeper::learn() {
    if (!redactor_) return;
    const auto read = [&](store::Tx& tx) { store::learn_secrets(tx, settings_.state_folder, *redactor_, learnt_); };
    db_.run_blocking({}, read, store::Db::Access::read);
}

// What fails of this is no reason to take nothing in, and is tried again at the next look.
void Keeper::tend() {
    std::string failed;
    try {
        learn();
        failed = anchor();
        if (Clock::now() >= next_erasure_) erase();
    } catch (const store::DbError& e) {
        if (e.kind == store::DbError::Kind::connection) throw;
        failed = e.what();
    }
    if (failed != untended_ && !failed.empty()) log_.error("secrets and traces are not looked after", {{"reason", failed}});
    untended_ = failed;
}

// At the first look after midnight, UTC. Why it is not done, or "".
std::string Keeper::anchor() {
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    if (today == anchored_) return {};
    const auto write = [](store::Tx& tx) { return store::anchor_traces(tx); };
    const int made = db_.run_blocking({}, write);
    const auto copy = [&](store::Tx& tx) { return store::witness_anchors(tx, settings_.state_folder); };
    if (made > 0) log_.info("traces anchored", {{"tenants", made}});
    const auto copied = db_.run_blocking({}, copy, store::Db::Access::read);
    if (!copied && copied.error().code == base::Code::io) return copied.error().text();
    if (!copied) log_.error("the anchors of traces were changed", {{"reason", copied.error().message}, {"remedy", copied.error().remedy}});
    anchored_ = today;
    return {};
}

void Keeper::erase() {
    const int days = settings_.traces.keep_days, mib = settings_.traces.keep_mib;
    const auto now = base::SystemClock().now();
    const base::TimePoint before = days > 0 ? now - std::chrono::days(days) : base::TimePoint{};
    const auto some = [&](store::Tx& tx) { return store::erase_bodies(tx, before, std::int64_t(mib) << 20, kErasedAtOnce); };
    const store::Erased erased = db_.run_blocking({}, some);
    if (erased.bodies > 0) log_.info("bodies of old traces erased", {{"bodies", erased.bodies}, {"bytes", erased.bytes}, {"keep_days", days}, {"keep_mib", mib}});
    const auto old = [&](store::Tx& tx) { return store::erase_responses(tx, before, kErasedAtOnce); };
    const std::int64_t responses = db_.run_blocking({}, old);
    if (responses > 0) log_.info("old responses erased", {{"responses", responses}, {"keep_days", days}});
    const auto told = [&](store::Tx& tx) { return store::erase_events(tx, before, kErasedAtOnce); };
    const std::int64_t events = db_.run_blocking({}, told);
    if (events > 0) log_.info("events of old runs erased", {{"rows", events}, {"keep_days", days}});
    const auto wished = [&](store::Tx& tx) { return store::erase_wishes(tx, before, kErasedAtOnce); };
    const std::int64_t wishes = db_.run_blocking({}, wished);
    if (wishes > 0) log_.info("what people wanted of old runs erased", {{"runs", wishes}, {"keep_days", days}});
    const auto fires = [&](store::Tx& tx) { return store::erase_fires(tx, before, kErasedAtOnce); };
    const std::int64_t fired = db_.run_blocking({}, fires);
    if (fired > 0) log_.info("old times of schedules erased", {{"rows", fired}, {"keep_days", days}});
    const std::int64_t directives = db_.run_blocking({}, store::prune_directives);
    if (directives > 0) log_.info("directives that have expired removed", {{"rows", directives}});
    if (erased.bodies < kErasedAtOnce && responses < kErasedAtOnce && events < kErasedAtOnce && wishes < kErasedAtOnce && fired < kErasedAtOnce) next_erasure_ = Clock::now() + kBetweenErasures;  // else more at the next look
}

void Keeper::say(const std::string& found) {
    const std::lock_guard lock(mutex_);
    if (found == trouble_) return;
    if (found.empty()) log_.info("the database answers again");
    else log_.error("the database is out of reach", {{"reason", found}});
    trouble_ = found;
}

std::string Keeper::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

base::Result<void> Keeper::may_accept() const {
    if (!has_private_cluster(settings_)) return {};
    const auto free = free_bytes(settings_.state_folder);
    if (!free || *free >= kReserve) return {};
    return base::error(base::Code::resource_exhausted,
                       "the disk of " + settings_.state_folder.string() + " has " + std::to_string(*free >> 20) + " MiB left, " +
                           std::to_string(kReserve >> 20) + " MiB are wanted: nothing new is taken in",
                       "free some space; the server goes on by itself");
}

std::optional<std::uint64_t> free_bytes(std::filesystem::path folder) {
    std::error_code ignored;
    while (!std::filesystem::exists(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
    const auto space = std::filesystem::space(folder, ignored);
    if (ignored) return std::nullopt;
    return space.available;
}

}  // namespace app
