// What one's runs and their calls of tools came to over a span of time: how many, how many failed, and how long they took.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct RunSum {
    std::string key;                  // a tool, or a day (UTC) such as "2026-03-10"
    std::int64_t count = 0;           // calls of the tool, or runs that began on the day
    std::int64_t runs = 0;            // runs that hold such calls, or that began on the day
    std::int64_t failures = 0;        // that failed, or of which nobody knows whether they took effect
    std::optional<double> p50_ms{}, p95_ms{};  // of those that have ended
};

// By tool, the most called first.
std::vector<RunSum> sum_tools(Tx& tx, base::TimePoint since, base::TimePoint until);
// By day, the oldest first; of the runs that called the tool, where one is named.
std::vector<RunSum> sum_run_days(Tx& tx, base::TimePoint since, base::TimePoint until, const std::string& tool);

}  // namespace store
