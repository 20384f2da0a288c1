#include "store/approvals.h"

#include <utility>

#include "store/digest.h"
#include "store/signals.h"

namespace store {
namespace {

using State = Approval::State;

const std::string& columns() {
    static const std::string all = "id, run_id, effect_key, tool, arguments, rule, reason,"
                                   " case when used_at is not null then 'used' when decision is not null then decision"
                                   " when expires_at <= clock_timestamp() then 'expired' else 'open' end, " +
                                   micros("asked_at") + ", " + micros("expires_at") +
                                   ", coalesce((select name from person where person.id = decided_by), ''), decided_via";
    return all;
}

// Nobody asks any more for a run that was stopped while it waited.
const std::string kRunGoesOn = "exists (select from run where run.id = run_id and stop_asked_at is null and (state is null or state = 'waiting_person'))";

State parse_state(const std::string& text) {
    for (const State state : {State::granted, State::denied, State::expired, State::used})
        if (text == name(state)) return state;
    return State::open;
}

Approval approval_of(const Row& row) {
    return {row.id<ApprovalId>(0),
            {row.id<base::RunId>(1), row.text(2), row.text(3), row.json(4), row.text(5), row.text(6)},
            parse_state(row.text(7)),
            row.time(8),
            row.time(9),
            row.text(10),
            row.text(11)};
}

std::vector<Approval> select(Tx& tx, const std::string& where, std::vector<Param> params, const char* lock = "") {
    std::vector<Approval> out;
    for (const Row& row : tx.exec("select " + columns() + " from approval where " + where + " order by asked_at, id" + lock, std::move(params)))
        out.push_back(approval_of(row));
    return out;
}

}  // namespace

std::string_view name(State state) {
    switch (state) {
        case State::open: return "open";
        case State::granted: return "granted";
        case State::denied: return "denied";
        case State::expired: return "expired";
        case State::used: return "used";
    }
    return "open";
}

base::Result<Approval> ask_approval(Tx& tx, const ApprovalRequest& request, std::chrono::seconds lifetime) {
    const std::string digest = sha256_hex(base::dump(request.arguments));
    tx.send("insert into approval (id, run_id, effect_key, tool, arguments, digest, rule, reason, expires_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + make_interval(secs => $9)) on conflict (run_id, effect_key) do nothing",
            {ApprovalId::make(base::SystemClock().now()), request.run, request.effect_key, request.tool, request.arguments, digest,
             request.rule, request.reason, std::int64_t(lifetime.count())});
    // A word that is given meanwhile waits for this transaction, and finds the run at rest.
    auto found = select(tx, "run_id = $1 and effect_key = $2 and tool = $3 and digest = $4", {request.run, request.effect_key, request.tool, digest}, " for update");
    if (found.empty())
        return base::error(base::Code::conflict, "the call " + request.effect_key + " of " + request.tool + " has other arguments than those that a person was asked about");
    return std::move(found[0]);
}

std::optional<Approval> find_approval(Tx& tx, ApprovalId id) {
    auto found = select(tx, "id = $1", {id});
    return found.empty() ? std::nullopt : std::optional(std::move(found[0]));
}

base::Result<Approval> decide_approval(Tx& tx, ApprovalId id, bool grant, const std::string& via) {
    const auto rows = tx.exec("update approval set decision = $2, decided_by = hearth_person(), decided_via = $3, decided_at = clock_timestamp()"
                              " where id = $1 and decision is null and expires_at > clock_timestamp() and " + kRunGoesOn + " returning run_id",
                              {id, grant ? "granted" : "denied", via});
    auto found = select(tx, "id = $1", {id});
    if (found.empty()) return base::error(base::Code::not_found, "there is no approval " + id.text());
    if (rows.empty() && found[0].state == State::open)
        return base::error(base::Code::conflict, "the run " + found[0].request.run.text() + " was stopped, and waits for no word any more");
    if (rows.empty())
        return base::error(base::Code::conflict, "the approval " + id.text() + " is " + std::string(name(found[0].state)) + " already" + (found[0].decided_by.empty() ? "" : ", by " + found[0].decided_by));
    tx.send("update run set state = null, error = '', finished_at = null where id = $1 and state = 'waiting_person'", {found[0].request.run});
    send_signal(tx, {Signal::Kind::work, found[0].request.run});
    return std::move(found[0]);
}

void use_approval(Tx& tx, ApprovalId id) {
    static const std::string use = require("update approval set used_at = clock_timestamp() where id = $1 and decision = 'granted' and used_at is null returning 1",
                                           DbError::Kind::serialization, "$2");
    tx.send(use, {id, "the approval " + id.text() + " is not granted, or was used before"});
}

std::vector<Approval> open_approvals(Tx& tx) {
    return select(tx, "decision is null and expires_at > clock_timestamp() and audience_id = hearth_person() and " + kRunGoesOn, {});
}

std::vector<Approval> approvals_of(Tx& tx, base::RunId run) { return select(tx, "run_id = $1", {run}); }

std::vector<base::RunId> expire_approvals(Db& db) {
    auto expire = [](Tx& tx) { return tx.exec("select hearth_expire_approvals()"); };
    std::vector<base::RunId> out;
    for (const Row& row : db.run_blocking({}, expire)) out.push_back(row.id<base::RunId>(0));
    return out;
}

}  // namespace store
