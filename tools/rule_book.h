// The house's rules in force, for all runs of the process, and what a decision by them needs to know.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/task.h"
#include "policy/house_rules.h"
#include "store/db.h"

namespace tools {

// Thread-safe; a decision is taken by the rules as they are when it is taken.
class RuleBook {
public:
    policy::HouseRules rules() const;  // never null
    void change(std::vector<policy::HouseRule> rules);

private:
    mutable std::mutex mutex_;
    policy::HouseRules rules_ = std::make_shared<const std::vector<policy::HouseRule>>();
};

// In the machine's time zone.
policy::Moment moment_of(base::TimePoint time);
base::TimePoint midnight_before(base::TimePoint time);

// The calls of a tool that a decision went by: while there are no more since then, it holds.
struct CallCount {
    std::string tool;
    base::TimePoint since;
    std::int64_t calls = 0;
};
// In the transaction that begins the call.
bool still_so(store::Tx& tx, const CallCount& counted);

// What holds now for a call of the tool. Without a book nothing but the shipped rules. `counted`: of the calls, where any rule asks for that.
net::Task<policy::House> house_of(const RuleBook* book, store::Db& db, const policy::Principal& who, const std::string& tool, base::TimePoint now, std::optional<CallCount>& counted);

}  // namespace tools
