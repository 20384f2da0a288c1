// What may be spent: tokens and cost of a request and of a day (UTC), by person and by alias. Pure: times are given in.
// A call holds what it may take before it is made and settles what it took, so that calls side by side cannot overdraw.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "router/backend.h"

namespace router {

struct Amount {
    std::int64_t tokens = 0;  // of prompts, cached ones too, and of answers
    double cost = 0;
    Amount& operator+=(const Amount& other);
    Amount& operator-=(const Amount& other);
};

// 0: no limit.
struct Budget {
    Amount request = {}, day = {};
    bool limits() const { return request.tokens > 0 || request.cost > 0 || day.tokens > 0 || day.cost > 0; }
};

struct BudgetSubject {
    base::TenantId tenant;
    std::string name;  // "alias default", "person 0190…"
    auto operator<=>(const BudgetSubject&) const = default;
};

struct BudgetClaim {
    BudgetSubject subject;
    Budget budget;
    std::string called;  // in messages: "the alias 'default'", "you"
};

class Budgets {
public:
    struct Hold {
        std::vector<BudgetSubject> subjects;
        Amount amount;
        int day = 0;         // it was taken on
        int max_tokens = 0;  // that the answer may have
    };
    struct Wish {
        int prompt_tokens = 0, max_tokens = 0;
        Prices prices;
    };
    // Error{resource_exhausted} naming the budget, what is spent and when it resets, when there is no room for the prompt and
    // one token. Where there is room for less than was wished for, the answer is cut.
    base::Result<Hold> hold(const std::vector<BudgetClaim>& claims, const Wish& wish, base::TimePoint now);
    // `spent` comes in place of what was held.
    void settle(const Hold& hold, const Amount& spent, base::TimePoint now);

    Amount spent(const BudgetSubject& subject, base::TimePoint now) const;  // today, without what is held

    // Sums shared with other processes: what was spent here since it was last taken, to be added there …
    struct Entry {
        BudgetSubject subject;
        int day = 0;  // since 1970
        Amount amount;
    };
    std::vector<Entry> take_unsaved(bool also_nothing);  // that: so that sums of other processes are learnt
    // … what the sums then are; and what could not be added after all.
    void learn(const std::vector<Entry>& totals, base::TimePoint now);
    void give_back(const std::vector<Entry>& entries);

private:
    struct Account {
        int day = 0;
        Amount saved, unsaved, held;
    };
    Account& today(const BudgetSubject& subject, base::TimePoint now);

    std::map<BudgetSubject, Account> accounts_;
    std::vector<Entry> of_other_days_;  // unsaved, of days that have passed
};

// When a day's budgets begin anew: "2026-03-11T00:00Z".
std::string begins_anew(base::TimePoint now);

}  // namespace router
