#include "store/schedules.h"

#include <algorithm>
#include <cctype>

#include "store/digest.h"

namespace store {
namespace {

using base::Code;

constexpr std::size_t kLongestPrompt = 4000, kLongestSaid = 200;  // characters are no more than bytes
constexpr std::pair<Missed, std::string_view> kMissed[] = {{Missed::skip, "skip"}, {Missed::once, "once"}, {Missed::all, "all"}};

const std::string& columns() {
    static const std::string all = "id, said, cron, zone, prompt, agent, missed, silent, trusted, bridge, chat, paused, " + micros("next_at") + ", " + micros("created_at") + ", " + micros("ended_at");
    return all;
}

Schedule schedule_of(const Row& row) {
    Schedule out;
    out.id = row.id<ScheduleId>(0);
    out.said = row.text(1);
    out.cron = row.text(2);
    out.zone = row.text(3);
    out.prompt = row.text(4);
    out.agent = row.text(5);
    out.missed = parse_missed(row.text(6)).value();
    out.silent = row.boolean(7);
    out.trusted = row.boolean(8);
    out.bridge = row.text(9);
    out.chat = row.text(10);
    out.paused = row.boolean(11);
    if (!row.null(12)) out.next = row.time(12);
    out.created = row.time(13);
    if (!row.null(14)) out.ended = row.time(14);
    return out;
}

std::string time_of(const char* parameter) { return "to_timestamp(" + std::string(parameter) + "::bigint / 1000000.0)"; }

std::optional<std::int64_t> micros_or_null(std::optional<base::TimePoint> t) {
    return t ? std::optional(micros_of(*t)) : std::nullopt;
}

// Two that ask the same in other spacing, capitals or with another full stop are the same; within a text a mark may say more (1.5 is not 15).
std::string digest_of(const Schedule& s) {
    std::string asked;
    for (const char c : s.prompt) {
        const auto byte = static_cast<unsigned char>(c);
        if (!std::isspace(byte)) asked += char(std::tolower(byte));
    }
    while (asked.ends_with('.') || asked.ends_with('!') || asked.ends_with('?')) asked.pop_back();
    const std::string when = s.cron.empty() ? std::to_string(micros_of(*s.next) / 60'000'000) : s.cron + " " + s.zone;
    return sha256_hex(when + "\n" + s.agent + "\n" + s.bridge + " " + s.chat + "\n" + asked);
}

}  // namespace

std::string_view name(Missed missed) {
    return std::find_if(std::begin(kMissed), std::end(kMissed), [&](const auto& one) { return one.first == missed; })->second;
}

std::optional<Missed> parse_missed(std::string_view text) {
    for (const auto& [missed, name] : kMissed)
        if (name == text) return missed;
    return std::nullopt;
}

base::Result<Added> add_schedule(Tx& tx, const Schedule& s) {
    if (s.prompt.find_first_not_of(" \t\r\n") == s.prompt.npos || s.prompt.size() > kLongestPrompt)
        return base::error(Code::invalid_argument, "what is to be done has " + std::to_string(s.prompt.size()) + " bytes", "say it in 1 to " + std::to_string(kLongestPrompt) + " bytes");
    if (s.said.empty() || s.said.size() > kLongestSaid)
        return base::error(Code::invalid_argument, "when it is to be done has " + std::to_string(s.said.size()) + " bytes", "say it in 1 to " + std::to_string(kLongestSaid) + " bytes");
    const std::string digest = digest_of(s);
    // Two that are added at once are merged, too, and do not go beyond the limit together.
    tx.exec("select pg_advisory_xact_lock(hashtextextended('schedule ' || hearth_person(), 0))");
    const auto known = tx.exec("select id from schedule where audience_id = hearth_person() and digest = $1 and ended_at is null", {digest});
    if (!known.empty()) return Added{known[0].id<ScheduleId>(0), true};
    if (tx.exec("select count(*) from schedule where ended_at is null").at(0).integer(0) >= kMostSchedules)
        return base::error(Code::resource_exhausted, "you have " + std::to_string(kMostSchedules) + " schedules already", "remove one first");
    const auto id = ScheduleId::make(base::SystemClock().now());
    tx.exec("insert into schedule (id, said, cron, zone, prompt, agent, missed, silent, trusted, bridge, chat, digest, next_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, " + time_of("$13") + ")",
            {id, tx.redactor().without_known(s.said), s.cron, s.zone, tx.redactor().without_known(s.prompt), s.agent, name(s.missed), s.silent, s.trusted, s.bridge, s.chat, digest, micros_of(*s.next)});
    return Added{id, false};
}

std::string household_zone(Tx& tx) {
    const auto rows = tx.exec("select zone from household");
    return rows.empty() ? "" : rows[0].text(0);
}

void set_household_zone(Tx& tx, const std::string& zone) {
    tx.send("insert into household (zone) values ($1) on conflict (tenant_id) do update set zone = excluded.zone where household.zone <> excluded.zone", {zone});
}

std::vector<Schedule> list_schedules(Tx& tx, bool ended) {
    std::vector<Schedule> out;
    for (const Row& row : tx.exec("select " + columns() + " from schedule where $1 or ended_at is null order by next_at nulls last, ended_at desc, id limit 500", {ended})) out.push_back(schedule_of(row));
    return out;
}

base::Result<Schedule> find_schedule(Tx& tx, const std::string& id) {
    const bool possible = id.size() >= 4 && id.size() <= 36 && std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isxdigit(c) || c == '-'; });
    std::vector<Row> rows;
    if (possible) rows = tx.exec("select " + columns() + " from schedule where starts_with(id::text, lower($1)) limit 2", {id});
    if (rows.empty()) return base::error(Code::not_found, "there is no schedule '" + id + "'", "hearth schedule list shows them");
    if (rows.size() > 1) return base::error(Code::conflict, "several schedules begin with '" + id + "'", "give more of the id");
    return schedule_of(rows[0]);
}

