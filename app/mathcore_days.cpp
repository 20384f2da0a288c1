#include "app/mathcore_days.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "agents/nightly.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "router/math/scenarios.h"
#include "store/node_import.h"

namespace app {
namespace {

namespace math = router::math;
using base::Code;
using base::Json;
using std::chrono::days;

constexpr auto kMorning = std::chrono::hours(8), kAwake = std::chrono::hours(14);  // when a simulated household asks

template <class List>
std::string names_of(const List& list, std::string (*name)(const typename List::value_type&)) {
    std::string out;
    for (const auto& one : list) out += (out.empty() ? "" : ", ") + name(one);
    return out;
}

// What "NODE=NUMBER" says, written to that node's disturbance.
base::Result<void> disturb(const math::SimTenant& tenant, std::vector<math::Disturbance>& all, const std::string& option, const std::string& text, double most, double math::Disturbance::*field) {
    const auto equals = text.find('=');
    char* end = nullptr;
    const std::string number = equals == std::string::npos ? "" : text.substr(equals + 1);
    const double value = std::strtod(number.c_str(), &end);
    if (number.empty() || *end || !(value >= 0 && value <= most))
        return base::error(Code::invalid_argument, option + " is '" + text + "'", "write NODE=NUMBER with a number from 0 to " + std::to_string(int(most)) + ", for example thinking=" + (most > 1 ? "4" : "0.2"));
    for (std::size_t i = 0; i < tenant.nodes.size(); ++i)
        if (tenant.nodes[i].name == text.substr(0, equals)) return all[i].*field = value, base::Result<void>();
    return base::error(Code::not_found, option + ": there is no node '" + text.substr(0, equals) + "'",
                       "there are " + names_of(tenant.nodes, +[](const math::SimNode& node) { return node.name; }));
}

base::Error unknown_scenario(const std::string& name) {
    std::string known;
    for (const auto* list : {&math::changes(), &math::happenings()})
        for (const math::Scenario& one : *list) known += (known.empty() ? "\"" : ", \"") + one.name + '"';
    return base::error(Code::not_found, "--scenario: there is no scenario '" + name + "'", "there are " + known);
}

const char* status_name(math::Status status) { return status == math::Status::ok ? "ok" : status == math::Status::timeout ? "timeout" : "error"; }

// Evenly over the hours of a day in which people ask.
void print_day(const agents::Zone& zone, store::Day day, const math::SimTenant& tenant, const std::vector<std::vector<math::Event>>& events) {
    const agents::LocalTime morning(day.time_since_epoch() + kMorning);
    for (std::size_t node = 0; node < events.size(); ++node)
        for (std::size_t i = 0; i < events[node].size(); ++i) {
            const math::Event& e = events[node][i];
            const auto since = std::chrono::duration_cast<std::chrono::seconds>(kAwake) * int(i) / int(events[node].size());
            Json line = {{"node", tenant.nodes[node].name}, {"at", base::rfc3339(zone.first(morning + since))}, {"status", status_name(e.status)}};
            if (std::isfinite(e.latency_ms)) line["latency_ms"] = std::round(1000 * e.latency_ms) / 1000;
            print_json(line);
        }
}

// Of RFC 3339 in UTC.
std::optional<base::TimePoint> instant_of(const std::string& text) {
    const auto day = store::parse_day(std::string_view(text).substr(0, 10));
    int hours = -1, minutes = -1, end = 0;
    double seconds = -1;
    if (!day || std::sscanf(text.c_str() + 10, "T%2d:%2d:%lfZ%n", &hours, &minutes, &seconds, &end) != 3 || 10 + std::size_t(end) != text.size()) return std::nullopt;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !(seconds >= 0 && seconds < 60)) return std::nullopt;
    return base::TimePoint(*day) + std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::microseconds(std::llround(1e6 * seconds));
}

base::Error wrong(const std::string& field, const std::string& expected) { return base::error(Code::invalid_argument, field + " must be " + expected); }

base::Result<void> one_of(const std::string& field, const std::string& value, const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), value) != known.end()) return {};
    return wrong(field + " '" + value + "'", "one of " + names_of(known, +[](const std::string& name) { return name; }));
}

