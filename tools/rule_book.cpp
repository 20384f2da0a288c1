#include "tools/rule_book.h"

#include <ctime>

#include "store/house_rules.h"

namespace tools {
namespace {

std::tm local(base::TimePoint time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
    std::tm out{};
    localtime_r(&seconds, &out);
    return out;
}

}  // namespace

policy::HouseRules RuleBook::rules() const {
    const std::lock_guard lock(mutex_);
    return rules_;
}

void RuleBook::change(std::vector<policy::HouseRule> rules) {
    auto fresh = std::make_shared<const std::vector<policy::HouseRule>>(std::move(rules));
    const std::lock_guard lock(mutex_);
    rules_ = std::move(fresh);
}

policy::Moment moment_of(base::TimePoint time) {
    const std::tm at = local(time);
    return {(at.tm_wday + 6) % 7, at.tm_hour * 60 + at.tm_min};
}

base::TimePoint midnight_before(base::TimePoint time) {
    std::tm at = local(time);
    at.tm_hour = at.tm_min = at.tm_sec = 0;
    at.tm_isdst = -1;  // at midnight it may have been another than now
    return base::TimePoint(std::chrono::seconds(std::mktime(&at)));
}

bool still_so(store::Tx& tx, const CallCount& counted) { return store::count_calls_alone(tx, counted.tool, counted.since) == counted.calls; }

net::Task<policy::House> house_of(const RuleBook* book, store::Db& db, const policy::Principal& who, const std::string& tool, base::TimePoint now, std::optional<CallCount>& counted) {
    counted.reset();
    policy::House out;
    if (!book) co_return out;
    out.rules = book->rules();
    if (out.rules->empty()) co_return out;
    out.now = moment_of(now);
    if (!policy::counts_calls(*out.rules, who, tool)) co_return out;
    const base::TimePoint since = midnight_before(now);
    const auto count = [&](store::Tx& tx) { return store::count_calls(tx, tool, since); };
    const store::Identity person{who.tenant, who.person};
    out.calls_today = co_await db.read(person, count);
    counted = CallCount{tool, since, out.calls_today};
    co_return out;
}

}  // namespace tools
