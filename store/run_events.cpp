#include "store/run_events.h"

#include <charconv>

#include "store/signals.h"

namespace store {
namespace {

std::optional<std::int64_t> count(std::string_view text) {
    std::int64_t out = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failed != std::errc{} || end != text.data() + text.size() || out < 0) return std::nullopt;
    return out;
}

EventRow row_of(const Row& row) { return {{row.integer(0), row.integer(1)}, {row.integer(0), row.integer(2)}, row.json(3)}; }

}  // namespace

std::string EventId::text() const { return std::to_string(epoch) + "." + std::to_string(number); }

std::optional<EventId> EventId::parse(std::string_view text) {
    const auto point = text.find('.');
    if (point == std::string_view::npos) return std::nullopt;
    const auto epoch = count(text.substr(0, point)), number = count(text.substr(point + 1));
    if (!epoch || !number) return std::nullopt;
    return EventId{*epoch, *number};
}

void append_events(Tx& tx, base::RunId run, const EventRow& row) {
    tx.send("insert into run_event (run_id, epoch, first, last, body) values ($1, $2, $3, $4, $5)",
            {run, row.last.epoch, row.first.number, row.last.number, row.body});
}

std::vector<EventRow> read_events(Tx& tx, base::RunId run, EventId after, int most) {
    std::vector<EventRow> out;
    for (const Row& row : tx.exec("select epoch, first, last, body from run_event where run_id = $1 and (epoch, last) > ($2, $3) order by epoch, last limit $4",
                                  {run, after.epoch, after.number, most}))
        out.push_back(row_of(row));
    return out;
}

void drop_events(Tx& tx, base::RunId run, EventId kept, std::int64_t epoch) {
    tx.send("delete from run_event where run_id = $1 and (epoch, last) > ($2, $3) and epoch < $4", {run, kept.epoch, kept.number, epoch});
}

std::optional<EventRow> last_events(Tx& tx, base::RunId run) {
    const auto rows = tx.exec("select epoch, first, last, body from run_event where run_id = $1 order by epoch desc, last desc limit 1", {run});
    return rows.empty() ? std::nullopt : std::optional(row_of(rows[0]));
}

void watch_events(Tx& tx, base::RunId run, std::chrono::seconds time) {
    tx.send("update run set watched_until = clock_timestamp() + make_interval(secs => $2) where id = $1", {run, std::int64_t(time.count())});
}

void tell_watchers(Tx& tx, base::RunId run) { send_signal_if(tx, {Signal::Kind::told, run}, "exists (select from run where id = $3 and watched_until > clock_timestamp())", {run}); }

}  // namespace store
