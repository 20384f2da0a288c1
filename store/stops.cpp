#include "store/stops.h"

#include "store/run_inputs.h"
#include "store/runs.h"
#include "store/signals.h"
#include "store/threads.h"

namespace store {

namespace {

void lock_conversation_of(Tx& tx, base::RunId run) {
    tx.send("select pg_advisory_xact_lock(hashtextextended(conversation_id::text, 8)) from run where id = $1", {run});
}

}  // namespace

bool ask_to_stop(Tx& tx, base::RunId run) {
    lock_conversation_of(tx, run);
    stop_children(tx, run);
    return stop_alone(tx, run);
}

bool stop_alone(Tx& tx, base::RunId run) {
    const auto rows = tx.exec("update run set stop_asked_at = coalesce(stop_asked_at, clock_timestamp()),"
                              " state = case when state is null then null else 'cancelled' end,"
                              " finished_at = case when state is null then finished_at else clock_timestamp() end,"
                              " error = case when state is null then error else 'stopped while it waited' end"
                              " where id = $1 and (state is null or state in ('waiting_person', 'waiting_client')) returning state is null",
                              {run});
    if (rows.empty()) return false;
    if (rows[0].boolean(0)) {
        send_signal(tx, {Signal::Kind::stop, run});
        return true;
    }
    leave_inputs(tx, run);
    end_trace(tx, run);
    return true;
}

void refuse_when_stopped(Tx& tx, base::RunId run) {
    tx.send("select hearth_require(not exists (select from run where id = $1 and stop_asked_at is not null), $2, 'a stop was asked for')", {run, kStopAsked});
}

bool stop_asked(Tx& tx, base::RunId run) { return !tx.exec("select 1 from run where id = $1 and stop_asked_at is not null", {run}).empty(); }

}  // namespace store
