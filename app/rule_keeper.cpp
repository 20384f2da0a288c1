#include "app/rule_keeper.h"

#include <boost/asio/steady_timer.hpp>

namespace app {
namespace {

constexpr auto kBetweenLooks = std::chrono::minutes(1);

}  // namespace

base::Result<void> RuleKeeper::take(const std::vector<store::RuleRow>& rows) {
    std::vector<policy::HouseRule> rules;
    for (const auto& row : rows) {
        auto rule = policy::house_rule_from_json(row.tenant, row.name, row.body);
        if (!rule)
            return base::error(base::Code::invalid_argument, "the rule " + row.name + " cannot be read: " + rule.error().message,
                               "hearth rule set " + row.name + " writes it anew, hearth rule rm " + row.name + " removes it");
        rules.push_back(*std::move(rule));
    }
    book_.change(std::move(rules));
    return {};
}

base::Result<void> RuleKeeper::read() {
    const std::lock_guard reads(reading_);
    const auto list = [](store::Tx& tx) { return store::all_rules(tx); };
    std::vector<store::RuleRow> rows = db_.run_blocking({}, list, store::Db::Access::read);
    if (rows == seen_) return {};
    auto taken = take(rows);
    if (taken) log_.info("rules of the house read", {{"rules", rows.size()}});
    else log_.error("the rules of the house are not changed: those before stay in force", {{"reason", taken.error().text()}});
    const std::lock_guard lock(mutex_);
    refused_ = taken ? std::string() : taken.error().text();
    if (taken) rules_ = rows.size();
    seen_ = std::move(rows);
    return taken;
}

void RuleKeeper::look() {
    try {
        (void)read();
    } catch (const store::DbError&) {  // the keeper of the database tells of that
    }
}

net::Task<void> RuleKeeper::watch(boost::asio::thread_pool& blocking) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    const auto once = [this] { look(); };
    for (;;) {
        timer.expires_after(kBetweenLooks);
        co_await timer.async_wait(boost::asio::use_awaitable);
        co_await net::on_pool(blocking, once);
    }
}

base::Probe RuleKeeper::probe() const {
    const std::lock_guard lock(mutex_);
    if (refused_.empty()) return {"rules", base::Health::ok, std::to_string(rules_) + " of the house, beside the shipped ones", {}};
    return {"rules", base::Health::failed, "those set last are not in force, the " + std::to_string(rules_) + " before them are: " + refused_, "hearth rule list shows them"};
}

}  // namespace app
