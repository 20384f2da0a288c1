#include "store/ledger.h"

#include "store/runs.h"
#include "store/stops.h"

namespace store {

base::StepId write_intent(Tx& tx, const StepIntent& intent) {
    const auto id = base::StepId::make(base::SystemClock().now());
    hold_run(tx, intent.run, intent.epoch);  // numbers the steps of parallel calls, too
    refuse_when_stopped(tx, intent.run);
    static const std::string insert = require(
        "insert into step (id, run_id, position, epoch, kind, name, effect, effect_key, input)"
        " select $1, $2, coalesce(max(position) + 1, 0), $3, $4, $5, $6, $7, $8 from step where run_id = $2"
        " on conflict (run_id, effect_key) do nothing returning 1",
        DbError::Kind::unique, "$9");
    tx.send(insert, {id, intent.run, intent.epoch, intent.kind, intent.name, intent.effect, intent.effect_key, tx.redactor().redacted(intent.input),
                     "run " + intent.run.text() + " has a step with the effect key '" + intent.effect_key + "' already: it is not begun again"});
    return id;
}

void write_outcome(Tx& tx, const StepIntent& intent, base::StepId step, const std::string& state, const base::Json& outcome) {
    hold_run(tx, intent.run, intent.epoch);
    static const std::string update = require(
        "update step set state = $4, outcome = $5, finished_at = clock_timestamp()"
        " where id = $1 and run_id = $2 and epoch = $3 and state = 'intent' returning 1",
        DbError::Kind::serialization, "$6");
    tx.send(update, {step, intent.run, intent.epoch, state, tx.redactor().redacted(outcome), "step " + step.text() + " has an outcome already, or its run was taken over"});
}

void close_steps(Tx& tx, base::RunId run, std::int64_t epoch) {
    hold_run(tx, run, epoch);
    tx.send("update step set state = case effect when 'at_most_once' then 'unknown' else 'failed' end, outcome = '{\"error\": \"interrupted\"}',"
            " finished_at = clock_timestamp() where run_id = $1 and state = 'intent'", {run});
}

std::vector<Step> list_steps(Tx& tx, base::RunId run) {
    std::vector<Step> out;
    for (const Row& row : tx.exec("select id, position, kind, name, effect, effect_key, state, input, outcome, " +
                                      micros("started_at") + ", " + micros("finished_at") +
                                      " from step where run_id = $1 order by position", {run})) {
        Step step{row.id<base::StepId>(0), row.integer(1), row.text(2), row.text(3), row.text(4), row.text(5), row.text(6),
                  row.json(7), row.json(8), row.time(9), {}};
        if (!row.null(10)) step.finished = row.time(10);
        out.push_back(std::move(step));
    }
    return out;
}

}  // namespace store
