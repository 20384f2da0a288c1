// What callers of a nightly batch wait for: from the pipeline's telemetry to the costs that questions are routed by.
#pragma once

#include <string>

#include "base/json.h"
#include "router/node_metrics.h"
#include "store/node_days.h"

namespace agents {

constexpr int kTokenDays = 30;     // from a node's first on: what its token model is fitted to
constexpr int kLateDays = 3;       // that each night makes anew, for events that came late
constexpr int kHistoryDays = 400;  // that MathCore looks at
constexpr int kWarmDays = 7;

// The rows of days up to the one before `day`. What they say: {"events_processed", "node_count", "tenant_count"}.
base::Json make_daily(store::Tx& tx, store::Day day, const std::string& zone);
base::Json make_weekly(store::Tx& tx, store::Day day, const std::string& zone);
// What MathCore makes of them. Takes a second of the processor for twenty nodes and a year; touches nothing.
store::NightRow analyse_night(const std::string& tenant, const std::vector<store::DailyRow>& rows, const std::map<std::string, store::NodeSetting>& settings, store::Day day);
// What the newest night knows, the week before it, and what came since. `today`: in the zone.
std::map<std::string, router::NodeHistory> node_histories(store::Tx& tx, store::Day today, const std::string& zone);

}  // namespace agents
