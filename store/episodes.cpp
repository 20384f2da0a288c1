#include "store/episodes.h"

#include "store/uuid_array.h"

namespace store {
namespace {

const std::string& columns() {
    static const std::string all = "e.id, e.conversation_id, e.summary, e.keywords, e.trusted, " + micros("e.began_at") + ", " + micros("e.ended_at") + ", e.written";
    return all;
}

std::vector<Episode> episodes_of(const std::vector<Row>& rows) {
    std::vector<Episode> out;
    for (const Row& row : rows)
        out.push_back({row.id<EpisodeId>(0), row.id<base::ConversationId>(1), row.text(2), row.text(3), row.boolean(4), row.time(5), row.time(6), {row.integer(7), row.id<EpisodeId>(0).value}});
    return out;
}

}  // namespace

bool keep_episode(Tx& tx, const std::vector<SegmentId>& segments, const Summary& summary) {
    const EpisodeId id = EpisodeId::make(base::SystemClock().now());
    const base::Redactor& clean = tx.redactor();
    // Locked, so that of two that sum up the same the later finds it done.
    const auto open = tx.exec("select s.id from segment s where s.id = any($1::uuid[]) and s.episode_id is null order by s.id for update", {uuid_array(segments)});
    if (open.size() != segments.size()) return false;
    tx.send("insert into episode (id, audience_id, conversation_id, first_position, last_position, summary, keywords, model, trusted, began_at, ended_at)"
            " select $1, min(audience_id::text)::uuid, min(conversation_id::text)::uuid, min(first_position), max(last_position), $3, $4, $5, bool_and(trusted), min(said_at), max(said_at)"
            " from segment where id = any($2::uuid[])",
            {id, uuid_array(segments), clean.without_known(summary.text), clean.without_known(summary.keywords), summary.model});
    tx.send("update segment set episode_id = $1 where id = any($2::uuid[])", {id, uuid_array(segments)});
    return true;
}

std::vector<Episode> episodes_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most) {
    return episodes_of(tx.exec("select " + columns() + " from episode e where e.audience_id = $1 and (e.written, e.id) > ($2::bigint, $3::uuid) order by e.written, e.id limit $4",
                               {audience, place.written, place.id.text(), most}));
}

std::vector<Episode> episodes_by_id(Tx& tx, const std::vector<EpisodeId>& ids) {
    if (ids.empty()) return {};
    return episodes_of(tx.exec("select " + columns() + " from episode e where e.id = any($1::uuid[])"
                               " and (e.audience_id = hearth_person() or e.audience_id in (select group_id from membership where person_id = hearth_person()))", {uuid_array(ids)}));
}

}  // namespace store
