#include "store/facts.h"

#include "store/blobs.h"
#include "store/uuid_array.h"

namespace store {
namespace {

constexpr int kMostSightings = 100;

const std::string& columns() {
    static const std::string all = "f.id, f.body, f.source_run_id, " + micros("f.created_at") + ", f.trusted, f.written, " + micros("f.valid_to") +
                                   ", case when f.author <> hearth_person() then (select p.name from person p where p.id = f.author) end, f.noted"
                                   ", case when f.noted and not f.trusted then (select d.name from fact_sighting o join section n on n.id = o.section_id join document d on d.id = n.document_id where o.fact_id = f.id order by o.seen_at, o.id limit 1) end";
    return all;
}
constexpr const char* kMine = "(f.audience_id = hearth_person() or f.audience_id in (select group_id from membership where person_id = hearth_person()))";

Fact fact_of(const Row& row) {
    const auto id = row.id<base::FactId>(0);
    Fact out{id, row.text(1), row.id<base::RunId>(2), row.time(3), row.boolean(4), {row.integer(5), id.value}};
    if (!row.null(6)) out.until = row.time(6);
    out.teller = row.text_or(7, "");
    out.noted = row.boolean(8);
    out.document = row.text_or(9, "");
    return out;
}

std::vector<Fact> facts_of(const std::vector<Row>& rows) {
    std::vector<Fact> out;
    out.reserve(rows.size());
    for (const Row& row : rows) out.push_back(fact_of(row));
    return out;
}

std::string record_columns() {
    return columns() + ", f.audience_id, coalesce(f.subject, ''), f.seen, " + micros("f.last_seen") + ", " + micros("f.valid_from") + ", f.superseded_by";
}

FactRecord record_of(const Row& row) {
    return {fact_of(row), row.id<base::AudienceId>(10), row.text(11), int(row.integer(12)), row.time(13), row.time(14), row.id<base::FactId>(15)};
}

}  // namespace

base::FactId remember(Tx& tx, const Observation& seen, base::FactId id) {
    const base::Redactor& clean = tx.redactor();
    const Param since = seen.since ? Param(micros_of(*seen.since)) : Param(nullptr);
    tx.send("select hearth_remember($1, coalesce($10::uuid, hearth_person()), $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::bigint / 1000000.0), $11, $12)",
            {id, clean.without_known(seen.body), seen.run, seen.call, clean.without_known(seen.quote), seen.trusted, clean.without_known(seen.subject), clean.without_known(seen.instead_of), since, seen.audience, seen.segment, seen.section});
    return id;
}

base::FactId remember(Tx& tx, const std::string& body, base::RunId run) { return remember(tx, {body, run}); }

MemoryScope memory_scope(Tx& tx, const MemoryPlace& since) {
    static const std::string sql = [] {
        const std::string mine = " where audience_id = any(array(select hearth_person() union all select group_id from membership where person_id = hearth_person()))";
        std::string out = "select hearth_person(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 0 as rank, coalesce((select max(written) from memory_erasure" + mine + "), 0)";
        for (const char* table : {"fact", "segment", "episode", "section"}) out += std::string(", exists (select from ") + table + mine + " and written >= $1)";
        return out + " union all select group_id, 0, 1, 0, false, false, false, false from membership where person_id = hearth_person() order by rank, 1";
    }();
    MemoryScope out;
    for (const Row& row : tx.exec(sql, {since.written})) {
        if (row.integer(2) == 0) {
            out.next.written = row.integer(1);
            out.erased = row.integer(3);
            out.facts = row.boolean(4), out.segments = row.boolean(5), out.episodes = row.boolean(6), out.sections = row.boolean(7);
        }
        if (!row.null(0)) out.audiences.push_back(row.id<base::AudienceId>(0));
    }
    return out;
}

std::vector<Fact> facts_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most) {
    return facts_of(tx.exec("select " + columns() + " from fact f where f.audience_id = $1 and (f.written, f.id) > ($2::bigint, $3::uuid) order by f.written, f.id limit $4",
                            {audience, place.written, place.id.text(), most}));
}

std::vector<Fact> facts_by_id(Tx& tx, const std::vector<base::FactId>& ids) {
    if (ids.empty()) return {};
    return facts_of(tx.exec("select " + columns() + " from fact f where f.id = any($1::uuid[]) and " + kMine, {uuid_array(ids)}));
}

std::vector<FactRecord> list_facts(Tx& tx, int limit, std::optional<base::FactId> before, bool all) {
    std::vector<FactRecord> out;
    for (const Row& row : tx.exec("select " + record_columns() + " from fact f where " + kMine + " and ($1::uuid is null or f.id < $1::uuid) and ($2 or f.valid_to is null) order by f.id desc limit $3", {before, all, limit}))
        out.push_back(record_of(row));
    return out;
}

std::optional<FactRecord> find_fact(Tx& tx, base::FactId id) {
    const auto rows = tx.exec("select " + record_columns() + " from fact f where (f.id = $1 or f.id = (select s.fact_id from fact_sighting s where s.id = $1)) and " + kMine + " order by f.id = $1 desc limit 1", {id});
    if (rows.empty()) return std::nullopt;
    FactRecord out = record_of(rows[0]);
    for (const Row& row : tx.exec("select f.id, f.run_id, f.call, f.quote, f.trusted, " + micros("f.seen_at") + ", f.segment_id, f.section_id, d.name from fact_sighting f left join section n on n.id = f.section_id left join document d on d.id = n.document_id"
                                  " where f.fact_id = $1 and " + kMine + " order by f.seen_at, f.id limit $2", {out.fact.id, kMostSightings}))
        out.sightings.push_back({row.id<base::FactId>(0), row.id<base::RunId>(1), row.text(2), row.text(3), row.boolean(4), row.time(5), row.id<SegmentId>(6), row.id<SectionId>(7), row.text_or(8, "")});
    for (const Row& row : tx.exec("select f.id from fact f where f.superseded_by = $1 and " + std::string(kMine) + " order by f.id", {out.fact.id})) out.replaces.push_back(row.id<base::FactId>(0));
    return out;
}

std::vector<Forgotten> forget_facts(Tx& tx, const std::vector<base::FactId>& ids, bool really, std::vector<base::PersonId>* others) {
    std::vector<base::FactId> all = ids;
    for (const Row& row : tx.exec("select n from hearth_noted_with($1::uuid[], $2) n", {uuid_array(ids), kLeastSoughtText})) all.push_back(row.id<base::FactId>(0));
    std::vector<Forgotten> out;
    const std::int64_t blobs = forget_blobs_of(tx, all, really);  // first, as what follows: afterwards nobody knows in which runs they were told
    std::int64_t told = 0;
    for (const Row& row : tx.exec("select person, runs from hearth_forget_told($1::uuid[], $2, $3)", {uuid_array(all), really, kLeastSoughtText})) {
        if (others) others->push_back(row.id<base::PersonId>(0));
        told += row.integer(1);
    }
    for (const Row& row : tx.exec("select kind, number from hearth_forget($1::uuid[], $2, $3)", {uuid_array(all), really, kLeastSoughtText})) out.push_back({row.text(0), row.integer(1)});
    if (!out.empty()) out.insert(out.end(), {{"blobs", blobs}, {"told_in_groups", told}});
    return out;
}

}  // namespace store
