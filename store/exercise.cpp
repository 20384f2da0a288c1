#include "store/exercise.h"

namespace store {

void save_exercises(Tx& tx, const std::vector<ExerciseRow>& rows) {
    for (const ExerciseRow& row : rows)
        tx.send("insert into exercise (backend, traffic, seen_us, worked_us, failed_us, failure) values ($1, $2, $3, $4, $5, $6)"
                " on conflict (tenant_id, node_id, backend, traffic) do update set seen_us = least(exercise.seen_us, excluded.seen_us),"
                " worked_us = greatest(exercise.worked_us, excluded.worked_us), failed_us = greatest(exercise.failed_us, excluded.failed_us),"
                " failure = case when excluded.failed_us > exercise.failed_us then excluded.failure else exercise.failure end",
                {row.backend, row.traffic, micros_of(row.seen), micros_of(row.worked), micros_of(row.failed), tx.redactor().redacted(row.failure)});
}

std::vector<ExerciseRow> list_exercises(Tx& tx) {
    std::vector<ExerciseRow> out;
    for (const Row& row : tx.exec("select backend, traffic, seen_us, worked_us, failed_us, failure from exercise where node_id = hearth_node()"))
        out.push_back({row.text(0), row.text(1), row.time(2), row.time(3), row.time(4), row.text(5)});
    return out;
}

}  // namespace store
