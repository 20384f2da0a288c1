// What MathCore makes of a tenant in one night: pure, from daily rows to reports and the signal line.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/math/correlation.h"
#include "router/math/explain.h"
#include "router/math/track.h"

namespace router::math {

enum class Regime { insufficient_data, nominal, improved, degraded, coupled, outlier };
std::string_view name(Regime regime);

struct NodeHistory {
    std::string node;
    std::vector<DailyAggregate> rows;  // rising by date, one a date
    TrackSettings settings;
};

// Its rows from the first that has events up to `until`.
std::span<const DailyAggregate> rows_until(const NodeHistory& history, Date until);

// Of the tenant's day effects (see day_autocorrelation): over the full baseline of each node, and over all days of one that has none yet.
double pooled_autocorrelation(const std::vector<NodeHistory>& histories, Date until);

struct NodeReport {
    std::string node;
    Gate gate = Gate::insufficient;
    int days = 0, events = 0;      // of its history
    NodeNight night = {};          // the last one; without a baseline all neutral
    double drift_score = 0;        // as reported: at most 3
    Label label = Label::unknown;
    std::optional<double> distance = {};  // functional; see Explanation
    double weight = 0;             // the drift's part of weight_adjustment: 0 where nothing is known
    std::string reason = {};       // why there is no score, in words; empty where there is one
    Baseline baseline = {};        // of no days: none yet
};

struct NightReport {
    Regime regime = Regime::insufficient_data;
    double lambda_max = 1, alpha = 0;
    std::optional<Coupling> coupling;  // of the nodes in `watched`
    std::vector<std::string> watched;
    std::vector<NodeReport> nodes;     // one a history, in its order
    std::size_t curves = 0, components = 0, clusters = 0;
    std::string signal;                // empty while data are insufficient
};

constexpr std::string_view MODEL_VERSION = "5";  // of all that changes what a night gives of the same rows

// `until`: the last complete day. What is drawn at random hangs on tenant, date, stage and MODEL_VERSION alone; `table` only saves time.
NightReport analyse(std::string_view tenant, const std::vector<NodeHistory>& histories, Date until, LimitTable& table);

// [MathCore | regime: nominal | λ_max: 1.84 | α: 0.50]: two decimals, at most 80 bytes.
std::string signal_line(Regime regime, double lambda_max, double alpha);

}  // namespace router::math
