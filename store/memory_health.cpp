#include "store/memory_health.h"

namespace store {

MemoryHealth memory_health(Tx& tx) {
    static const std::string sql =
        "with mine as (select hearth_person() as audience union all select group_id from membership where person_id = hearth_person()),"
        " f as (select count(*) filter (where valid_to is null) as held, count(*) filter (where valid_to is not null) as replaced, coalesce(sum(seen - 1), 0) as again,"
        "   count(*) filter (where valid_to is null and not trusted) as texts, count(*) filter (where valid_to is null and audience_id <> hearth_person()) as shared from fact where audience_id in (select audience from mine)),"
        " s as (select count(*) as all, count(*) filter (where episode_id is null) as open, count(*) filter (where archived) as archived, count(*) filter (where audience_id = hearth_person() and not archived) as unarchived from segment where audience_id in (select audience from mine)),"
        " e as (select count(*) as all, count(*) filter (where archived) as archived, count(*) filter (where audience_id = hearth_person() and not archived) as unarchived, max(ended_at) as last from episode where audience_id in (select audience from mine)),"
        " d as (select count(*) as all, count(*) filter (where sections is null) as open, coalesce(sum(sections), 0) as sections from document where audience_id in (select audience from mine)),"
        " n as (select count(*) as unread from section where audience_id = hearth_person() and read_at is null)"
        " select f.held, f.replaced, f.again, f.texts, f.shared, s.all, s.open, e.all, d.all, d.open, d.sections, n.unread, s.archived + e.archived, s.unarchived + e.unarchived, " + micros("e.last") + " from f, s, e, d, n";
    const Row row = tx.exec(sql).at(0);
    MemoryHealth out{row.integer(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4), row.integer(5), row.integer(6), row.integer(7), row.integer(8), row.integer(9), row.integer(10), row.integer(11), row.integer(12), row.integer(13)};
    if (!row.null(14)) out.last_episode = row.time(14);
    return out;
}

}  // namespace store
