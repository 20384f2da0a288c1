#include "store/segments.h"

#include <algorithm>

#include "base/utf8.h"
#include "store/conversations.h"
#include "store/uuid_array.h"

namespace store {
namespace {

const std::string& columns() {
    static const std::string all = "s.id, s.conversation_id, s.run_id, s.asked, s.answered, s.trusted, " + micros("s.said_at") + ", s.written";
    return all;
}

std::vector<Segment> segments_of(const std::vector<Row>& rows) {
    std::vector<Segment> out;
    out.reserve(rows.size());
    for (const Row& row : rows)
        out.push_back({row.id<SegmentId>(0), row.id<base::ConversationId>(1), row.id<base::RunId>(2), row.text(3), row.text(4), row.boolean(5), row.time(6), {row.integer(7), row.id<SegmentId>(0).value}});
    return out;
}

constexpr const char* kForgotten = "[forgotten]";  // as hearth_blank_message leaves it

std::string text_of(const base::Json& message) {
    const base::Json content = message.value("content", base::Json());
    if (content == kForgotten) return "";
    if (content.is_string()) return content.get<std::string>();
    std::string out;
    if (content.is_array())
        for (const base::Json& part : content)
            if (part.is_object()) out += (out.empty() ? "" : "\n") + part.value("text", std::string());
    return out;
}

void append(std::string& to, const std::string& text) {
    if (!text.empty()) to += (to.empty() ? "" : "\n\n") + text;
}

struct Spoken {
    std::string asked, answered;
    std::int64_t first = -1, last = -1;
    base::RunId run;
    bool trusted = true;
};

// A message of the person's that follows an answer begins another one.
std::vector<Spoken> spoken_in(const std::vector<StoredMessage>& messages) {
    std::vector<Spoken> out;
    for (const StoredMessage& message : messages) {
        const bool asks = message.role == "user";
        if (message.role != "assistant" && !asks) continue;
        if (out.empty() || (asks && !out.back().answered.empty())) out.emplace_back();
        Spoken& now = out.back();
        append(asks ? now.asked : now.answered, text_of(message.body));
        if (now.first < 0) now.first = message.position;
        now.last = message.position;
        if (!asks) now.run = message.run;
        now.trusted &= message.body.value("trusted", true);
    }
    while (!out.empty() && out.back().answered.empty()) out.pop_back();
    return out;
}

}  // namespace

void keep_segments(Tx& tx, base::ConversationId conversation, base::RunId run, bool trusted, bool retells) {
    std::vector<StoredMessage> fresh;
    for (const Row& row : tx.exec("select m.id, m.position, m.run_id, m.role, m.body from message m join thread t on t.id = m.conversation_id and t.depth = 0 where m.conversation_id = $1"
                                  " and m.position > coalesce((select max(last_position) from segment where conversation_id = $1), -1) order by m.position", {conversation}))
        fresh.push_back({row.id<base::MessageId>(0), row.integer(1), row.id<base::RunId>(2), row.text(3), row.json(4)});
    for (const Spoken& one : spoken_in(fresh)) {
        const bool newest = !run.is_nil() && one.run == run, own = trusted && one.trusted && newest;
        const std::string_view answered = retells && newest ? std::string_view() : base::beginning(one.answered, kSegmentBytes);
        tx.send("insert into segment (id, conversation_id, run_id, first_position, last_position, asked, answered, trusted, said_at)"
                " select $1, $2, $3, $4, $5, $6, $7, $8, m.created_at from message m where m.conversation_id = $2 and m.position = $4",
                {SegmentId::make(base::SystemClock().now()), conversation, one.run, one.first, one.last, std::string(base::beginning(one.asked, kSegmentBytes)), std::string(answered), own});
    }
}

std::vector<Segment> segments_behind(Tx& tx, base::AudienceId audience, const MemoryPlace& place, int most) {
    return segments_of(tx.exec("select " + columns() + " from segment s where s.audience_id = $1 and (s.written, s.id) > ($2::bigint, $3::uuid) order by s.written, s.id limit $4",
                               {audience, place.written, place.id.text(), most}));
}

std::vector<Segment> segments_by_id(Tx& tx, const std::vector<SegmentId>& ids) {
    if (ids.empty()) return {};
    return segments_of(tx.exec("select " + columns() + " from segment s where s.id = any($1::uuid[])"
                               " and (s.audience_id = hearth_person() or s.audience_id in (select group_id from membership where person_id = hearth_person()))", {uuid_array(ids)}));
}

std::vector<SegmentId> ids_of(const std::vector<Segment>& segments) {
    std::vector<SegmentId> out;
    for (const Segment& one : segments) out.push_back(one.id);
    return out;
}

std::vector<Segment> next_unread(Tx& tx, Reading what, int most, std::chrono::seconds rest, const std::vector<base::ConversationId>& passed_over) {
    const auto open = [&](const std::string& s) { return s + (what == Reading::episode ? ".episode_id" : ".read_at") + " is null and " + s + ".audience_id = hearth_person()"; };
    std::vector<SegmentId> ids;
    for (const Row& row : tx.exec("select s.id from segment s where " + open("s") + " and s.conversation_id = (select o.conversation_id from segment o where " + open("o") +
                                  " and o.conversation_id <> all($3::uuid[]) group by o.conversation_id having count(*) >= $1 or max(o.said_at) < clock_timestamp() - make_interval(secs => $2)"
                                  " order by max(o.said_at) limit 1) order by s.first_position limit $1", {most, std::int64_t(rest.count()), uuid_array(passed_over)}))
        ids.push_back(row.id<SegmentId>(0));
    std::vector<Segment> out = segments_by_id(tx, ids);
    std::sort(out.begin(), out.end(), [](const Segment& a, const Segment& b) { return a.said < b.said; });
    return out;
}

bool mark_rows_read(Tx& tx, const std::string& table, const std::string& ids, std::size_t number) {
    // Locked, so that of two that read the same the later finds it done.
    const auto open = tx.exec("select s.id from " + table + " s where s.id = any($1::uuid[]) and s.read_at is null order by s.id for update", {ids});
    if (open.size() != number) return false;
    tx.send("update " + table + " set read_at = clock_timestamp() where id = any($1::uuid[])", {ids});
    return true;
}

bool mark_read(Tx& tx, const std::vector<SegmentId>& segments) { return mark_rows_read(tx, "segment", uuid_array(segments), segments.size()); }

}  // namespace store
