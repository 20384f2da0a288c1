#include "store/findings.h"

namespace store {

bool claim_beat(Tx& tx, std::chrono::seconds between) { return tx.exec("select hearth_beat($1)", {std::int64_t(between.count())}).at(0).boolean(0); }

std::vector<Surveyed> survey(Tx& tx) {
    std::vector<Surveyed> out;
    for (const Row& row : tx.exec("select kind, key, subject, count from hearth_survey() order by kind, key")) out.push_back({row.text(0), row.text(1), row.text(2), row.integer(3)});
    return out;
}

void note_findings(Tx& tx, const std::vector<Finding>& now) {
    base::Json kept = base::Json::array();
    for (const Finding& one : now) {
        kept.push_back(one.kind + " " + one.key);
        // Back after a long time it is new.
        tx.send("insert into finding as f (kind, key, body) values ($1, $2, $3) on conflict (tenant_id, audience_id, kind, key) do update set body = excluded.body, gone_at = null,"
                " first_at = case when f.gone_at < clock_timestamp() - make_interval(hours => $4) then clock_timestamp() else f.first_at end,"
                " told_at = case when f.gone_at < clock_timestamp() - make_interval(hours => $4) then null else f.told_at end",
                {one.kind, one.key, tx.redactor().redacted(one.body), int(kRest.count())});
    }
    tx.send("update finding set gone_at = clock_timestamp() where gone_at is null and not ($1::jsonb ? (kind || ' ' || key))", {kept});
    tx.send("delete from finding where gone_at < clock_timestamp() - interval '30 days'");
}

std::vector<Finding> list_findings(Tx& tx) {
    std::vector<Finding> out;
    for (const Row& row : tx.exec("select kind, key, body, " + micros("first_at") + ", told_at is not null from finding where gone_at is null order by first_at, kind, key"))
        out.push_back({row.text(0), row.text(1), row.text(2), row.time(3), row.boolean(4)});
    return out;
}

void note_told(Tx& tx, const Finding& finding) {
    tx.send("update finding set told_at = clock_timestamp() where kind = $1 and key = $2", {finding.kind, finding.key});
}

bool talks_in(Tx& tx, const std::string& bridge, const std::string& chat) {
    return tx.exec("select exists (select from channel_conversation c join run r on r.conversation_id = c.conversation_id"
                   " where c.bridge = $1 and c.chat = $2 and (r.state is null or r.started_at > clock_timestamp() - interval '2 minutes' or r.finished_at > clock_timestamp() - interval '2 minutes'))",
                   {bridge, chat}).at(0).boolean(0);
}

}  // namespace store
