// Calls of models: what each took and how it went, without what was said.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/trace.h"
#include "store/db.h"

namespace store {

struct ModelCall {
    base::SpanId id;               // of its span, where a run has one
    base::TenantId tenant;
    base::PersonId person;
    base::RunId run;               // nil: a bare alias was called
    std::string alias, purpose;    // the public name; a phase, or "api"
    std::string backend, model;    // which answered; empty when none did
    std::string profile, finish, error;
    base::Json fallbacks = base::Json::array();  // [{"backend", "reason"}]
    base::TimePoint started{};
    std::chrono::microseconds duration{0}, queued{0}, prefill{0}, decode{0};
    int prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
    std::string agent;                    // its alias; empty: a bare model was called
    base::ConversationId conversation;    // nil: none
    double cost = 0;
    int forced_tokens = 0;                // of output_tokens
};

// The only writer; see traces.h.
void insert_call(Tx& tx, const ModelCall& call);

// The newest first, from `since` on.
std::vector<ModelCall> list_calls(Tx& tx, base::TimePoint since, int limit);

// Sums by day (UTC), alias and purpose, the newest day first.
struct UsageSum {
    std::string day, alias, purpose;  // "2026-03-10"
    std::int64_t calls = 0, failures = 0, prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
    double cost = 0;
};
std::vector<UsageSum> sum_usage(Tx& tx, base::TimePoint since);

// Sums by who or what was called or called: the largest cost first, then the most tokens.
enum class UsageBy { agent, conversation, model, backend };
struct UsageShare {
    std::string key;  // empty: none of that kind
    std::int64_t calls = 0, failures = 0, prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
    double cost = 0;
};
std::vector<UsageShare> usage_by(Tx& tx, UsageBy by, base::TimePoint since, int limit);
// Of everybody in the tenant, by the person's id: for who may see the metadata of all.
std::vector<UsageShare> usage_by_person(Tx& tx, base::TimePoint since);

// Each day (UTC) that had calls, the oldest first: of one's own, or of everybody in the tenant.
struct UsageDay {
    std::string day;
    std::int64_t calls = 0, failures = 0, prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
    double cost = 0;
    std::optional<double> p50_us{}, p95_us{};         // of calls that did not fail
    std::optional<double> output_per_second{};        // tokens, where backends tell how long they decoded
};
std::vector<UsageDay> usage_days(Tx& tx, base::TimePoint since, bool everybody);

// What was spent of a day's budgets, by all processes together.
struct Spending {
    std::string subject;
    int day = 0;  // since 1970, UTC
    std::int64_t tokens = 0;
    double cost = 0;
};
// Adds, and gives back the sums that are then there.
std::vector<Spending> add_spending(Tx& tx, const std::vector<Spending>& more);
std::vector<Spending> list_spending(Tx& tx, int day);

}  // namespace store
