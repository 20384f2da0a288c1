// Telemetry of days that the pipeline itself did not live through: recorded elsewhere, or simulated. It stays marked as such, and like all
// telemetry it stays.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "store/node_days.h"

namespace store {

struct ImportedEvent {
    std::string node, execution;  // execution: the class of the turn; empty: not known
    base::TimePoint at{};         // when it ended
    double latency_ms = 0;        // of service: nothing is taken off it
    std::string status;           // ok | error | timeout | cancelled
};
// How many of them were not there yet. The same execution at the same moment is one event, however often it comes.
int import_node_events(Tx& tx, const std::vector<ImportedEvent>& events);
// How many events of these days, both included, are the pipeline's own.
int own_node_events(Tx& tx, Day first, Day last, const std::string& zone);
// The first day of what was imported since the last batch that is done: rows of days before it may be there without it.
std::optional<Day> imported_since_batch(Tx& tx, const std::string& zone);

}  // namespace store
