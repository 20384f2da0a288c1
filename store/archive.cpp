#include "store/archive.h"

#include "store/digest.h"
#include "store/uuid_array.h"

namespace store {
namespace {

constexpr std::size_t kKeyBytes = 32;

struct Source {
    const char *kind, *columns;  // run, when it began and ended, the Markdown
};
const std::vector<Source>& sources() {
    static const std::string said = "o.run_id, " + micros("o.said_at") + ", " + micros("o.said_at") + ", '## Asked' || e'\\n\\n' || o.asked || e'\\n\\n## Answered\\n\\n' || o.answered || e'\\n'";
    static const std::string summed = "null, " + micros("o.began_at") + ", " + micros("o.ended_at") + ", o.summary || e'\\n\\nKeywords: ' || o.keywords || e'\\n'";
    static const std::vector<Source> all = {{"segment", said.c_str()}, {"episode", summed.c_str()}};
    return all;
}

}  // namespace

void lock_archive(Tx& tx) { tx.send("select pg_advisory_xact_lock(hashtextextended('archive ' || hearth_person(), 0))"); }

void make_archive_keys(Tx& tx, int most) {
    for (const Source& source : sources())
        for (const Row& row : tx.exec(std::string("select distinct n.conversation_id from (select o.conversation_id from ") + source.kind +
                                          " o where o.audience_id = hearth_person() and not o.archived order by o.id limit $1) n"
                                          " where not exists (select from archive_key k where k.conversation_id = n.conversation_id and k.audience_id = hearth_person())", {most}))
            tx.send("insert into archive_key (conversation_id, key) values ($1, $2) on conflict do nothing", {row.id<base::ConversationId>(0), base64url(random_bytes(kKeyBytes))});
}

std::vector<Archivable> next_archivable(Tx& tx, int most) {
    std::vector<Archivable> out;
    for (const Source& source : sources())
        for (const Row& row : tx.exec(std::string("select o.id, o.conversation_id, k.key, ") + source.columns + " from " + source.kind +
                                          " o join archive_key k on k.conversation_id = o.conversation_id and k.audience_id = o.audience_id"
                                          " where o.audience_id = hearth_person() and not o.archived order by o.id limit $1 for update of o", {most - int(out.size())}))
            out.push_back({source.kind, row.id<SegmentId>(0).value, row.id<base::ConversationId>(1), row.id<base::RunId>(3), row.time(4), row.time(5), row.text(6), row.text(2)});
    return out;
}

void mark_archived(Tx& tx, const std::vector<Archivable>& items) {
    for (const Source& source : sources()) {
        std::vector<base::Uuid> ids;
        for (const Archivable& one : items)
            if (one.kind == source.kind) ids.push_back(one.id);
        if (!ids.empty()) tx.send(std::string("update ") + source.kind + " set archived = true where id = any($1::uuid[])", {uuid_array(ids)});
    }
}

std::optional<std::string> archive_key(Tx& tx, base::ConversationId conversation) {
    const auto rows = tx.exec("select key from archive_key where conversation_id = $1 and audience_id = hearth_person()", {conversation});
    if (rows.empty()) return std::nullopt;
    return rows[0].text(0);
}

}  // namespace store
