#include "store/ledger.h"

#include "store/runs.h"

namespace store {

base::StepId write_intent(Tx& tx, const StepIntent& intent) {
    const auto id = base::StepId::make(base::SystemClock().now());
    tx.send("select hearth_begin_step($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            {id, intent.run, intent.epoch, intent.kind, intent.name, intent.effect, intent.effect_key, tx.redactor().redacted(intent.input), not_held(intent.run, intent.epoch),
             "run " + intent.run.text() + " has a step with the effect key '" + intent.effect_key + "' already: it is not begun again"});
    return id;
}

void write_outcome(Tx& tx, const StepIntent& intent, base::StepId step, const std::string& state, const base::Json& outcome) {
    tx.send("select hearth_end_step($1, $2, $3, $4, $5, $6, $7)",
            {step, intent.run, intent.epoch, state, tx.redactor().redacted(outcome), not_held(intent.run, intent.epoch),
             "step " + step.text() + " has an outcome already, or its run was taken over"});
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
