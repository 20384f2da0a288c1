#include "router/budget.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace router {
namespace {

int day_of(base::TimePoint t) { return int(std::chrono::floor<std::chrono::days>(t).time_since_epoch().count()); }

std::string number(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

// Tokens of an answer that a cost leaves room for behind the prompt; less than 0: not even the prompt.
double tokens_for(double cost, const Budgets::Wish& wish) {
    const double left = cost - wish.prices.input * wish.prompt_tokens / 1e6;
    if (left < 0) return -1;
    return wish.prices.output > 0 ? left * 1e6 / wish.prices.output : std::numeric_limits<int>::max();
}

}  // namespace

std::string begins_anew(base::TimePoint now) {
    const base::TimePoint midnight{std::chrono::days(day_of(now) + 1)};
    return base::rfc3339(midnight).substr(0, 16) + "Z";
}

Amount& Amount::operator+=(const Amount& other) {
    tokens += other.tokens;
    cost += other.cost;
    return *this;
}

Amount& Amount::operator-=(const Amount& other) {
    tokens -= other.tokens;
    cost -= other.cost;
    return *this;
}

Budgets::Account& Budgets::today(const BudgetSubject& subject, base::TimePoint now) {
    Account& account = accounts_[subject];
    if (const int day = day_of(now); account.day != day) {
        if (account.unsaved.tokens > 0 || account.unsaved.cost > 0) of_other_days_.push_back({subject, account.day, account.unsaved});
        account = {.day = day, .saved = {}, .unsaved = {}, .held = {}};
    }
    return account;
}

base::Result<Budgets::Hold> Budgets::hold(const std::vector<BudgetClaim>& claims, const Wish& wish, base::TimePoint now) {
    Hold out{{}, {}, day_of(now), wish.max_tokens};
    const auto refuse = [](const BudgetClaim& claim, const std::string& what, const std::string& remedy) {
        return base::error(base::Code::resource_exhausted, "the budget of " + claim.called + " is used up: " + what, remedy);
    };
    for (const BudgetClaim& claim : claims) {
        if (!claim.budget.limits()) continue;
        const Account& account = today(claim.subject, now);
        const auto& [request, day] = claim.budget;
        Amount taken = account.saved;
        (taken += account.unsaved) += account.held;
        const std::string until = "it begins anew at " + begins_anew(now);
        double room = double(out.max_tokens);
        if (request.tokens > 0) room = std::min(room, double(request.tokens - wish.prompt_tokens));
        if (room < 1) return refuse(claim, "a request may take " + std::to_string(request.tokens) + " tokens, the prompt alone has about " + std::to_string(wish.prompt_tokens), "shorten the prompt");
        if (request.cost > 0) room = std::min(room, tokens_for(request.cost, wish));
        if (room < 1) return refuse(claim, "a request may cost " + number(request.cost) + ", the prompt alone costs more", "shorten the prompt, or name a model that costs less");
        if (day.tokens > 0) room = std::min(room, double(day.tokens - taken.tokens - wish.prompt_tokens));
        if (room < 1) return refuse(claim, std::to_string(taken.tokens) + " of " + std::to_string(day.tokens) + " tokens of the day are spent or being spent, and the prompt has about " + std::to_string(wish.prompt_tokens), until);
        if (day.cost > 0) room = std::min(room, tokens_for(day.cost - taken.cost, wish));
        if (room < 1) return refuse(claim, number(taken.cost) + " of the day's " + number(day.cost) + " are spent or being spent", until + "; a model that runs here costs nothing");
        out.max_tokens = int(room);
        out.subjects.push_back(claim.subject);
    }
    if (out.subjects.empty()) return out;
    Usage most;
    most.prompt_tokens = wish.prompt_tokens;
    most.output_tokens = out.max_tokens;
    out.amount = {std::int64_t(most.prompt_tokens) + most.output_tokens, wish.prices.of(most)};
    for (const auto& subject : out.subjects) today(subject, now).held += out.amount;
    return out;
}

void Budgets::settle(const Hold& hold, const Amount& spent, base::TimePoint now) {
    for (const auto& subject : hold.subjects) {
        Account& account = today(subject, now);
        if (account.day == hold.day) account.held -= hold.amount;
        account.unsaved += spent;
    }
}

Amount Budgets::spent(const BudgetSubject& subject, base::TimePoint now) const {
    const auto found = accounts_.find(subject);
    if (found == accounts_.end() || found->second.day != day_of(now)) return {};
    Amount out = found->second.saved;
    return out += found->second.unsaved;
}

std::vector<Budgets::Entry> Budgets::take_unsaved(bool also_nothing) {
    std::vector<Entry> out = std::move(of_other_days_);
    of_other_days_.clear();
    for (auto& [subject, account] : accounts_) {
        if (!also_nothing && account.unsaved.tokens == 0 && account.unsaved.cost == 0) continue;
        out.push_back({subject, account.day, account.unsaved});
        account.saved += account.unsaved;
        account.unsaved = {};
    }
    return out;
}

void Budgets::learn(const std::vector<Entry>& totals, base::TimePoint now) {
    for (const Entry& total : totals)
        if (total.day == day_of(now)) today(total.subject, now).saved = total.amount;
}

void Budgets::give_back(const std::vector<Entry>& entries) {
    for (const Entry& entry : entries) {
        const auto found = accounts_.find(entry.subject);
        if (found == accounts_.end() || found->second.day != entry.day) {
            if (entry.amount.tokens > 0 || entry.amount.cost > 0) of_other_days_.push_back(entry);
            continue;
        }
        found->second.saved -= entry.amount;
        found->second.unsaved += entry.amount;
    }
}

}  // namespace router
