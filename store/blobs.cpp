#include "store/blobs.h"

#include "store/storable.h"
#include "store/uuid_array.h"

namespace store {
namespace {

const std::string& columns() {
    static const std::string all = "b.id, b.node_id, b.run_id, b.bridge, b.media, b.name, b.type, b.state, coalesce(b.digest, ''), b.bytes, b.error, " + micros("b.arrived_at");
    return all;
}

Blob blob_of(const Row& row) {
    return {row.id<BlobId>(0), row.id<base::NodeId>(1), row.id<base::RunId>(2), row.text(3), row.text(4), row.text(5), row.text(6), row.text(7), row.text(8), row.integer(9), row.text(10), row.time(11)};
}

std::string text_array(const std::vector<std::string>& all) {
    std::string out;
    for (const std::string& one : all) out += (out.empty() ? "{\"" : "\",\"") + one;
    return out.empty() ? "{}" : out + "\"}";
}

// Those of the person for which `holds`.
std::int64_t forget_where(Tx& tx, const std::string& holds, Param value, bool really) {
    const std::string which = "from blob b where b.audience_id = hearth_person() and " + holds;
    const std::string sql = really ? "with gone as (delete " + which + " returning 1) select count(*) from gone" : "select count(*) " + which;
    return tx.exec(sql, {std::move(value)}).at(0).integer(0);
}

}  // namespace

Blob want_blob(Tx& tx, const NewBlob& wanted, const BlobCaps& caps) {
    const bool fits = wanted.bytes <= caps.one;
    const std::string why = fits ? "" : too_large(caps).message;
    tx.send("insert into blob (id, bridge, chat, message, source, in_company, tells, media, name, type, bytes, state, error, held_until)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp() + make_interval(secs => $14)) on conflict (audience_id, bridge, chat, message, source) do nothing",
            {BlobId::make(base::SystemClock().now()), wanted.bridge, wanted.chat, wanted.message, wanted.source, wanted.in_company, wanted.tells, wanted.media,
             tx.redactor().without_known(storable(wanted.name)), storable(wanted.type), wanted.bytes, fits ? "wanted" : "failed", why, std::int64_t(wanted.claimed.count())});
    return blob_of(tx.exec("select " + columns() + " from blob b where b.audience_id = hearth_person() and b.bridge = $1 and b.chat = $2 and b.message = $3 and b.source = $4",
                           {wanted.bridge, wanted.chat, wanted.message, wanted.source}).at(0));
}

void note_blob_run(Tx& tx, const std::string& bridge, const std::string& chat, const std::string& message, base::RunId run) {
    tx.send("update blob set run_id = $4 where audience_id = hearth_person() and bridge = $1 and chat = $2 and message = $3", {bridge, chat, message, run});
}

std::optional<Blob> find_blob(Tx& tx, BlobId id) {
    const auto rows = tx.exec("select " + columns() + " from blob b where b.id = $1", {id});
    return rows.empty() ? std::nullopt : std::optional(blob_of(rows[0]));
}

std::vector<Blob> list_blobs(Tx& tx, int limit, std::optional<BlobId> before, std::optional<base::ConversationId> conversation) {
    std::vector<Blob> out;
    for (const Row& row : tx.exec("select " + columns() + " from blob b where ($1::uuid is null or b.id < $1::uuid)"
                                  " and ($2::uuid is null or exists (select from run r where r.id = b.run_id and r.conversation_id = $2::uuid)) order by b.id desc limit $3",
                                  {before, conversation, limit}))
        out.push_back(blob_of(row));
    return out;
}

bool forget_blob(Tx& tx, BlobId id) { return !tx.exec("delete from blob where id = $1 returning 1", {id}).empty(); }

std::int64_t forget_blobs_of(Tx& tx, const std::vector<base::FactId>& facts, bool really) {
    return forget_where(tx, "exists (select from fact_sighting s where s.run_id = b.run_id and (s.fact_id = any($1::uuid[]) or s.fact_id in (select o.fact_id from fact_sighting o where o.id = any($1::uuid[]))))"
                            " and exists (select from run r where r.id = b.run_id and r.state is not null and r.state not in ('waiting_person', 'waiting_client'))",
                        uuid_array(facts), really);
}

std::int64_t forget_blobs_of(Tx& tx, DocumentId document, bool really) {
    return forget_where(tx, "exists (select from document d where d.id = $1 and b.digest in (d.digest, d.file_digest))", document, really);
}

std::vector<WantedBlob> take_wanted_blobs(Tx& tx, const std::vector<std::string>& bridges, int most, std::chrono::seconds hold, bool also_held) {
    std::vector<WantedBlob> out;
    for (const Row& row : tx.exec("select id, person_id, role, bridge, chat, message, source, in_company, tells, media, name, type, attempts from hearth_take_blobs($1::text[], $2, $3, $4)",
                                  {text_array(bridges), most, std::int64_t(hold.count()), also_held}))
        out.push_back({row.id<BlobId>(0), row.id<base::PersonId>(1), row.text(2), row.text(3), row.text(4), row.text(5), row.text(6), row.boolean(7), row.boolean(8), row.text(9), row.text(10), row.text(11),
                       int(row.integer(12))});
    return out;
}

void blob_failed(Tx& tx, BlobId id, const std::string& why, std::optional<std::chrono::seconds> again) {
    tx.send("update blob set state = case when $3::bigint is null then 'failed' else 'wanted' end, error = $2, held_until = null, due_at = clock_timestamp() + make_interval(secs => coalesce($3::bigint, 0)) where id = $1 and state = 'wanted'",
            {id, tx.redactor().redacted(storable(why)), again ? std::optional<std::int64_t>(again->count()) : std::nullopt});
}

}  // namespace store
