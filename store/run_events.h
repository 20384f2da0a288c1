// What a run tells while it works, for whoever listens, whenever and at whichever process: rows that are written with
// the steps that they belong to, in no transaction of their own.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/approvals.h"
#include "store/db.h"

namespace store {

// EPOCH.NUMBER: who holds the run, and its own count from 1. What comes later is greater.
struct EventId {
    std::int64_t epoch = 0, number = 0;
    auto operator<=>(const EventId&) const = default;
    std::string text() const;
    static std::optional<EventId> parse(std::string_view text);
};

// Some events that follow each other, as whoever told them wrote them down.
struct EventRow {
    EventId first, last;
    base::Json body;
};
void append_events(Tx& tx, base::RunId run, const EventRow& row);
// Rows with events after that one, in order.
std::vector<EventRow> read_events(Tx& tx, base::RunId run, EventId after, int most);
// What was told after `kept` by those who held the run before this epoch is told anew by its holder.
void drop_events(Tx& tx, base::RunId run, EventId kept, std::int64_t epoch);
std::optional<EventRow> last_events(Tx& tx, base::RunId run);

// Whoever writes events of the run within that time also sends a signal (Signal::Kind::told). When this has committed, what
// was written without one can be read.
void watch_events(Tx& tx, base::RunId run, std::chrono::seconds time);
// In a transaction that holds the run.
void tell_watchers(Tx& tx, base::RunId run);

// Writes a run's events down with whatever of the run is written next.
class RunTelling {
public:
    virtual ~RunTelling() = default;
    // The run comes to rest with the transaction under way.
    virtual void rests(const Approval& approval) = 0;
    virtual void write(Tx& tx) = 0;
    virtual void written() = 0;  // what `write` wrote last is committed
};

}  // namespace store
