#include "store/run_queue.h"

#include "store/digest.h"
#include "store/signals.h"

namespace store {
namespace {

// As it is kept: one that holds a secret, by its digest, which tells it from others as well.
std::string kept_key(const Tx& tx, const std::string& key) { return tx.redactor().redacted(key) == key ? key : "sha256:" + sha256_hex(key); }

}  // namespace

void queue_run(Tx& tx, const QueuedRun& run) {
    const auto metadata = run.metadata.is_null() ? std::nullopt : std::optional(tx.redactor().without_known(run.metadata));
    tx.send("insert into run (id, conversation_id, alias, request, pinned, question, metadata) values ($1, $2, $3, $4, $5, $6, $7)",
            {run.id, run.conversation, run.alias, tx.redactor().without_known(run.request), run.pinned, tx.redactor().without_known(run.question), metadata});
    send_signal(tx, {Signal::Kind::work, run.id});
}

// Whoever takes the run's lease meanwhile waits at the row, and reads the request behind that.
bool amend_queued(Tx& tx, base::RunId run, const base::Json& request, const std::string& question) {
    const std::string amend = std::string("update run set request = $2, question = $3 where id = $1 and state is null and input_id is null and stop_asked_at is null and not ") + kHeldRun + " returning 1";
    return !tx.exec(amend, {run, tx.redactor().without_known(request), tx.redactor().without_known(question)}).empty();
}

int queued_runs(Tx& tx) { return int(tx.exec("select count(*) from run where state is null and input_id is null").at(0).integer(0)); }

void begin_run(Tx& tx, base::RunId id, std::int64_t epoch, base::MessageId input, const base::Json& request, bool pinned) {
    static const std::string begin = require("update run set input_id = $3, request = $4, pinned = $5, node_id = hearth_node(), attempts = 0"
                                             " where id = $1 and epoch = $2 and state is null returning 1",
                                             DbError::Kind::serialization, "$6");
    tx.send(begin, {id, epoch, input, tx.redactor().without_known(request), pinned, not_held(id, epoch)});
}

void answer_next(Tx& tx, base::RunId id, std::int64_t epoch, base::MessageId input, const base::Json& turn) {
    tx.send("insert into run_turn (run_id, number, first_step, first_input, input_id) select id, 0, 0, 0, input_id from run where id = $1 on conflict do nothing", {id});
    tx.send("insert into run_turn (run_id, number, first_step, first_input, input_id, turn) select $1, (select max(number) + 1 from run_turn where run_id = $1),"
            " (select coalesce(max(position) + 1, 0) from step where run_id = $1), (select coalesce(max(position) + 1, 0) from run_input where run_id = $1), $2, $3",
            {id, input, tx.redactor().without_known(turn)});
    static const std::string next = require("update run set input_id = $3 where id = $1 and epoch = $2 and state is null returning 1", DbError::Kind::serialization, "$4");
    tx.send(next, {id, epoch, input, not_held(id, epoch)});
}

std::vector<RunTurn> list_turns(Tx& tx, base::RunId id) {
    std::vector<RunTurn> out;
    for (const Row& row : tx.exec("select first_step, first_input, input_id, turn from run_turn where run_id = $1 order by number", {id}))
        out.push_back({row.integer(0), row.integer(1), row.id<base::MessageId>(2), row.json(3)});
    return out;
}

base::RunId working_beside(Tx& tx, base::ConversationId conversation, base::RunId run) {
    const auto rows = tx.exec("select id from run where conversation_id = $1 and id <> $2 and state is null and " + std::string(kHeldRun) + " limit 1", {conversation, run});
    return rows.empty() ? base::RunId{} : rows[0].id<base::RunId>(0);
}

std::optional<KnownKey> find_key(Tx& tx, const std::string& key, const std::string& digest) {
    const auto rows = tx.exec("select run_id, digest = $2 from run_key where key = $1 and created_at >= clock_timestamp() - make_interval(hours => $3)", {kept_key(tx, key), digest, kKeyHours});
    return rows.empty() ? std::nullopt : std::optional(KnownKey{rows[0].id<base::RunId>(0), rows[0].boolean(1)});
}

std::optional<KnownKey> claim_key(Tx& tx, const std::string& key, const std::string& digest, base::RunId run) {
    tx.send("delete from run_key where created_at < clock_timestamp() - make_interval(hours => $1)", {kKeyHours});
    const auto claimed = tx.exec("insert into run_key (key, digest, run_id) values ($1, $2, $3) on conflict do nothing returning 1", {kept_key(tx, key), digest, run});
    if (!claimed.empty()) return std::nullopt;
    auto known = find_key(tx, key, digest);
    if (!known) throw DbError(DbError::Kind::serialization, "the key was forgotten just now");
    return known;
}

void move_key(Tx& tx, const std::string& key, base::RunId run) { tx.send("update run_key set run_id = $2 where key = $1", {kept_key(tx, key), run}); }

std::string call_mark(base::RunId run) { return run.text().substr(24); }

void fork_run(Tx& tx, const Fork& fork) {
    tx.send("insert into message (id, conversation_id, position, run_id, role, body)"
            " select case when m.id = i.id then $3 else gen_random_uuid() end, $2, m.position, case when m.run_id = r.id then $4 else m.run_id end, m.role, m.body"
            " from run r join message i on i.id = $5 join message m on m.conversation_id = r.conversation_id and m.position <= i.position where r.id = $1",
            {fork.from, fork.conversation, fork.input, fork.id, fork.turn.input});
    tx.send("insert into run (id, conversation_id, input_id, alias, request, pinned, node_id, forked_from, forked_step, turn)"
            " select $2, $3, $4, alias, $5, pinned, node_id, id, $6, $7 from run where id = $1",
            {fork.from, fork.id, fork.conversation, fork.input, tx.redactor().without_known(fork.request), fork.upto.id, fork.turn.turn});
    tx.send("insert into step (id, run_id, position, epoch, kind, name, effect, effect_key, state, input, outcome, started_at, finished_at, copied_from)"
            " select gen_random_uuid(), $2, position, 0, kind, name, effect, replace(effect_key, $3, $4), state, input, outcome, started_at, finished_at, id"
            " from step where run_id = $1 and position <= $5",
            {fork.from, fork.id, call_mark(fork.from), call_mark(fork.id), fork.upto.position});
    tx.send("insert into run_input (id, run_id, position, body, via, sent_at, taken_by, unused_tokens) select gen_random_uuid(), $2, i.position, i.body, i.via, i.sent_at, i.taken_by, i.unused_tokens"
            " from run_input i left join step s on s.run_id = i.run_id and s.effect_key = i.taken_by where i.run_id = $1 and (i.position < $4 or s.position <= $3)",
            {fork.from, fork.id, fork.upto.position, fork.turn.first_input});
    tx.send("insert into run_turn (run_id, number, first_step, first_input, input_id, turn) select $2, t.number, t.first_step, t.first_input, copy.id, t.turn"
            " from run_turn t join message m on m.id = t.input_id join message copy on copy.conversation_id = $3 and copy.position = m.position"
            " where t.run_id = $1 and t.first_step <= $4",
            {fork.from, fork.id, fork.conversation, fork.upto.position});
    send_signal(tx, {Signal::Kind::work, fork.id});
}

}  // namespace store
