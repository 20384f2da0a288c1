#include "store/run_inputs.h"

#include "store/signals.h"

namespace store {
namespace {

std::vector<RunInput> select(Tx& tx, const std::string& where, base::RunId run) {
    std::vector<RunInput> out;
    for (const Row& row : tx.exec("select id, position, body, taken_by, " + micros("sent_at") + ", via, unused_tokens from run_input where run_id = $1" + where + " order by position", {run}))
        out.push_back({row.id<InputId>(0), row.integer(1), row.text(2), row.text_or(3, ""), row.time(4), row.text(5), int(row.integer(6))});
    return out;
}

}  // namespace

base::Result<RunInput> add_input(Tx& tx, base::RunId run, const std::string& text, const std::string& via, int unused_tokens) {
    // Waits for a transaction that ends the run, as that one waits for this.
    const auto rows = tx.exec("select state from run where id = $1 for no key update", {run});
    if (rows.empty()) return base::error(base::Code::not_found, "there is no run " + run.text());
    const std::string state = rows[0].text_or(0, "");
    if (state == "waiting_client")
        return base::error(base::Code::conflict, "the run waits for results of its client's tools", "send them in a run of the same conversation");
    if (!state.empty() && state != "waiting_person") return base::error(base::Code::conflict, "the run is finished (" + state + ")", "begin a run in the same conversation");
    RunInput out;
    out.id = InputId::make(base::SystemClock().now());
    const auto added = tx.exec("insert into run_input (id, run_id, position, body, via, unused_tokens)"
                               " select $1, $2, coalesce(max(position) + 1, 0), $3, $4, $5 from run_input where run_id = $2 returning position, body, " + micros("sent_at"),
                               {out.id, run, tx.redactor().without_known(text), via, unused_tokens});
    out.position = added.at(0).integer(0);
    out.text = added[0].text(1);
    out.sent = added[0].time(2);
    out.via = via;
    out.unused_tokens = unused_tokens;
    send_signal(tx, {Signal::Kind::input, run});
    return out;
}

std::vector<RunInput> list_inputs(Tx& tx, base::RunId run) { return select(tx, "", run); }
std::vector<RunInput> untaken_inputs(Tx& tx, base::RunId run) { return select(tx, " and taken_by is null", run); }

void take_input(Tx& tx, InputId input, const std::string& taken_by) {
    tx.send("update run_input set taken_by = $2 where id = $1 and taken_by is null", {input, taken_by});
}

void leave_inputs(Tx& tx, base::RunId run) { tx.send("select hearth_leave_inputs($1)", {run}); }

void adopt_inputs(Tx& tx, base::ConversationId conversation, base::RunId run) {
    tx.send("with left_over as (update run_input i set taken_by = 'later run' from run r"
            " where r.id = i.run_id and r.conversation_id = $1 and r.id <> $2 and r.state = 'waiting_client' and i.taken_by is null returning i.body, i.via, i.sent_at)"
            " insert into run_input (id, run_id, position, body, via, sent_at)"
            " select gen_random_uuid(), $2, (select coalesce(max(position), -1) from run_input where run_id = $2) + row_number() over (order by sent_at), body, via, sent_at from left_over",
            {conversation, run});
}

}  // namespace store
