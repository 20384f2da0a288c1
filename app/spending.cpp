#include "app/spending.h"

#include <boost/asio/steady_timer.hpp>

#include "store/usage.h"

namespace app {
namespace {

constexpr auto kBetweenWrites = std::chrono::seconds(1);
constexpr int kWritesBetweenReads = 10;

using Entries = std::vector<router::Budgets::Entry>;

Entries entries_of(const std::vector<store::Spending>& rows, base::TenantId tenant) {
    Entries out;
    for (const auto& row : rows) out.push_back({{tenant, row.subject}, row.day, {row.tokens, row.cost}});
    return out;
}

std::vector<store::Spending> rows_of(const Entries& entries) {
    std::vector<store::Spending> out;
    for (const auto& entry : entries) out.push_back({entry.subject.name, entry.day, entry.amount.tokens, entry.amount.cost});
    return out;
}

}  // namespace

SpendingKeeper::SpendingKeeper(router::Gateway& gateway, store::Db& db, store::Identity who, const base::Clock& clock, base::Log& log)
    : gateway_(gateway), db_(db), who_(who), clock_(clock), log_(log) {}

void SpendingKeeper::read() {
    const int day = int(std::chrono::floor<std::chrono::days>(clock_.now()).time_since_epoch().count());
    auto list = [&](store::Tx& tx) { return store::list_spending(tx, day); };
    gateway_.learn_spending(entries_of(db_.run_blocking(who_, list, store::Db::Access::read), who_.tenant));
}

net::Task<void> SpendingKeeper::watch() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (int turn = 0;; ++turn) {
        timer.expires_after(kBetweenWrites);
        co_await timer.async_wait(boost::asio::use_awaitable);
        co_await exchange(turn % kWritesBetweenReads == 0);
    }
}

net::Task<void> SpendingKeeper::exchange(bool also_nothing) {
    const Entries taken = gateway_.take_unsaved_spending(also_nothing);
    if (taken.empty()) co_return;
    const auto rows = rows_of(taken);
    auto add = [&](store::Tx& tx) { return store::add_spending(tx, rows); };
    std::string failure;
    try {
        const auto totals = co_await db_.run(who_, add);
        gateway_.learn_spending(entries_of(totals, who_.tenant));
    } catch (const std::exception& e) {
        failure = e.what();
        gateway_.give_back_spending(taken);
    }
    if (!failure.empty() && !failing_) log_.warn("spending is not written, and waits", {{"reason", failure}});
    failing_ = !failure.empty();
}

void SpendingKeeper::write() {
    const Entries taken = gateway_.take_unsaved_spending(false);
    const auto rows = rows_of(taken);
    auto add = [&](store::Tx& tx) { store::add_spending(tx, rows); };
    try {
        if (!rows.empty()) db_.run_blocking(who_, add);
    } catch (const std::exception& e) {
        log_.error("the last second's spending is lost", {{"reason", e.what()}});
    }
}

}  // namespace app
