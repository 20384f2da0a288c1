// hearth nightly, and the settings of what it asks for.
#include "app/nightly.h"

#include <cstdio>

#include "agents/nightly.h"
#include "app/client.h"
#include "app/commands.h"
#include "app/database.h"
#include "app/mathcore_days.h"
#include "app/night_steps.h"
#include "app/terminal.h"
#include "base/split.h"

namespace app {
namespace {

using base::Code;
using base::Json;

// Of "HH:MM".
std::optional<std::chrono::minutes> time_of_day(const std::string& text) {
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
    const int hours = std::stoi(text.substr(0, 2)), minutes = std::stoi(text.substr(3));
    if (hours > 23 || minutes > 59) return std::nullopt;
    return std::chrono::minutes(60 * hours + minutes);
}

}  // namespace

std::optional<std::chrono::minutes> nightly_time(const Settings& s) { return time_of_day(s.nightly.at); }

router::DepthSettings depth_settings(const Settings& s) {
    router::DepthSettings out;
    out.on = s.mathcore_rule != "off";
    out.route.probes = s.mathcore_probes;
    if (s.mathcore_rule == "absolute") out.route.rule = router::math::Rule::absolute;
    if (s.mathcore_rule == "relative") out.route.rule = router::math::Rule::relative;
    return out;
}

base::Result<void> check_nightly(const Settings& s) {
    if (s.nightly.at != "off" && !time_of_day(s.nightly.at))
        return base::error(Code::invalid_argument, "nightly.at is '" + s.nightly.at + "', expected a time of day or off", "for example 00:05");
    const auto zone = agents::Zone::find(s.nightly.zone);
    if (!zone && !s.nightly.zone.empty()) return base::error(Code::invalid_argument, "nightly.zone is '" + s.nightly.zone + "': " + zone.error().message, zone.error().remedy);
    if (!zone) return zone.error();
    std::string names;
    for (const std::string& name : night_step_names()) names += (names.empty() ? "" : ", ") + name;
    for (const std::string& name : base::split(s.nightly.also, ','))
        if (name != "none" && (", " + names + ",").find(", " + name + ",") == std::string::npos)
            return base::error(Code::invalid_argument, "nightly.also holds '" + name + "'", "it takes " + names + " by comma, or none");
    return {};
}

int nightly(const LoadedSettings& loaded, const std::string& day, bool json) {
    Json body = Json::object();
    if (!day.empty()) body["day"] = day;
    const auto reply = ask_server(loaded.settings.server.socket, "POST", "/v0/admin/batch/nightly", body);
    if (!reply) return complain(reply.error());
    const auto answer = base::parse_json(reply->body);
    if (!answer || !answer->contains("batch_id")) {
        const auto failed = answer_of(*reply);
        return complain(failed ? base::error(Code::corrupt, "the server's answer is no batch") : failed.error());
    }
    if (json) {
        print_json(*answer, 2);
        return reply->status == 200 ? 0 : 1;
    }
    const std::string run = answer->value("run_id", "");
    std::printf("%s, run %s\n", visible(answer->value("batch_id", "")).c_str(), visible(run).c_str());
    for (const char* step : {"daily", "weekly", "pipeline", "warmup"})
        if (answer->contains(step)) std::printf("  %-9s %s\n", step, visible(base::dump((*answer)[step])).c_str());
    if (reply->status != 200) return complain(base::error(Code::internal, (*answer)["error"].value("message", "the batch failed"), "hearth trace show " + run + " tells more; hearth nightly goes on with it"));
    return 0;
}


int mathcore_show(const LoadedSettings& loaded, bool json) {
    const auto told = ask_server_json(loaded.settings.server.socket, "GET", "/v1/mathcore");
    if (!told) return complain(told.error());
    if (json) return print_json(*told, 2), 0;
    const std::string day = (*told)["day"].is_null() ? "no night yet" : "night of " + (*told)["day"].get<std::string>();
    const std::string signal = told->value("signal", "");
    std::printf("%s: %s\n", visible(day).c_str(), signal.empty() ? "insufficient data" : visible(signal).c_str());
    std::printf("%-14s %-18s %6s %8s %6s %6s %9s %9s  %s\n", "node", "gate", "days", "events", "drift", "weight", "costs", "usual", "label");
    for (const Json& node : (*told)["nodes"]) {
        const Json& cost = node["cost"];
        std::printf("%-14s %-18s %6d %8d %6.2f %6.2f %7.2f s %7.2f s  %s\n", visible(node["node"].get<std::string>()).c_str(), visible(node["gate"].get<std::string>()).c_str(), node["days"].get<int>(), node["events"].get<int>(),
                    node["drift_score"].get<double>(), cost["weight"].get<double>(), cost["seconds"].get<double>(), cost["usual_seconds"].get<double>(), visible(node["reason"].get<std::string>().empty() ? node["label"].get<std::string>() : node["reason"].get<std::string>()).c_str());
    }
    return 0;
}


namespace {

base::Result<store::Day> household_today(const Settings& s) {
    const auto zone = agents::Zone::find(s.nightly.zone);
    if (!zone) return zone.error();
    return day_at(*zone, base::SystemClock().now());
}

// Changes what was said of a node last.
int say_of_node(const LoadedSettings& loaded, const std::string& node, const std::function<void(store::NodeSetting&)>& change) {
    std::string names;
    bool known = false;
    for (const auto& one : agents::static_costs()) {
        known |= one.node == node;
        names += (names.empty() ? "" : ", ") + one.node;
    }
    if (!known) return complain(base::error(Code::not_found, "there is no node '" + node + "'", "there are " + names));
    const auto saved = as_owner(loaded.settings, [&](store::Tx& tx) -> base::Result<void> {
        store::NodeSetting setting = store::node_settings(tx)[node];
        change(setting);
        store::save_node_setting(tx, node, setting);
        return {};
    });
    if (!saved) return complain(saved.error());
    std::printf("from the next night on\n");
    return 0;
}

}  // namespace

int mathcore_accept(const LoadedSettings& loaded, const std::string& node, const std::string& since) {
    const auto today = household_today(loaded.settings);
    if (!today) return complain(today.error());
    const auto day = since.empty() ? std::optional<store::Day>(*today - std::chrono::days(7)) : store::parse_day(since);
    if (!day) return complain(base::error(Code::invalid_argument, "--since is '" + since + "' but must be a date such as 2026-03-10"));
    if (*day > *today) return complain(base::error(Code::invalid_argument, "--since is " + since + ", which has not come"));
    return say_of_node(loaded, node, [&](store::NodeSetting& setting) { setting.accepted = day; });
}

int mathcore_freeze(const LoadedSettings& loaded, const std::string& node, bool frozen) {
    const auto today = household_today(loaded.settings);
    if (!today) return complain(today.error());
    return say_of_node(loaded, node, [&](store::NodeSetting& setting) { setting.frozen = frozen ? std::optional<store::Day>(*today) : std::nullopt; });
}

}  // namespace app
