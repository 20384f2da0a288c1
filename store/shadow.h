// Shadow calls as rows (router/shadow.h).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct ShadowCost {
    int prompt_tokens = 0, output_tokens = 0;
    double cost = 0;
    std::chrono::microseconds duration{0};
};
struct ShadowCall {
    base::TenantId tenant;
    base::PersonId person;
    std::string alias, shadow, purpose, error;
    bool same_calls = false;
    double likeness = 0;
    ShadowCost was, now;
};
// The only writer; through TraceSink.
void insert_shadow(Tx& tx, const ShadowCall& call);

// Sums by alias, shadow and purpose; the means are of the calls that the shadow answered.
struct ShadowSum {
    std::string alias, shadow, purpose;
    std::int64_t calls = 0, failures = 0, same_calls = 0;
    double likeness = 0;                 // mean
    double cost = 0, shadow_cost = 0;    // sums
    double ms = 0, shadow_ms = 0;        // means
};
std::vector<ShadowSum> sum_shadows(Tx& tx, base::TimePoint since);

}  // namespace store
