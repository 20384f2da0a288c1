#include "store/facts.h"

namespace store {
namespace {

const std::string kColumns = "id, body, source_run_id, " + micros("created_at") + ", trusted, written";

std::vector<Fact> facts_of(const std::vector<Row>& rows) {
    std::vector<Fact> out;
    out.reserve(rows.size());
    for (const Row& row : rows) {
        const auto id = row.id<base::FactId>(0);
        out.push_back({id, row.text(1), row.id<base::RunId>(2), row.time(3), row.boolean(4), {row.integer(5), id}});
    }
    return out;
}

// As an array's literal.
std::string listed(const std::vector<base::FactId>& ids) {
    std::string out = "{";
    for (const base::FactId& id : ids) out += (out.size() == 1 ? "" : ",") + id.text();
    return out + "}";
}

}  // namespace

base::FactId remember(Tx& tx, const std::string& body, base::RunId source, base::FactId id, bool trusted) {
    tx.send("insert into fact (id, body, source_run_id, trusted) values ($1, $2, $3, $4)", {id, tx.redactor().without_known(body), source, trusted});
    return id;
}

FactScope fact_scope(Tx& tx) {
    FactScope out;
    for (const Row& row : tx.exec("select hearth_person(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 0 as rank"
                                  " union all select group_id, 0, 1 from membership where person_id = hearth_person() order by rank, 1")) {
        if (row.integer(2) == 0) out.next.written = row.integer(1);
        if (!row.null(0)) out.audiences.push_back(row.id<base::AudienceId>(0));
    }
    return out;
}

std::vector<Fact> facts_behind(Tx& tx, base::AudienceId audience, const FactPlace& place, int most) {
    // No place has the nil id, which a parameter would make null.
    const std::string nil = base::Uuid{}.text();
    return facts_of(tx.exec("select " + kColumns + " from fact where audience_id = $1 and (written, id) > ($2::bigint, $3::uuid) order by written, id limit $4",
                            {audience, place.written, place.id.is_nil() ? nil : place.id.text(), most}));
}

std::vector<Fact> facts_by_id(Tx& tx, const std::vector<base::FactId>& ids) {
    if (ids.empty()) return {};
    return facts_of(tx.exec("select " + kColumns + " from fact where id = any($1::uuid[])", {listed(ids)}));
}

}  // namespace store
