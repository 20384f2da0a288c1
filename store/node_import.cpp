#include "store/node_import.h"

namespace store {

int import_node_events(Tx& tx, const std::vector<ImportedEvent>& events) {
    constexpr std::size_t kAtOnce = 10'000;
    const base::RunId run = base::RunId::make(base::SystemClock().now());  // of one import; there is no run row of it
    int added = 0;
    for (std::size_t from = 0; from < events.size(); from += kAtOnce) {
        base::Json rows = base::Json::array();
        for (std::size_t i = from; i < std::min(events.size(), from + kAtOnce); ++i)
            rows.push_back({{"node", events[i].node}, {"class", events[i].execution}, {"at", base::rfc3339(events[i].at)}, {"latency_ms", events[i].latency_ms}, {"status", events[i].status}});
        const auto done = tx.exec("with added as ("
                                  "insert into telemetry_event (id, event, node_id, latency_ms, error, run_id, created_at, status, class, imported_at)"
                                  " select md5(concat_ws('|', hearth_tenant(), node, class, at, latency_ms, status))::uuid, 'GRAPH_NODE_DONE', node, latency_ms,"
                                  " case status when 'ok' then '' else status end, $2, at::timestamptz, status, class, clock_timestamp()"
                                  " from json_to_recordset($1) as e(node text, class text, at text, latency_ms double precision, status text)"
                                  " on conflict (id) do nothing returning 1) select count(*) from added",
                                  {rows, run});
        added += int(done.at(0).integer(0));
    }
    return added;
}

int own_node_events(Tx& tx, Day first, Day last, const std::string& zone) {
    const auto rows = tx.exec("select (select count(*) from hearth_node_events($1, $2, $3)) - (select count(*) from telemetry_event where imported_at is not null"
                              " and created_at >= $1::date::timestamp at time zone $3 and created_at < ($2::date + 1)::timestamp at time zone $3)",
                              {day_text(first), day_text(last), zone});
    return int(rows.at(0).integer(0));
}

std::optional<Day> imported_since_batch(Tx& tx, const std::string& zone) {
    const auto rows = tx.exec("select (min(created_at) at time zone $1)::date from telemetry_event where imported_at is not null"
                              " and imported_at > coalesce((select max(started_at) from nightly_batch where state = 'done'), '-infinity')",
                              {zone});
    return rows.at(0).null(0) ? std::nullopt : parse_day(rows[0].text(0));
}

}  // namespace store
