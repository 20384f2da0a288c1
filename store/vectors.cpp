#include "store/vectors.h"

#include "store/digest.h"

namespace store {
namespace {

constexpr const char* kMine = "audience_id = any(array(select hearth_person() union all select group_id from membership where person_id = hearth_person()))";

const char* column_of(VectorOf kind) { return kind == VectorOf::fact ? "fact_id" : "segment_id"; }

}  // namespace

std::vector<Unembedded> without_vector(Tx& tx, const std::string& model, int most) {
    static const std::string sql = std::string("(select 0, f.id, f.body from fact f where f.") + kMine + " and not exists (select from vector v where v.fact_id = f.id and v.model = $1) order by f.id desc limit $2)"
        " union all (select 1, g.id, g.asked || E'\\n' || g.answered from segment g where g." + kMine + " and not exists (select from vector v where v.segment_id = g.id and v.model = $1) order by g.id desc limit $2) limit $2";
    std::vector<Unembedded> out;
    for (const Row& row : tx.exec(sql, {model, most})) out.push_back({row.integer(0) == 0 ? VectorOf::fact : VectorOf::segment, row.id<SegmentId>(1).value, row.text(2)});
    return out;
}

void keep_vector(Tx& tx, const std::string& model, const Unembedded& text, const std::string& bytes) {
    const std::string table = text.kind == VectorOf::fact ? "fact" : "segment";
    tx.send("insert into vector (audience_id, " + table + "_id, model, body) select audience_id, id, $2, decode($3, 'base64') from " + table + " where id = $1 on conflict do nothing",
            {SegmentId{text.of}, model, base64(bytes)});
}

std::string vector_probe(Tx& tx, const std::string& model) {
    const auto rows = tx.exec("select encode(body, 'base64') from vector_probe where audience_id = hearth_person() and model = $1", {model});
    return rows.empty() ? "" : from_base64(rows[0].text(0)).value();
}

void begin_vectors(Tx& tx, const std::string& model, const std::string& probe) {
    tx.send(std::string("delete from vector where ") + kMine, {});
    tx.send("delete from vector_probe where audience_id = hearth_person()", {});
    tx.send("insert into vector_probe (model, body) values ($1, decode($2, 'base64')) on conflict do nothing", {model, base64(probe)});
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
