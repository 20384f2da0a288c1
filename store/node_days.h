// The pipeline's nodes by day and week, and what MathCore found of them (docs/mathcore.md): metadata of all people of a tenant.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using Day = std::chrono::sys_days;  // in the household's time zone
std::string day_text(Day day);                          // "2026-03-10"
std::optional<Day> parse_day(std::string_view text);    // the same; nothing of a day that there is not

// One execution of a node.
struct NodeEvent {
    std::string node, execution;  // execution: the class of the turn when it was done; empty: not known
    Day day{};
    double latency_ms = 0, queue_ms = 0;
    std::string status;           // ok | error | timeout | cancelled
    int prompt_tokens = 0, output_tokens = 0;
};
// Of everybody, both days included, in order of time. `zone`: a name of the database's time zones.
std::vector<NodeEvent> node_events(Tx& tx, Day first, Day last, const std::string& zone);
// The first day of each node.
std::vector<std::pair<std::string, Day>> node_beginnings(Tx& tx, const std::string& zone);

struct DailyRow {
    std::string node, execution;  // empty execution: of all
    Day date{};
    int sample_count = 0;
    double avg_latency_ms = 0, error_rate = 0;
    int errors = 0, timeouts = 0, excused = 0, cancelled = 0, invalid = 0;
    std::optional<double> level{}, level_error{}, spread{};
    bool spread_censored = false;
    std::optional<double> failure_logit{};
};
// In place of the rows that are there.
void save_daily(Tx& tx, const std::vector<DailyRow>& rows, Day batch);
// From that day on, by node and date; those of all classes alone unless `classes`.
std::vector<DailyRow> list_daily(Tx& tx, Day from, Day until, bool classes = false);
std::optional<Day> last_daily(Tx& tx);

struct WeeklyRow {
    std::string node;
    int iso_year = 0, iso_week = 0, days_present = 0;
    bool partial = false;
    int sample_count = 0, errors = 0, timeouts = 0;
    double avg_latency_ms = 0, error_rate = 0;
    std::optional<double> level{}, spread{};
};
void save_weekly(Tx& tx, const std::vector<WeeklyRow>& rows);
std::vector<WeeklyRow> list_weekly(Tx& tx);

// What the operator has said of a node.
struct NodeSetting {
    std::optional<Day> accepted{};  // what it is like from this day on is the usual
    std::optional<Day> frozen{};    // from this night on its weight stays as it is
};
std::map<std::string, NodeSetting> node_settings(Tx& tx);  // by node
void save_node_setting(Tx& tx, const std::string& node, const NodeSetting& setting);

struct NodeNightRow {
    std::string node, gate;
    int days = 0, events = 0;
    double drift_score = 0, level = 0, spread = 0, errors = 0;
    bool acting = false;
    std::string label;
    std::optional<double> distance{};
    double weight = 0;
    std::string reason;
    base::Json baseline = base::Json::object();
};
struct NightRow {
    Day day{};  // the batch's
    std::string regime;
    double lambda_max = 1, alpha = 0;
    std::string signal{};
    base::Json coupling = base::Json::object();
    std::string model_version{};
    std::vector<NodeNightRow> nodes{};
};
void save_night(Tx& tx, const NightRow& night);
// The newest, or the newest until that day.
std::optional<NightRow> newest_night(Tx& tx, std::optional<Day> until = {});
// Those of these days, the oldest first, both included.
std::vector<NightRow> list_nights(Tx& tx, Day from, Day until);
// Its signal line; empty: there is none, or data are insufficient.
std::string mathcore_signal(Tx& tx);

}  // namespace store