base::Result<store::ImportedEvent> event_of(const std::string& line, const std::vector<std::string>& nodes, base::TimePoint now) {
    const auto json = base::parse_json(line);
    if (!json) return json.error();
    if (!json->is_object()) return wrong("a line", "an object such as hearth mathcore simulate writes");
    const auto text = [&](const char* field, const char* otherwise) { return json->contains(field) && (*json)[field].is_string() ? (*json)[field].get<std::string>() : std::string(otherwise); };
    store::ImportedEvent out{.node = text("node", ""), .execution = text("class", ""), .status = text("status", "ok")};
    if (auto known = one_of("node", out.node, nodes); !known) return known.error();
    if (auto known = one_of("class", out.execution, {"", "fast", "normal", "heavy"}); !known) return known.error();
    if (auto known = one_of("status", out.status, {"ok", "error", "timeout", "cancelled"}); !known) return known.error();
    const auto at = instant_of(text("at", ""));
    if (!at || *at > now) return wrong("at '" + text("at", "") + "'", "a moment in the past in UTC, such as 2026-03-10T08:00:00Z");
    out.at = *at;
    const Json latency = json->value("latency_ms", Json());
    const bool failed = out.status == "error" || out.status == "timeout";
    if (latency.is_null() && failed) return out;  // nobody knows how long it took
    if (!latency.is_number() || !(latency.get<double>() >= 0 && latency.get<double>() < 1e9)) return wrong("latency_ms " + base::dump(latency), "a number from 0 to 1e9, or be left out of a failure");
    out.latency_ms = latency.get<double>();
    return out;
}

base::Result<std::vector<store::ImportedEvent>> read_events(const std::string& file) {
    std::ifstream in(file);
    if (!in) return base::error(Code::io, file + " cannot be read", "hearth mathcore simulate writes such a file");
    const base::TimePoint now = base::SystemClock().now();
    std::vector<std::string> nodes;
    for (const auto& one : agents::static_costs()) nodes.push_back(one.node);
    std::vector<store::ImportedEvent> out;
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        if (line.empty()) continue;
        auto event = event_of(line, nodes, now);
        if (!event) return base::error(event.error().code, file + ", line " + std::to_string(number) + ": " + event.error().message, event.error().remedy);
        out.push_back(*std::move(event));
    }
    if (out.empty()) return base::error(Code::invalid_argument, file + " holds no event", "one line of JSON an event, as hearth mathcore simulate writes them");
    return out;
}

struct Stretch {
    store::Day first, last;
};
Stretch days_of(const std::vector<store::ImportedEvent>& events, const agents::Zone& zone) {
    const auto [first, last] = std::minmax_element(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    return {day_at(zone, first->at), day_at(zone, last->at)};
}

}  // namespace

store::Day day_at(const agents::Zone& zone, base::TimePoint t) { return store::Day(std::chrono::floor<days>(zone.local(t)).time_since_epoch()); }

int mathcore_simulate(const LoadedSettings& loaded, const SimulatedDays& o) {
    const auto zone = agents::Zone::find(loaded.settings.nightly.zone);
    if (!zone) return complain(zone.error());
    math::SimTenant tenant = math::default_tenant();
    tenant.weekend = tenant.weekend / tenant.weekday * o.requests;
    tenant.weekday = o.requests;
    const math::Scenario* const scenario = math::find_scenario(o.scenario);
    if (!o.scenario.empty() && !scenario) return complain(unknown_scenario(o.scenario));
    std::vector<math::Disturbance> disturbed(tenant.nodes.size());
    for (const std::string& one : o.slow)
        if (auto done = disturb(tenant, disturbed, "--slow", one, 1000, &math::Disturbance::factor); !done) return complain(done.error());
    for (const std::string& one : o.timeouts)
        if (auto done = disturb(tenant, disturbed, "--timeouts", one, 1, &math::Disturbance::timeout_rate); !done) return complain(done.error());
    const store::Day last = day_at(*zone, base::SystemClock().now()) - days(o.ago), first = last - days(o.days - 1);
    math::Simulator simulator(tenant, "days|" + o.seed + '|' + std::to_string(o.days) + '|' + std::to_string(o.ago), first);  // on another day it is the same, but for its weekends
    for (store::Day day = first; day <= last; day += days(1)) {
        if (scenario) disturbed = math::disturbances(*scenario, tenant.nodes, int((day - first).count()) - o.calm, day);
        print_day(*zone, day, tenant, simulator.next(disturbed));
    }
    return 0;
}

int mathcore_import(const LoadedSettings& loaded, const std::string& file, bool mixed) {
    const auto zone = agents::Zone::find(loaded.settings.nightly.zone);
    if (!zone) return complain(zone.error());
    const auto events = read_events(file);
    if (!events) return complain(events.error());
    const Stretch of = days_of(*events, *zone);
    const std::string span = "from " + store::day_text(of.first) + " to " + store::day_text(of.last);
    const auto added = as_owner(loaded.settings, [&](store::Tx& tx) -> base::Result<int> {
        const int own = store::own_node_events(tx, of.first, of.last, zone->name());
        if (own > 0 && !mixed)
            return base::error(Code::conflict, "of the days " + span + " there are " + std::to_string(own) + " events of this household's own pipeline",
                               "telemetry is never taken out again: import into a household made for trials (HEARTH_STATE_FOLDER), or give --mixed");
        return store::import_node_events(tx, *events);
    });
    if (!added) return complain(added.error());
    std::printf("%d events %s, %d of them known before; hearth nightly --day %s makes their rows\n", int(events->size()), span.c_str(), int(events->size()) - *added, store::day_text(of.last + days(1)).c_str());
    return 0;
}

}  // namespace app
