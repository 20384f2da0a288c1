#include "store/arrivals.h"

#include "store/digest.h"
#include "store/storable.h"
#include "store/uuid_array.h"

namespace store {

bool keep_arrival(Tx& tx, const Arrived& arrived) {
    return tx.exec("select hearth_keep_arrival($1, $2, $3)", {arrived.bridge, arrived.update, tx.redactor().without_known(storable(arrived.body))}).at(0).boolean(0);
}

std::vector<Arrived> take_arrivals(Tx& tx, int most, std::chrono::seconds hold) {
    std::vector<Arrived> out;
    for (const Row& row : tx.exec("select bridge, update_id, body from hearth_take_arrivals($1, $2)", {most, std::int64_t(hold.count())}))
        out.push_back({row.text(0), row.text(1), row.text(2)});
    return out;
}

void note_arrival(Tx& tx, const ArrivalNote& note) {
    tx.send("select hearth_note_arrival($1, $2, $3, $4, $5, $6)", {note.bridge, note.update, note.chat, note.message, note.digest, note.in_company});
}

std::optional<NotedArrival> find_noted(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& message) {
    const auto rows = tx.exec("select update_id, state = 'new', run_id, person_id, digest from hearth_arrival_of($1, $2, $3)", {bridge, chat, message});
    if (rows.empty()) return std::nullopt;
    return NotedArrival{rows[0].text(0), rows[0].boolean(1), rows[0].id<base::RunId>(2), rows[0].id<base::PersonId>(3), rows[0].text(4)};
}

void redigest_arrival(Tx& tx, const std::string& bridge, const std::string& update, const std::string& digest) {
    tx.send("select hearth_redigest_arrival($1, $2, $3)", {bridge, update, digest});
}

void move_chat(Tx& tx, const std::string& bridge, const std::string& from, const std::string& to) { tx.send("select hearth_move_chat($1, $2, $3)", {bridge, from, to}); }

std::vector<Exchange> group_talk(Tx& tx, const std::string& bridge, const std::string& chat, int most) {
    std::vector<Exchange> out;
    for (const Row& row : tx.exec("select name, asked, answered, run from hearth_group_talk($1, $2, $3)", {bridge, chat, most})) out.push_back({row.text(0), row.text(1), row.text(2), row.id<base::RunId>(3)});
    return out;
}

void note_told(Tx& tx, base::RunId run, const std::vector<ToldWords>& told) {
    for (const ToldWords& one : told)
        tx.send("insert into told_words (run_id, source_run_id, digest) select $1, s, $3 from unnest($2::uuid[]) s on conflict do nothing", {run, uuid_array(one.of), sha256_hex(tx.redactor().without_known(one.text))});
}

void erase_told_at_end(Tx& tx, base::RunId run) { tx.send("select hearth_erase_told_at_end($1)", {run}); }

void arrival_works(Tx& tx, const WorkingArrival& arrival) {
    tx.send("select hearth_arrival_works($1, $2, $3, $4, $5)", {arrival.bridge, arrival.update, arrival.chat, arrival.person, arrival.run});
}

std::vector<WorkingArrival> working_arrivals(Tx& tx) {
    std::vector<WorkingArrival> out;
    for (const Row& row : tx.exec("select bridge, update_id, chat, person_id, role, run_id, message, in_company from hearth_working_arrivals()"))
        out.push_back({row.text(0), row.text(1), row.text(2), row.id<base::PersonId>(3), row.text(4), row.id<base::RunId>(5), row.text(6), row.boolean(7)});
    return out;
}

void settle_arrival(Tx& tx, const std::string& bridge, const std::string& update, const std::string& outcome) {
    tx.send("select hearth_settle_arrival($1, $2, $3)", {bridge, update, storable(outcome)});
}

bool hold_poll(Tx& tx, const std::string& bridge, base::RunId holder, std::chrono::seconds hold) {
    return tx.exec("select hearth_hold_poll($1, $2, $3)", {bridge, holder.text(), std::int64_t(hold.count())}).at(0).boolean(0);
}

}  // namespace store
