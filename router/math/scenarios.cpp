#include "router/math/scenarios.h"

#include <algorithm>
#include <cmath>

namespace router::math {
namespace {

using Kind = Scenario::Kind;

constexpr double QUIET = 0.07;  // of nodes that may alarm within 14 days although nothing is wrong

Disturbance calm(int, Date) { return {}; }
Disturbance away(int, Date) { return {.silent = true}; }
Disturbance slower(int, Date) { return {.factor = 1.4}; }
Disturbance slow_mondays(int, Date date) { return {.factor = std::chrono::weekday(date) == std::chrono::Monday ? 1.3 : 1.0}; }
Disturbance busy_fridays(int, Date date) { return {.volume = std::chrono::weekday(date) == std::chrono::Friday ? 3.0 : 1.0}; }
Disturbance far_ones(int, Date) { return {.outliers = 0.02}; }
// Two days of three, whatever else is wrong.
Disturbance gaps(int since, Disturbance otherwise) {
    otherwise.silent = ((since % 3) + 3) % 3 == 0;
    return otherwise;
}

}  // namespace

const std::vector<Scenario>& changes() {
    const auto H = Kind::harmful, S = Kind::silent;
    static const std::vector<Scenario> all = {
        {"x1.2", {"recompose"}, H, [](int, Date) { return Disturbance{.factor = 1.2}; }, {}, 0.75, {}},
        {"x1.4", {"recompose"}, H, slower, 0.95, {}, 3},
        {"x2", {"recompose"}, H, [](int, Date) { return Disturbance{.factor = 2}; }, {}, {}, 2},
        {"rare x2", {"thinking"}, H, [](int, Date) { return Disturbance{.factor = 2}; }, 0.95, {}, {}},
        {"ramp 2 %/day", {"recompose"}, H, [](int since, Date) { return Disturbance{.factor = std::pow(1.02, since + 1)}; }, {}, {}, 12},
        {"errors 6 %", {"recompose"}, H, [](int, Date) { return Disturbance{.error_rate = 0.06}; }, {}, {}, 5},
        {"timeouts 15 %", {"recompose"}, H, [](int, Date) { return Disturbance{.timeout_rate = 0.15}; }, {}, {}, 2},
        {"spread x1.6", {"recompose"}, H, [](int, Date) { return Disturbance{.spread = 1.6}; }, {}, 0.90, {}},
        {"all models x1.3", {}, H, [](int, Date) { return Disturbance{.factor = 1.3}; }},
        {"weekdays x1.4", {"recompose"}, H, [](int, Date date) { return Disturbance{.factor = is_weekend(date) ? 1 : 1.4}; }},
        {"coupled queue", {}, H, [](int, Date) { return Disturbance{.shared = 0.15}; }},
        {"no change", {"recompose"}, S, calm, {}, QUIET},
        {"improved x0.7", {"recompose"}, S, [](int, Date) { return Disturbance{.factor = 0.7}; }, {}, QUIET},
        {"longer prompts x2", {"recompose"}, S, [](int, Date) { return Disturbance{.tokens = 2}; }, {}, QUIET},
        {"silent node", {"recompose"}, S, away, {}, QUIET},
        {"one day x3", {"recompose"}, Kind::spike, [](int since, Date) { return Disturbance{.factor = since == 0 ? 3.0 : 1.0}; }},
    };
    return all;
}

const std::vector<Scenario>& happenings() {
    const auto H = Kind::harmful, S = Kind::silent;
    static const std::vector<Scenario> all = {
        {.name = "off for a week", .nodes = {"recompose"}, .kind = S, .on = [](int since, Date) { return Disturbance{.silent = since < 7}; }, .in_14 = QUIET, .everywhere = true, .from = 7},
        {.name = "off for a month", .nodes = {"recompose"}, .kind = S, .on = [](int since, Date) { return Disturbance{.silent = since < 30}; }, .in_14 = QUIET, .everywhere = true, .from = 30, .watched = 61},
        {.name = "off for a week, then x1.4", .nodes = {"recompose"}, .kind = H, .on = [](int since, Date) { return Disturbance{.factor = 1.4, .silent = since < 7}; }, .in_7 = 0.95, .median_days = 3,
         .from = 7},
        {.name = "off for three weeks of its first", .nodes = {"recompose"}, .kind = S, .on = calm, .in_14 = QUIET, .before = [](int since, Date) { return Disturbance{.silent = since >= -40 && since < -19}; },
         .everywhere = true},
        {.name = "a day long before the first", .nodes = {"recompose"}, .kind = S, .on = calm, .in_14 = QUIET, .before = [](int since, Date) { return Disturbance{.silent = since > -45 && since < -20}; },
         .everywhere = true},
        {.name = "every third day missing", .nodes = {"recompose"}, .kind = S, .on = [](int since, Date) { return gaps(since, {}); }, .in_14 = QUIET, .before = [](int since, Date) { return gaps(since, {}); },
         .everywhere = true},
        {.name = "every third day missing, then x1.4", .nodes = {"recompose"}, .kind = H, .on = [](int since, Date) { return gaps(since, {.factor = 1.4}); }, .in_14 = 0.95,
         .before = [](int since, Date) { return gaps(since, {}); }},
        {.name = "the clock set back three days", .nodes = {"recompose"}, .kind = S, .on = calm, .in_14 = QUIET, .before = [](int since, Date) { return Disturbance{.volume = since >= -3 ? 2.0 : 1.0}; },
         .everywhere = true, .from = -3},
        {.name = "the zone moved by eight hours", .nodes = {"recompose"}, .kind = S, .on = [](int since, Date) { return Disturbance{.volume = since == 0 ? 4.0 / 3 : since == 1 ? 2.0 / 3 : 1.0}; }, .in_14 = QUIET,
         .everywhere = true},
        {.name = "slow Mondays, always", .nodes = {"recompose"}, .kind = S, .on = slow_mondays, .in_14 = QUIET, .before = slow_mondays},
        {.name = "busy Fridays, always", .nodes = {"recompose"}, .kind = S, .on = busy_fridays, .in_14 = QUIET, .before = busy_fridays, .everywhere = true},
        {.name = "fifty times the requests in a day", .nodes = {"recompose"}, .kind = S, .on = [](int since, Date) { return Disturbance{.volume = since == 0 ? 50.0 : 1.0}; }, .in_14 = QUIET, .everywhere = true},
        {.name = "one in fifty x20, always", .nodes = {"retrieve"}, .kind = S, .on = far_ones, .in_14 = QUIET, .before = far_ones},
        {.name = "one in fifty x20", .nodes = {"retrieve"}, .kind = H, .on = far_ones},  // told: the mean is 38 % longer, which is no calm, and no other event is
        {.name = "one in ten reads nothing", .nodes = {"retrieve"}, .kind = S, .on = [](int, Date) { return Disturbance{.zeros = 0.1}; }, .in_14 = QUIET},
        {.name = "another node comes", .nodes = {"recompose", "intake"}, .kind = S, .on = calm, .in_14 = QUIET, .before = [](int, Date) { return Disturbance{.silent = true}; }, .elsewhere = true},
        {.name = "another node goes", .nodes = {"recompose", "intake"}, .kind = S, .on = away, .in_14 = QUIET, .elsewhere = true},
        {.name = "two nodes x1.4", .nodes = {"recompose", "intake"}, .kind = H, .on = slower, .in_7 = 0.95, .median_days = 3},
        {.name = "ramp 1 %/day", .nodes = {"recompose"}, .kind = H, .on = [](int since, Date) { return Disturbance{.factor = std::pow(1.01, since + 1)}; }, .watched = 34, .in_watched = 0.95},
        {.name = "timeouts 15 %, untimed", .nodes = {"recompose"}, .kind = H, .on = [](int, Date) { return Disturbance{.timeout_rate = 0.15, .untimed = true}; }, .median_days = 2},
        {.name = "refused 6 %", .nodes = {"recompose"}, .kind = H, .on = [](int, Date) { return Disturbance{.refused = 0.06}; }, .median_days = 5},
        {.name = "refused 40 %", .nodes = {"recompose"}, .kind = H, .on = [](int, Date) { return Disturbance{.refused = 0.4}; }, .in_7 = 0.95, .median_days = 2, .still = 0.95},
        {.name = "refused 40 %, the rest x1.4", .nodes = {"recompose"}, .kind = H, .on = [](int, Date) { return Disturbance{.factor = 1.4, .refused = 0.4}; }, .in_7 = 0.95, .median_days = 2, .still = 0.95},
    };
    return all;
}

const Scenario* find_scenario(std::string_view name) {
    for (const auto* list : {&changes(), &happenings()})
        for (const Scenario& s : *list)
            if (s.name == name) return &s;
    return nullptr;
}

bool looks_at(const Scenario& s, const SimNode& node) { return s.nodes.empty() ? node.model : std::find(s.nodes.begin(), s.nodes.end(), node.name) != s.nodes.end(); }

std::vector<Disturbance> disturbances(const Scenario& s, const std::vector<SimNode>& nodes, int since, Date date) {
    std::vector<Disturbance> out(nodes.size());
    const auto what = since >= 0 ? s.on : s.before;
    if (!what) return out;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (s.everywhere || looks_at(s, nodes[i]) != s.elsewhere) out[i] = what(since, date);
    return out;
}

}  // namespace router::math
