#include "store/arrivals.h"

#include "store/storable.h"

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

void arrival_works(Tx& tx, const WorkingArrival& arrival) {
    tx.send("select hearth_arrival_works($1, $2, $3, $4, $5)", {arrival.bridge, arrival.update, arrival.chat, arrival.person, arrival.run});
}

std::vector<WorkingArrival> working_arrivals(Tx& tx) {
    std::vector<WorkingArrival> out;
    for (const Row& row : tx.exec("select bridge, update_id, chat, person_id, role, run_id from hearth_working_arrivals()"))
        out.push_back({row.text(0), row.text(1), row.text(2), row.id<base::PersonId>(3), row.text(4), row.id<base::RunId>(5)});
    return out;
}

void settle_arrival(Tx& tx, const std::string& bridge, const std::string& update, const std::string& outcome) {
    tx.send("select hearth_settle_arrival($1, $2, $3)", {bridge, update, storable(outcome)});
}

bool hold_poll(Tx& tx, const std::string& bridge, const std::string& holder, std::chrono::seconds hold) {
    return tx.exec("select hearth_hold_poll($1, $2, $3)", {bridge, holder, std::int64_t(hold.count())}).at(0).boolean(0);
}

}  // namespace store
