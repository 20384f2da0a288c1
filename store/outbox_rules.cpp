#include "store/outbox_rules.h"

#include <cstdio>

namespace store {
namespace {

constexpr int kDay = 24 * 60;

}  // namespace

void silence_outbox(Tx& tx, const Silence& silence) {
    const std::optional<std::int64_t> until = silence.until ? std::optional(micros_of(*silence.until)) : std::nullopt;
    tx.exec("insert into outbox_silence (until) values (to_timestamp($1::bigint / 1000000.0)) on conflict (tenant_id) do update set until = excluded.until", {until});
}

bool resume_outbox(Tx& tx) { return !tx.exec("delete from outbox_silence returning 1").empty(); }

std::optional<Silence> silence_of_outbox(Tx& tx) {
    const Row row = tx.exec("select s.until is not null, case when isfinite(s.until) then " + micros("s.until") + " end from hearth_silent_until() as s(until)").at(0);
    if (!row.boolean(0)) return std::nullopt;
    return Silence{row.null(1) ? std::nullopt : std::optional(row.time(1))};
}

base::Result<void> set_quiet_hours(Tx& tx, base::PersonId person, const std::optional<QuietHours>& hours) {
    if (hours && tx.exec("select 1 from pg_timezone_names where name = $1", {hours->zone}).empty())
        return base::error(base::Code::invalid_argument, "there is no time zone '" + hours->zone + "'", "for example Europe/Berlin, America/New_York or UTC");
    tx.exec("delete from quiet_hours where person_id = $1", {person});
    if (hours) tx.exec("insert into quiet_hours (person_id, from_minute, to_minute, zone) values ($1, $2, $3, $4)", {person, hours->from % kDay, hours->to % kDay, hours->zone});
    return {};
}

std::map<base::PersonId, QuietHours> quiet_hours(Tx& tx) {
    std::map<base::PersonId, QuietHours> out;
    for (const Row& row : tx.exec("select person_id, from_minute, to_minute, zone from quiet_hours")) out[row.id<base::PersonId>(0)] = {int(row.integer(1)), int(row.integer(2)), row.text(3)};
    return out;
}

std::string hours_text(const QuietHours& hours) {
    char text[48];
    std::snprintf(text, sizeof text, "%02d:%02d-%02d:%02d", hours.from / 60, hours.from % 60, hours.to / 60, hours.to % 60);
    return text;
}

base::Result<void> release_outgoing(Tx& tx, const std::string& id, bool may_leave) {
    const auto known = OutboxId::parse(id);
    if (known && tx.exec("select hearth_release_outgoing($1, $2)", {*known, may_leave}).at(0).boolean(0)) return {};
    return base::error(base::Code::not_found, "no message '" + id + "' waits for a word", "hearth outbox list shows those that are prepared");
}

std::string_view name(Told word) { return word == Told::sent ? "sent" : word == Told::unsent ? "unsent" : "again"; }

base::Result<void> tell_outgoing(Tx& tx, const std::string& id, Told word) {
    const auto known = OutboxId::parse(id);
    const auto none = base::error(base::Code::not_found, "there is no message '" + id + "' of this house", "hearth outbox list shows those that are unknown");
    if (!known) return none;
    const Row row = tx.exec("select hearth_tell_outgoing($1, $2)", {*known, std::string(name(word))}).at(0);
    if (row.null(0)) return {};
    const std::string why = row.text(0);
    if (why == "none") return none;
    if (why == "expired") return base::error(base::Code::conflict, "the message " + id + " has expired, and is not sent any more", "hearth outbox unsent " + id + " says that it has not arrived");
    if (why == "erased") return base::error(base::Code::conflict, "the outbox has forgotten what the message " + id + " said", "hearth outbox unsent " + id + " says that it has not arrived");
    return base::error(base::Code::conflict, "the message " + id + " is " + why + ", so that nobody need say how it ended", "only one that is unknown waits for such a word");
}

int erase_outbox(Tx& tx, int days) { return int(tx.exec("select hearth_erase_outbox($1)", {days}).at(0).integer(0)); }

}  // namespace store
