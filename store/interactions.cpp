#include "store/interactions.h"

namespace store {

std::vector<Interaction> list_interactions(Tx& tx, const InteractionsAsked& asked) {
    static const std::string sql =
        "select * from (select distinct on (g.asked, g.answered) g.id, g.run_id, g.asked, g.answered, c.said ->> 'why', c.said ->> 'model', m.said ->> 'model', " + micros("g.said_at") +
        " from segment g"
        " cross join lateral (select s.attributes::json as said from span s where s.run_id = g.run_id and s.kind = 'phase' and s.name = 'critic' order by s.position desc limit 1) c"
        " left join lateral (select s.attributes::json as said from span s where s.run_id = g.run_id and s.kind = 'model' order by s.position desc limit 1) m on true"
        " where g.audience_id = hearth_person() and g.trusted and c.said ->> 'verdict' = 'pass' and octet_length(g.asked) < $1 and octet_length(g.answered) < $1"
        " and ($2::bigint is null or g.said_at >= to_timestamp($2::bigint / 1000000.0)) and ($3::bigint is null or g.said_at < to_timestamp($3::bigint / 1000000.0))"
        " order by g.asked, g.answered, g.id desc) one where $4::uuid is null or one.id < $4::uuid order by one.id desc limit $5";
    const auto moment = [](const std::optional<base::TimePoint>& at) { return at ? Param(micros_of(*at)) : Param(nullptr); };
    std::vector<Interaction> out;
    // What was cut is as long as a segment can be, but for the last character's bytes.
    for (const Row& row : tx.exec(sql, {std::int64_t(kSegmentBytes) - 3, moment(asked.since), moment(asked.until), asked.before, asked.limit}))
        out.push_back({row.id<SegmentId>(0), row.id<base::RunId>(1), row.text(2), row.text(3), row.text_or(4, ""), row.text_or(5, ""), row.text_or(6, ""), row.time(7)});
    return out;
}

}  // namespace store
