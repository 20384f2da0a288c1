#include "store/nightly.h"

#include "store/runs.h"

namespace store {
namespace {

const std::string kColumns = "day, run_id, conversation_id, person_id, state, answer, attempts, " + micros("started_at");

NightlyBatch batch_of(const Row& row) {
    return {parse_day(row.text(0)).value(), row.id<base::RunId>(1), row.id<base::ConversationId>(2), row.id<base::PersonId>(3), row.text(4), row.null(5) ? base::Json() : row.json(5),
            int(row.integer(6)), row.time(7)};
}

}  // namespace

std::optional<NightlyBatch> find_batch(Tx& tx, Day day) {
    const auto rows = tx.exec("select " + kColumns + " from nightly_batch where day = $1", {day_text(day)});
    return rows.empty() ? std::nullopt : std::optional(batch_of(rows[0]));
}

bool begin_batch(Tx& tx, Day day, base::RunId run, base::ConversationId conversation) {
    return !tx.exec("insert into nightly_batch (day, run_id, conversation_id) values ($1, $2, $3) on conflict do nothing returning 1", {day_text(day), run, conversation}).empty();
}

bool begin_batch_again(Tx& tx, Day day, base::RunId run) {
    return !tx.exec("update nightly_batch set run_id = $2, state = 'running', answer = null, attempts = attempts + 1, finished_at = null where day = $1 and state = 'failed' returning 1",
                    {day_text(day), run}).empty();
}

void answer_batch(Tx& tx, Day day, const base::Json& answer) { tx.send("update nightly_batch set answer = $2 where day = $1", {day_text(day), answer}); }

void end_batch(Tx& tx, Day day, bool failed) {
    tx.send("update nightly_batch set state = $2, finished_at = clock_timestamp() where day = $1", {day_text(day), failed ? "failed" : "done"});
}

void break_off_batch(Tx& tx, const NightlyBatch& batch, const std::string& why) {
    tx.send("update nightly_batch set state = case when answer is null or answer->>'error' is not null then 'failed' else 'done' end, answer = coalesce(answer, $2), finished_at = clock_timestamp() where day = $1",
            {day_text(batch.day), base::Json{{"batch_id", batch_id(batch.day)}, {"run_id", batch.run.text()}, {"error", why}}});
}

bool settle_batch(Tx& tx, const NightlyBatch& batch) {
    const auto run = find_run(tx, batch.run);
    if (run && !run->ended()) return false;
    const auto now = find_batch(tx, batch.day);  // read behind the run: a run ends its batch in the transaction that ends it
    if (!now || now->run != batch.run || now->state != "running") return true;
    break_off_batch(tx, batch, run ? run->error : "its run is gone");
    return true;
}

std::vector<NightlyBatch> open_batches(Tx& tx) {
    std::vector<NightlyBatch> out;
    for (const Row& row : tx.exec("select " + kColumns + " from nightly_batch b where b.state = 'running' and not exists (select 1 from run where run.id = b.run_id and " + kHeldRun + ") order by day"))
        out.push_back(batch_of(row));
    return out;
}

base::TimePoint tenant_made(Tx& tx) {
    const auto rows = tx.exec("select " + micros("created_at") + " from tenant where id = hearth_tenant()");
    return rows.empty() ? base::TimePoint{} : rows[0].time(0);
}

}  // namespace store
