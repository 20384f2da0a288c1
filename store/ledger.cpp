#include "store/ledger.h"

namespace store {

base::StepId write_intent(Tx& tx, const StepIntent& intent) {
    const auto id = base::StepId::make(base::SystemClock().now());
    // The run's row lock is the fence, held until the commit, and numbers the steps of parallel calls.
    if (tx.exec("select 1 from run where id = $1 and epoch = $2 and state is null for update", {intent.run, intent.epoch}).empty())
        throw DbError(DbError::Kind::serialization, "run " + intent.run.text() + " is no longer held at epoch " +
                                                        std::to_string(intent.epoch) + ": no step was begun");
    try {
        tx.exec("insert into step (id, run_id, position, epoch, kind, name, effect, effect_key, input)"
                " select $1, $2, coalesce(max(position) + 1, 0), $3, $4, $5, $6, $7, $8 from step where run_id = $2",
                {id, intent.run, intent.epoch, intent.kind, intent.name, intent.effect, intent.effect_key, intent.input});
    } catch (const DbError& e) {
        if (e.kind != DbError::Kind::unique) throw;
        throw DbError(e.kind, "run " + intent.run.text() + " has a step with the effect key '" + intent.effect_key + "' already: it is not begun again");
    }
    return id;
}

void write_outcome(Tx& tx, base::StepId step, std::int64_t epoch, const std::string& state, const base::Json& outcome) {
    tx.exec("with held as (select id from run where id = (select run_id from step where id = $1)"
            "   and epoch = $2 and state is null for update)"
            " update step set state = $3, outcome = $4, finished_at = clock_timestamp()"
            " from held where step.id = $1 and step.run_id = held.id and step.epoch = $2 and step.state = 'intent'",
            {step, epoch, state, outcome});
    if (tx.affected() != 1)
        throw DbError(DbError::Kind::serialization,
                      "step " + step.text() + " has an outcome already, or its run was taken over");
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
