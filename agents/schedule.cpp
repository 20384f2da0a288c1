#include "agents/schedule.h"

#include <algorithm>
#include <cctype>
#include <deque>

#include "agents/cron_words.h"
#include "base/ascii.h"
#include "base/trim.h"

namespace agents {
namespace {

constexpr int kMostCounted = 1000;  // of those that are dropped
constexpr std::string_view kNothing = "NOTHING";
constexpr std::string_view kVia = "schedule:";

struct Times {
    std::optional<Cron> cron;  // nothing: once
    Zone zone;
};

base::Result<Times> times_of(const store::Schedule& schedule) {
    auto zone = Zone::find(schedule.zone);
    if (!zone) return std::move(zone).error();
    if (schedule.cron.empty()) return Times{std::nullopt, *zone};
    auto cron = Cron::parse(schedule.cron);
    if (!cron) return base::error(base::Code::corrupt, cron.error().message);
    return Times{*std::move(cron), *zone};
}

// Beginnings of sentences that offer something or ask whether more is wanted, in small letters.
constexpr std::string_view kOffers[] = {
    "let me know", "feel free", "would you like", "do you want me", "if you would like", "if you'd like", "if you need", "if you have any", "should you need", "shall i", "is there anything else", "can i help",
    "i hope this", "don't hesitate", "please don't hesitate", "just let me know", "please let me know", "happy to help", "i'm here to help", "have a great", "have a nice", "have a wonderful",
    "n'hésite", "n’hésite", "souhaitez-vous", "souhaites-tu", "voulez-vous que", "veux-tu que", "dites-moi si", "dis-moi si", "faites-moi savoir", "fais-moi savoir", "si vous avez besoin", "si tu as besoin",
    "puis-je vous aider", "puis-je t'aider", "avez-vous besoin", "as-tu besoin", "bonne journée", "j'espère que cela", "je reste à"};
constexpr std::string_view kOpenings[] = {"sure", "of course", "certainly", "absolutely", "great question", "bien sûr", "certainement", "avec plaisir", "d'accord"};

template <std::size_t N>
bool begins_with_one(std::string_view text, const std::string_view (&all)[N]) {
    const std::string small = base::ascii_lower(text);
    return std::any_of(std::begin(all), std::end(all), [&](std::string_view one) { return small.starts_with(one); });
}

// Where the last sentence of the text begins.
std::size_t last_sentence(std::string_view text) {
    for (std::size_t at = text.size(); at-- > 1;) {
        const char before = text[at - 1], here = text[at];
        if (before == '\n' && here != '\n') return at;
        const bool ends = before == '.' || before == '!' || before == '?';
        if (ends && (here == ' ' || here == '\t') && at + 1 < text.size()) return at + 1;
    }
    return 0;
}

// "Sure!", "Of course:" and the like, alone before what follows.
std::string_view without_opening(std::string_view text) {
    if (!begins_with_one(text, kOpenings)) return text;
    const std::size_t end = text.find_first_of("!.,:\n");
    if (end == text.npos || end > 24) return text;
    const std::string_view rest = base::trimmed_left(text.substr(end + 1));
    return rest.empty() ? text : rest;
}

bool says_nothing(std::string_view text) {
    std::string word;
    for (const char c : text)
        if (std::isalnum(static_cast<unsigned char>(c))) word += char(std::toupper(static_cast<unsigned char>(c)));
    return word == kNothing;
}

std::optional<base::TimePoint> after(const Times& times, base::TimePoint t) { return times.cron ? times.cron->next(t, times.zone) : std::nullopt; }

// Of the last one that came due.
base::TimePoint last_due(const Times& times, base::TimePoint first, base::TimePoint now) { return times.cron ? times.cron->last(first, now, times.zone).value_or(first) : first; }

// One after the other, of very many the last ones.
Due made_up_for(const Times& times, base::TimePoint first, base::TimePoint now) {
    std::deque<base::TimePoint> kept = {first};
    int dropped = 0;
    auto at = after(times, first);
    for (; at && *at <= now && dropped < kMostCounted; at = after(times, *at)) {
        kept.push_back(*at);
        if (int(kept.size()) > kMostMadeUp) kept.pop_front(), ++dropped;
    }
    Due out;
    const bool countless = at && *at <= now;
    out.fires = countless ? last_due(times, first, now) : kept.front();
    out.next = after(times, *out.fires);
    if (dropped == 0) return out;
    out.skipped = first;
    out.why = countless ? "missed: more than " + std::to_string(kMostCounted) + " times; only the last is made up for"
                        : "missed: " + std::to_string(dropped) + " times are dropped; no more than the last " + std::to_string(kMostMadeUp) + " are made up for";
    return out;
}

}  // namespace

std::string via_schedule(store::ScheduleId id) { return std::string(kVia) + id.text(); }

bool is_scheduled(const policy::Principal& principal) { return principal.via.starts_with(kVia); }

base::Result<std::variant<store::Schedule, Question>> schedule_of(const ScheduleOrder& order, base::TimePoint now) {
    using Out = std::variant<store::Schedule, Question>;
    const auto zone = Zone::find(order.zone);
    if (!zone) return zone.error();
    auto when = read_when(order.when, now, *zone);
    if (!when) return std::move(when).error();
    if (auto* const question = std::get_if<Question>(&*when)) return Out(std::move(*question));
    const When& meant = std::get<When>(*when);
    store::Schedule out;
    out.said = base::trimmed(order.when);
    out.cron = meant.cron;
    out.zone = zone->name();
    out.prompt = base::trimmed(order.prompt);
    out.agent = order.agent;
    out.missed = order.missed;
    out.silent = order.silent;
    out.next = meant.once ? meant.once : Cron::parse(meant.cron).value().next(now, *zone);
    if (!out.next) return base::error(base::Code::invalid_argument, "'" + out.said + "' is a day that never comes");
    return Out(std::move(out));
}

base::Json to_json(const store::Schedule& s) {
    base::Json out = {{"id", s.id.text()}, {"object", "schedule"}, {"when", s.said}, {"cron", nullptr}, {"words", nullptr}, {"zone", s.zone}, {"prompt", s.prompt}, {"agent", s.agent}, {"missed", store::name(s.missed)},
                      {"silent", s.silent}, {"channel", nullptr}, {"state", s.ended ? "ended" : s.paused ? "paused" : "waiting"}, {"next", nullptr}, {"next_there", nullptr}, {"created", base::rfc3339(s.created)}};
    if (!s.cron.empty()) out["cron"] = s.cron, out["words"] = cron_words(s.cron);
    if (!s.bridge.empty()) out["channel"] = s.bridge;
    if (!s.next || s.paused) return out;
    out["next"] = base::rfc3339(*s.next);
    if (const auto zone = Zone::find(s.zone)) out["next_there"] = wall_text(zone->local(*s.next));
    return out;
}

base::Json to_json(const store::Fire& fire) {
    base::Json out = {{"instant", base::rfc3339(fire.instant)}, {"state", fire.state}, {"run", nullptr}, {"outcome", fire.outcome}};
    if (!fire.run.is_nil()) out["run"] = fire.run.text();
    return out;
}

base::Result<std::optional<base::TimePoint>> next_of(const store::Schedule& schedule, base::TimePoint now) {
    const auto times = times_of(schedule);
    if (!times) return times.error();
    if (times->cron) return times->cron->next(now, times->zone);
    return schedule.next && *schedule.next > now ? schedule.next : std::nullopt;
}

base::Result<Due> due_of(const store::Schedule& schedule, base::TimePoint now) {
    const auto times = times_of(schedule);
    if (!times) return times.error();
    const base::TimePoint first = *schedule.next;
    if (schedule.missed == store::Missed::all) return made_up_for(*times, first, now);
    const base::TimePoint last = last_due(*times, first, now);
    Due out;
    out.why = "missed: no server was there to see to it";
    out.next = after(*times, now);
    if (schedule.missed == store::Missed::once || now - last <= kStillOnTime) out.fires = last;
    if (first != last || !out.fires) out.skipped = first;
    return out;
}

base::Result<std::vector<base::TimePoint>> coming_of(const store::Schedule& schedule, base::TimePoint until, std::size_t most_of_day) {
    const auto times = times_of(schedule);
    if (!times) return times.error();
    std::vector<base::TimePoint> out;
    if (schedule.paused || schedule.ended) return out;
    std::chrono::local_days day{};
    std::size_t of_day = 0;
    for (auto at = schedule.next; at && *at <= until;) {
        const auto its = std::chrono::floor<std::chrono::days>(times->zone.local(*at));
        of_day = its == day ? of_day + 1 : 1;
        day = its;
        out.push_back(*at);
        const auto behind = of_day < most_of_day ? *at : std::max(*at, times->zone.first(day + std::chrono::days(1)) - std::chrono::seconds(1));
        at = times->cron ? times->cron->next(behind, times->zone) : std::nullopt;
    }
    return out;
}

std::string scheduled_manner(const store::Schedule& schedule, base::TimePoint instant) {
    const auto zone = Zone::find(schedule.zone);
    std::string out = "This was scheduled (" + schedule.said + ") and is done now";
    if (zone) out += ", for " + wall_text(zone->local(instant)) + " " + zone->name();
    out += ". Nobody is there to answer: do what is asked and say only what comes of it. No greeting, no question, no offer, no word about the schedule.";
    if (schedule.silent) out += " Where there is nothing that the person has to know, answer with the one word " + std::string(kNothing) + ".";
    return out;
}

std::string scheduled_words(const std::string& answer, bool silent) {
    std::string_view text = base::trimmed(answer);
    if (silent && says_nothing(text)) return {};
    text = without_opening(text);
    for (;;) {
        const std::size_t at = last_sentence(text);
        if (at == 0 || !begins_with_one(text.substr(at), kOffers)) return std::string(text);
        text = base::trimmed_right(text.substr(0, at));
    }
}

}  // namespace agents