void pause_schedule(Tx& tx, ScheduleId id) { tx.send("update schedule set paused = true where id = $1", {id}); }

void resume_schedule(Tx& tx, ScheduleId id, base::TimePoint next) {
    tx.send("update schedule set paused = false, next_at = " + time_of("$2") + " where id = $1 and ended_at is null", {id, micros_of(next)});
}

void end_schedule(Tx& tx, ScheduleId id) { tx.send("update schedule set next_at = null, ended_at = clock_timestamp() where id = $1 and ended_at is null", {id}); }

std::optional<std::string> chat_of(Tx& tx, const std::string& bridge) {
    const auto rows = tx.exec("select chat from channel_conversation where bridge = $1 and not in_company order by conversation_id desc limit 1", {bridge});
    return rows.empty() ? std::nullopt : std::optional(rows[0].text(0));
}

std::optional<std::pair<std::string, std::string>> chat_with(Tx& tx, base::ConversationId conversation) {
    const auto rows = tx.exec("select bridge, chat from channel_conversation where conversation_id = $1 limit 1", {conversation});
    return rows.empty() ? std::nullopt : std::optional(std::pair(rows[0].text(0), rows[0].text(1)));
}

std::vector<Fire> fires_of(Tx& tx, ScheduleId id, int most) {
    std::vector<Fire> out;
    for (const Row& row : tx.exec("select " + micros("instant") + ", state, run_id, outcome from schedule_fire where schedule_id = $1 order by instant desc limit $2", {id, most}))
        out.push_back({id, row.time(0), row.text(1), row.id<base::RunId>(2), row.text(3)});
    return out;
}

std::vector<DueSchedule> due_schedules(Tx& tx, base::TimePoint now, int most) {
    std::vector<DueSchedule> out;
    for (const Row& row : tx.exec("select id, person_id from hearth_due_schedules($1, $2)", {micros_of(now), most}))
        out.push_back({row.id<ScheduleId>(0), {tx.identity().tenant, row.id<base::PersonId>(1)}});
    return out;
}

std::vector<OpenFire> open_fires(Tx& tx, int most) {
    std::vector<OpenFire> out;
    for (const Row& row : tx.exec("select schedule_id, instant_us, person_id, role, run_id from hearth_open_fires($1)", {most}))
        out.push_back({row.id<ScheduleId>(0), row.time(1), {tx.identity().tenant, row.id<base::PersonId>(2)}, row.text(3), row.id<base::RunId>(4)});
    return out;
}

std::optional<Schedule> take_due(Tx& tx, ScheduleId id, base::TimePoint now) {
    const auto rows = tx.exec("select " + columns() + " from schedule where id = $1 and not paused and ended_at is null and next_at <= " + time_of("$2") + " for update skip locked", {id, micros_of(now)});
    return rows.empty() ? std::nullopt : std::optional(schedule_of(rows[0]));
}

bool note_fire(Tx& tx, ScheduleId id, base::TimePoint instant, const std::string& state, const std::string& outcome) {
    return !tx.exec("insert into schedule_fire (schedule_id, instant, state, outcome, ended_at) values ($1, " + time_of("$2") + ", $3, $4, case when $3 <> 'due' then clock_timestamp() end)"
                    " on conflict do nothing returning 1", {id, micros_of(instant), state, outcome}).empty();
}

void move_on(Tx& tx, ScheduleId id, std::optional<base::TimePoint> next) {
    tx.send("update schedule set next_at = " + time_of("$2") + ", ended_at = case when $2::bigint is null then clock_timestamp() end where id = $1", {id, micros_or_null(next)});
}

bool give_run(Tx& tx, const OpenFire& fire, base::RunId run) {
    return !tx.exec("update schedule_fire set state = 'working', run_id = $3 where schedule_id = $1 and instant = " + time_of("$2") + " and state = 'due' returning 1",
                    {fire.schedule, micros_of(fire.instant), run}).empty();
}

bool settle_fire(Tx& tx, const OpenFire& fire, const std::string& state, const std::string& outcome) {
    return !tx.exec("update schedule_fire set state = $3, outcome = $4, ended_at = clock_timestamp()"
                    " where schedule_id = $1 and instant = " + time_of("$2") + " and state in ('due', 'working') returning 1",
                    {fire.schedule, micros_of(fire.instant), state, tx.redactor().redacted(outcome)}).empty();
}

std::int64_t erase_fires(Tx& tx, base::TimePoint before, int most) { return tx.exec("select hearth_erase_fires($1, $2)", {micros_of(before), most}).at(0).integer(0); }

}  // namespace store
