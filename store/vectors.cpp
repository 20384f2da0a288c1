#include "store/vectors.h"

#include "store/digest.h"

namespace store {
namespace {

constexpr const char* kAudiences = "array(select hearth_person() union all select group_id from membership where person_id = hearth_person())";
const std::string kInScope = std::string("audience_id = any(") + kAudiences + ")";

const char* column_of(VectorOf kind) { return kind == VectorOf::fact ? "fact_id" : "segment_id"; }

}  // namespace

std::vector<Unembedded> without_vector(Tx& tx, const std::string& model, int most) {
    static const std::string sql = "(select 0, f.id, f.body from fact f where f." + kInScope + " and not exists (select from vector v where v.fact_id = f.id and v.model = $1) order by f.id desc limit $2)"
        " union all (select 1, g.id, g.asked || E'\\n' || g.answered from segment g where g." + kInScope + " and not exists (select from vector v where v.segment_id = g.id and v.model = $1) order by g.id desc limit $2) limit $2";
    std::vector<Unembedded> out;
    for (const Row& row : tx.exec(sql, {model, most})) out.push_back({row.integer(0) == 0 ? VectorOf::fact : VectorOf::segment, row.id<SegmentId>(1).value, row.text(2)});
    return out;
}

void keep_vector(Tx& tx, const std::string& model, const Unembedded& text, const std::string& bytes) {
    const std::string table = text.kind == VectorOf::fact ? "fact" : "segment";
    tx.send("insert into vector (audience_id, " + table + "_id, model, body) select audience_id, id, $2, decode($3, 'base64') from " + table + " where id = $1 on conflict do nothing",
            {SegmentId{text.of}, model, base64(bytes)});
}

std::vector<VectorProbe> vector_probes(Tx& tx, const std::string& model) {
    std::vector<VectorProbe> out;
    for (const Row& row : tx.exec("select a, encode(p.body, 'base64') from unnest(" + std::string(kAudiences) + ") a left join vector_probe p on p.audience_id = a and p.model = $1 order by a", {model}))
        out.push_back({row.id<base::AudienceId>(0), row.null(1) ? "" : from_base64(row.text(1)).value()});
    return out;
}

void begin_vectors(Tx& tx, base::AudienceId audience, const std::string& model, const std::string& probe) {
    tx.send("delete from vector where audience_id = $1", {audience});
    tx.send("delete from vector_probe where audience_id = $1", {audience});
    tx.send("insert into vector_probe (audience_id, model, body) values ($1, $2, decode($3, 'base64')) on conflict do nothing", {audience, model, base64(probe)});
}

std::vector<StoredVector> vectors_behind(Tx& tx, VectorOf kind, const std::string& model, base::AudienceId audience, const MemoryPlace& place, int most) {
    const std::string of = column_of(kind);
    std::vector<StoredVector> out;
    for (const Row& row : tx.exec("select " + of + ", encode(body, 'base64'), written, id from vector where audience_id = $1 and model = $2 and (written, id) > ($3::bigint, $4::uuid) and " + of + " is not null"
                                  " order by written, id limit $5", {audience, model, place.written, place.id.text(), most}))
        out.push_back({row.id<SegmentId>(0).value, from_base64(row.text(1)).value(), {row.integer(2), row.id<SegmentId>(3).value}});
    return out;
}

}  // namespace store
