#include "app/drills.h"

#include <boost/asio/steady_timer.hpp>

#include "router/usage.h"
#include "store/exercise.h"

namespace app {
namespace {

constexpr auto kBetweenSaves = std::chrono::minutes(1);
constexpr int kSavesBetweenDrills = 60;
constexpr auto kBetweenFailures = std::chrono::hours(24);  // a drill that failed is made again

using Exercises = std::vector<router::Exercise>;

std::vector<store::ExerciseRow> rows_of(const Exercises& all) {
    std::vector<store::ExerciseRow> out;
    for (const auto& one : all) out.push_back({one.backend, std::string(router::name(one.traffic)), one.seen, one.worked, one.failed, one.failure});
    return out;
}

Exercises exercises_of(const std::vector<store::ExerciseRow>& rows) {
    Exercises out;
    for (const auto& row : rows)
        if (const auto traffic = router::parse_traffic(row.traffic)) out.push_back({row.backend, *traffic, row.seen, row.worked, row.failed, row.failure});
    return out;
}

}  // namespace

DrillKeeper::DrillKeeper(router::Gateway& gateway, store::Db& db, store::TraceSink& traces, store::Identity who, const base::Clock& clock, base::Log& log, DrillOptions options)
    : gateway_(gateway), db_(db), traces_(traces), who_(who), clock_(clock), log_(log), options_(options) {}

void DrillKeeper::read() {
    const auto list = [](store::Tx& tx) { return store::list_exercises(tx); };
    gateway_.learn_exercises(exercises_of(db_.run_blocking(who_, list, store::Db::Access::read)));
}

net::Task<void> DrillKeeper::save() {
    const Exercises taken = gateway_.take_unsaved_exercises();
    if (taken.empty()) co_return;
    const auto rows = rows_of(taken);
    const auto write = [&](store::Tx& tx) { store::save_exercises(tx, rows); };
    std::string failure;
    try {
        co_await db_.run(who_, write);
    } catch (const std::exception& e) {
        failure = e.what();  // the next use of the backend is written then
    }
    if (!failure.empty() && !failing_) log_.warn("when backends were used is not written", {{"reason", failure}});
    failing_ = !failure.empty();
}

net::Task<void> DrillKeeper::drill_overdue() {
    const auto half = std::chrono::hours(12 * options_.days);
    for (const router::Exercise& one : gateway_.exercises()) {
        const auto now = clock_.now();
        if (!one.overdue(now, half) || now - one.failed < kBetweenFailures) continue;
        const router::OnBehalf who{who_.tenant, who_.person, {}, {}};
        const router::CallRecord record(who, one.backend, "drill", clock_);
        const auto reply = co_await gateway_.drill(one.backend, one.traffic, who, {});
        traces_.emit(record.ended(reply));
        if (!reply) log_.warn("a drill failed", {{"backend", one.backend}, {"traffic", router::name(one.traffic)}, {"reason", reply.error().message}});
    }
}

net::Task<void> DrillKeeper::watch() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (int turn = 1;; ++turn) {
        timer.expires_after(kBetweenSaves);
        co_await timer.async_wait(boost::asio::use_awaitable);
        co_await save();
        if (options_.automatic && options_.days > 0 && turn % kSavesBetweenDrills == 0) co_await drill_overdue();
    }
}

}  // namespace app
