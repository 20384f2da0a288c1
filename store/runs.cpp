#include "store/runs.h"

#include <stdexcept>
#include <utility>

#include "store/run_list.h"
#include "store/traces.h"

namespace store {

// JSON with \u0000 in it is no JSON to PostgreSQL.
const char* const kTextOfMessage =
    "case when position('\\u0000' in m.body) > 0 then ''"
    " when json_typeof(m.body::json->'content') = 'array' then (select left(string_agg(p->>'text', ' '), 300) from json_array_elements(m.body::json->'content') p)"
    " else left(m.body::json->>'content', 300) end";

namespace {

const std::string& question() {
    static const std::string sql = std::string("coalesce((select ") + kTextOfMessage + " from message m where m.id = input_id), question)";
    return sql;
}

}  // namespace

std::string not_held(base::RunId id, std::int64_t epoch) {
    return "run " + id.text() + " is no longer held at epoch " + std::to_string(epoch) + ": it has ended, or another process took it over";
}

// Locks are of a database: the same key in another one is not ours.
const char* const kHeldRun =
    "exists (select 1 from pg_locks l where l.locktype = 'advisory' and l.objsubid = 1 and l.granted"
    " and l.database = (select oid from pg_database where datname = current_database())"
    " and l.classid::bigint = (hearth_lock_key(id) >> 32) & 4294967295 and l.objid::bigint = hearth_lock_key(id) & 4294967295)";

namespace {

const std::string& columns() {
    static const std::string all = "id, conversation_id, input_id, alias, state, error, turn, usage, " + micros("started_at") + ", " + micros("finished_at") + ", epoch," +
                                   // Nobody holds the lease of a run without state: its process is gone.
                                   " state is null and not " + kHeldRun + ", " + question() + ", metadata, forked_from, forked_step, " + micros("stop_asked_at");
    return all;
}

Run run_of(const Row& row) {
    Run run;
    run.id = row.id<base::RunId>(0);
    run.conversation = row.id<base::ConversationId>(1);
    run.input = row.id<base::MessageId>(2);
    run.alias = row.text(3);
    run.status = row.text_or(4, !row.boolean(11) ? "running" : row.integer(10) == 0 || row.null(2) ? "queued" : "interrupted");
    run.error = row.text(5);
    run.turn = row.json(6);
    run.usage = row.json(7);
    run.started = row.time(8);
    if (!row.null(9)) run.finished = row.time(9);
    run.epoch = row.integer(10);
    run.question = row.text_or(12, "");
    if (!row.null(13)) run.metadata = row.json(13);
    run.forked_from = row.id<base::RunId>(14);
    run.forked_step = row.id<base::StepId>(15);
    if (!row.null(16)) run.stop_asked = row.time(16);
    return run;
}

class HeldLease final : public RunLease {
public:
    HeldLease(Db& db, base::RunId run, std::int64_t epoch) : db_(db), run_(run), epoch_(epoch) {}
    ~HeldLease() override { db_.unlock(run_); }
    base::RunId run() const override { return run_; }
    std::int64_t epoch() const override { return epoch_; }

private:
    Db& db_;
    base::RunId run_;
    std::int64_t epoch_;
};

}  // namespace

std::unique_ptr<RunLease> lease_new_run(Db& db, base::RunId id) {
    if (!db.try_lock(id)) throw std::logic_error("the run " + id.text() + " is not new");
    return std::make_unique<HeldLease>(db, id, 1);
}

base::Result<std::unique_ptr<RunLease>> acquire_lease(Db& db, const Identity& who, base::RunId id) {
    if (!db.try_lock(id)) return base::error(base::Code::conflict, "run " + id.text() + " is held by another process");
    auto raise = [&](Tx& tx) {
        const auto raised = tx.exec("update run set epoch = epoch + 1, attempts = attempts + 1, held_at = clock_timestamp(), worked = worked +"
                                    " greatest(interval '0', (select max(greatest(started_at, finished_at)) from step where run_id = $1) - held_at)"
                                    " where id = $1 returning epoch", {id});
        if (!raised.empty()) tx.send("update step set epoch = $2 where run_id = $1 and state = 'intent'", {id, raised[0].integer(0)});
        return raised;
    };
    try {
        const auto rows = db.run_blocking(who, raise);
        if (!rows.empty()) return std::unique_ptr<RunLease>(std::make_unique<HeldLease>(db, id, rows[0].integer(0)));
    } catch (...) {
        db.unlock(id);
        throw;
    }
    db.unlock(id);
    return base::error(base::Code::not_found, "there is no run " + id.text());
}

void create_run(Tx& tx, const RunLease& lease, base::ConversationId conversation, base::MessageId input, const std::string& alias,
                const Resumption& resumption) {
    const auto request = resumption.request.is_null() ? std::nullopt : std::optional(tx.redactor().without_known(resumption.request));
    tx.send("insert into run (id, conversation_id, input_id, alias, epoch, request, pinned) values ($1, $2, $3, $4, $5, $6, $7)",
            {lease.run(), conversation, input, alias, lease.epoch(), request, resumption.pinned});
}

base::Json run_request(Tx& tx, base::RunId id) {
    const auto rows = tx.exec("select request from run where id = $1", {id});
    return rows.empty() || rows[0].null(0) ? base::Json() : rows[0].json(0);
}

std::chrono::microseconds time_worked(Tx& tx, base::RunId id) {
    const auto rows = tx.exec("select " + micros("worked") + " from run where id = $1", {id});
    return std::chrono::microseconds(rows.empty() ? 0 : rows[0].integer(0));
}

base::RunId busy_run(Tx& tx, base::ConversationId conversation) {
    std::string query = "select id from run where conversation_id = $1 and state is null and (";
    query += kHeldRun;
    query += " or hearth_goes_on(request, attempts, started_at, pinned, node_id, hearth_node())) limit 1";
    const auto rows = tx.exec(query, {conversation});
    return rows.empty() ? base::RunId{} : rows[0].id<base::RunId>(0);
}

std::vector<Interrupted> list_interrupted(Db& db) {
    // Who holds what is asked once, and of two runs of a conversation the later one waits.
    std::string query = "with open as materialized (select *, ";
    query += kHeldRun;
    query += " as held from hearth_open_runs($1)) select id, tenant_id, person_id from open r where goes_on and not held and not exists"
             " (select 1 from open o where o.conversation_id = r.conversation_id and (o.held or (o.goes_on and o.id < r.id))) order by id";
    const auto list = [&](Tx& tx) { return tx.exec(query, {tx.node()}); };
    std::vector<Interrupted> out;
    for (const Row& row : db.run_blocking({}, list, Db::Access::read))
        out.push_back({row.id<base::RunId>(0), {row.id<base::TenantId>(1), row.id<base::PersonId>(2)}});
    return out;
}

std::optional<Run> find_run(Tx& tx, base::RunId id) {
    const auto rows = tx.exec("select " + columns() + " from run where id = $1", {id});
    if (rows.empty()) return std::nullopt;
    return run_of(rows[0]);
}

std::vector<Run> list_runs(Tx& tx, int limit, std::optional<base::RunId> before) { return list_runs(tx, limit, before, {}); }

std::vector<Run> list_runs(Tx& tx, int limit, std::optional<base::RunId> before, const RunFilter& filter) {
    // Only what is asked for stands in the statement: a condition that may be none is planned as if it were.
    std::string query = "select " + columns() + " from run where true";
    std::vector<Param> params = {limit};
    const auto add = [&](const std::string& condition, Param value, const char* end = "") {
        params.push_back(std::move(value));
        query += " and " + condition + "$" + std::to_string(params.size()) + end;
    };
    if (before) add("id < ", *before, "::uuid");
    if (filter.state == "open") query += " and (state is null or state = 'waiting_person')";
    else if (!filter.state.empty()) add("state = ", filter.state);
    if (!filter.alias.empty()) add("alias = ", filter.alias);
    if (!filter.text.empty()) add("strpos(lower(" + question() + "), lower(", filter.text, ")) > 0");
    if (!filter.tool.empty()) add("id in (select s.run_id from step s where s.kind = 'tool' and s.name = ", filter.tool, ")");
    if (filter.since) add("started_at >= to_timestamp(", micros_of(*filter.since), "::bigint / 1000000.0)");
    if (filter.until) add("started_at < to_timestamp(", micros_of(*filter.until), "::bigint / 1000000.0)");
    std::vector<Run> out;
    for (const Row& row : tx.exec(query + " order by id desc limit $1", std::move(params))) out.push_back(run_of(row));
    return out;
}

std::vector<Run> runs_of(Tx& tx, base::ConversationId conversation) {
    std::vector<Run> out;
    for (const Row& row : tx.exec("select " + columns() + " from run where conversation_id = $1 order by id desc limit 100", {conversation})) out.push_back(run_of(row));
    return out;
}

void hold_run(Tx& tx, base::RunId id, std::int64_t epoch) {
    static const std::string hold = require("select 1 from run where id = $1 and epoch = $2 and state is null for no key update",
                                            DbError::Kind::serialization, "$3");
    tx.send(hold, {id, epoch, not_held(id, epoch)});
}

void note_progress(Tx& tx, base::RunId id, std::int64_t epoch) {
    tx.send("update run set attempts = 0 where id = $1 and epoch = $2", {id, epoch});
}

void save_turn(Tx& tx, base::RunId id, std::int64_t epoch, const base::Json& turn) {
    static const std::string save = require("update run set turn = $3 where id = $1 and epoch = $2 and state is null returning 1",
                                            DbError::Kind::serialization, "$4");
    tx.send(save, {id, epoch, tx.redactor().without_known(turn), not_held(id, epoch)});
}

void rest_run(Tx& tx, base::RunId id, std::int64_t epoch, const std::string& resting_state, const std::string& error) {
    static const std::string rest = require("update run set state = $3, error = $4, finished_at = clock_timestamp() where id = $1 and epoch = $2 and state is null returning 1",
                                            DbError::Kind::serialization, "$5");
    tx.send(rest, {id, epoch, resting_state, error, not_held(id, epoch)});
}

void finish_run(Tx& tx, base::RunId id, std::int64_t epoch, const std::string& final_state, const std::string& error,
                const base::Json& usage, const base::Json& turn) {
    static const std::string finish = require(
        "update run set state = $3, error = $4, usage = $5, turn = $6, finished_at = clock_timestamp()"
        " where id = $1 and epoch = $2 and state is null returning 1",
        DbError::Kind::serialization, "$7");
    tx.send(finish, {id, epoch, final_state, tx.redactor().redacted(error), usage, tx.redactor().without_known(turn), not_held(id, epoch)});
}

namespace {

// The root of a run that nobody was there to end; what else it did lies in the trace already.
base::Span root_of(const Tx& tx, const Run& run, const base::Json& request) {
    base::Span root;
    root.id = base::SpanId::parse(request.is_object() ? request.value("root", "") : "").value_or(base::SpanId::make(run.finished));
    root.run = run.id;
    root.tenant = tx.identity().tenant;
    root.person = tx.identity().person;
    root.kind = "run";
    root.name = run.alias;
    root.started = run.started;
    root.duration = std::chrono::duration_cast<std::chrono::microseconds>(run.finished - run.started);
    root.error = run.error;
    root.attributes = {{"final_state", run.status}, {"usage", run.usage}};
    root.body = {{"request", run.question}};
    return root;
}

bool settle_run(Tx& tx, base::RunId id) {
    if (!tx.exec("select hearth_settle_run($1)", {id}).at(0).boolean(0)) return false;
    end_trace(tx, id);
    return true;
}

}  // namespace

void end_trace(Tx& tx, base::RunId id) {
    if (!tx.exec("select 1 from span where run_id = $1 and parent_id is null limit 1", {id}).empty()) return;
    std::optional<ChainEnd> end;
    write_records(tx, id, {root_of(tx, find_run(tx, id).value(), run_request(tx, id))}, end);
}

std::vector<base::RunId> settle_interrupted(Db& db) {
    const auto list = [](Tx& tx) { return tx.exec("select id, tenant_id, person_id from hearth_given_up_runs() order by id"); };
    const auto given_up = db.run_blocking({}, list, Db::Access::read);
    std::vector<base::RunId> out;
    for (const Row& row : given_up) {
        const auto id = row.id<base::RunId>(0);
        const auto settle = [&](Tx& tx) { return settle_run(tx, id); };
        // One whose trace was changed from outside cannot be ended, and keeps no other from it.
        try {
            if (db.run_blocking({row.id<base::TenantId>(1), row.id<base::PersonId>(2)}, settle)) out.push_back(id);
        } catch (const DbError&) {
        }
    }
    return out;
}

}  // namespace store
