// hearth outbox: what left for people, what waits, and what is held back; hearth person quiet. Work without a running server.
#include <chrono>
#include <cstdio>

#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "policy/house_rules.h"
#include "store/outbox_rules.h"
#include "tools/rule_book.h"

namespace app {
namespace {

using base::Code;

base::Json outbox_json(const store::OutboxRow& one) {
    base::Json content;
    if (one.content) content = *one.content;
    return {{"id", one.id.text()}, {"person_id", one.person.text()}, {"bridge", one.bridge}, {"chat", one.chat}, {"emitter", one.emitter}, {"part", one.part}, {"content", std::move(content)},
            {"rule", one.rule}, {"state", one.state}, {"waits", one.waits}, {"receipt", one.receipt}, {"digest", one.digest}, {"told", one.told}, {"told_by", one.told_by}, {"error", one.error}, {"attempts", one.attempts}, {"created", base::rfc3339(one.created)}};
}

std::string note_of(const store::OutboxRow& one) {
    const std::string told = one.told.empty() ? "" : "  " + visible(one.told_by) + " says: " + one.told;
    if (!one.error.empty()) return told + "  " + visible(one.error);
    if (!told.empty()) return told;
    if (!one.waits.empty()) return "  waits: " + one.waits;
    return one.receipt.empty() ? "" : "  " + one.receipt;
}

// The next moment at which the house's clock shows that.
base::Result<base::TimePoint> next_time(const std::string& clock) {
    const auto minute = policy::minute_of(clock);
    if (!minute) return base::error(Code::invalid_argument, "'" + clock + "' is no time of the day", "as 07:30");
    const base::TimePoint now = base::SystemClock().now();
    const int day = 24 * 60, here = tools::moment_of(now).minute;
    const int ahead = (*minute - here + day - 1) % day + 1;
    return base::TimePoint(std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes(ahead));
}

std::string until_words(const store::Silence& silence) { return silence.until ? " until " + base::rfc3339(*silence.until) : std::string(); }

}  // namespace

int outbox_list(const LoadedSettings& loaded, int limit, bool json) {
    auto opened = open_as_owner(loaded.settings);
    if (!opened) return complain(opened.error());
    const auto read = [&](store::Tx& tx) { return store::list_outbox(tx, limit); };
    base::Json out = base::Json::array();
    for (const store::OutboxRow& one : opened->db->run_blocking(opened->owner, read)) {
        if (!json) std::printf("%s  %-10s %s %s  %s%s\n", base::rfc3339(one.created).c_str(), one.state.c_str(), visible(one.bridge).c_str(), visible(one.chat).c_str(), visible(one.emitter).c_str(), note_of(one).c_str());
        out.push_back(outbox_json(one));
    }
    if (json) print_json(out);
    else if (out.empty()) std::puts("nothing has left");
    return 0;
}

int outbox_silence(const LoadedSettings& loaded, const std::string& until, bool json) {
    store::Silence silence;
    if (!until.empty()) {
        const auto time = next_time(until);
        if (!time) return complain(time.error());
        silence.until = *time;
    }
    const auto write = [&](store::Tx& tx) -> base::Result<void> {
        store::silence_outbox(tx, silence);
        return {};
    };
    const auto done = as_owner(loaded.settings, write);
    if (!done) return complain(done.error());
    if (json) print_json({{"silent", true}, {"until", silence.until ? base::Json(base::rfc3339(*silence.until)) : base::Json()}});
    else std::printf("nothing leaves%s; hearth outbox resume ends that\n", until_words(silence).c_str());
    return 0;
}

int outbox_resume(const LoadedSettings& loaded, bool json) {
    const auto write = [](store::Tx& tx) -> base::Result<bool> { return store::resume_outbox(tx); };
    const auto was = as_owner(loaded.settings, write);
    if (!was) return complain(was.error());
    if (json) print_json({{"silent", false}});
    else std::puts(*was ? "messages leave again" : "messages leave; there was no silence");
    return 0;
}

int outbox_word(const LoadedSettings& loaded, const std::string& id, bool may_leave, bool json) {
    const auto write = [&](store::Tx& tx) { return store::release_outgoing(tx, id, may_leave); };
    const auto done = as_owner(loaded.settings, write);
    if (!done) return complain(done.error());
    if (json) print_json({{"id", id}, {"leaves", may_leave}});
    else std::puts(may_leave ? "it leaves" : "it is kept in");
    return 0;
}

int outbox_told(const LoadedSettings& loaded, const std::string& id, bool arrived, bool again, bool json) {
    const store::Told word = arrived ? store::Told::sent : again ? store::Told::again : store::Told::unsent;
    const auto write = [&](store::Tx& tx) { return store::tell_outgoing(tx, id, word); };
    const auto done = as_owner(loaded.settings, write);
    if (!done) return complain(done.error());
    if (json) print_json({{"id", id}, {"told", name(word)}});
    else std::puts(arrived ? "it counts as delivered" : again ? "it is sent again" : "it counts as failed");
    return 0;
}

int person_quiet(const LoadedSettings& loaded, const std::string& who, const std::string& hours, const std::string& zone, bool json) {
    std::optional<store::QuietHours> quiet;
    if (hours != "none") {
        const auto minutes = policy::parse_hours(hours);
        if (!minutes) return complain(base::error(Code::invalid_argument, "'" + hours + "' are no hours", "as 22:00-07:00, or none"));
        if (zone.empty()) return complain(base::error(Code::invalid_argument, "it is not said where that is so", "--zone Europe/Berlin"));
        quiet = store::QuietHours{minutes->first, minutes->second, zone};
    }
    const auto write = [&](store::Tx& tx) -> base::Result<store::Person> {
        auto person = store::find_person(tx, who);
        if (!person) return person;
        if (auto set = store::set_quiet_hours(tx, person->id, quiet); !set) return std::move(set).error();
        return person;
    };
    const auto person = as_owner(loaded.settings, write);
    if (!person) return complain(person.error());
    if (json) print_json({{"id", person->id.text()}, {"name", person->name}, {"quiet", quiet ? base::Json(hours) : base::Json()}, {"zone", quiet ? base::Json(zone) : base::Json()}});
    else std::printf("%s %s\n", visible(person->name).c_str(), quiet ? ("gets answers alone from " + hours + " in " + zone).c_str() : "has no quiet hours");
    return 0;
}

}  // namespace app
