// What each node of the pipeline costs now, and whether a heavy question is worth its deep path: beliefs that begin with what the last
// night knew and follow the events as they come (docs/mathcore.md). Thread-safe; no clock, no database.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "router/math/belief.h"
#include "router/math/recommend.h"
#include "router/math/route.h"

namespace router {

// A node before anything is known of it.
struct StaticCost {
    std::string node;
    double ms = 0;
    double limit_ms = 120'000;
};

// What a night says of a node.
struct NodeKnown {
    math::Gate gate = math::Gate::insufficient;
    double weight = 0;                          // the drift's part of weight_adjustment
    double drift = 0;                           // drift_score, of which the absolute rule makes its own
    double per_day = 0;                         // events of a day that has any
    std::optional<math::LatencyPrior> usual{};  // none: no baseline yet
    double failure_rate = 0;                    // of the baseline
};
// A day of a node, of which there are up to seven, in order.
struct NodeDay {
    int count = 0, timeouts = 0;
    double level = 0;  // ln ms of service
};
struct NodeEvent {
    double ms = 0;     // of service
    bool failed = false, timed_out = false;
};
struct NodeHistory {
    NodeKnown known;
    std::vector<NodeDay> week;
    std::vector<NodeEvent> today;  // since, one by one
};

struct DepthSettings {
    bool on = true;  // off: heavy stays heavy
    math::RouteSettings route{};
};

// Whether a heavy question goes through thinking.
struct DepthChoice {
    bool heavy = true;
    std::string why = "insufficient_data";  // off | insufficient_data | worth_it | too_costly | probe
    double propensity = 1;
    double gain = 0, price = 0;             // in units of quality; price: of the deep path beyond the plain one
    math::NodeCost thinking{}, recompose{};
    std::string told() const;               // with the numbers, for people
};
base::Json to_json(const DepthChoice& choice);

// The registry of nodes' metrics.
class NodeMetrics {
public:
    explicit NodeMetrics(std::vector<StaticCost> nodes, DepthSettings settings = {});

    struct Loaded {
        int samples = 0, nodes = 0;
    };
    // In place of what was known. Nodes that are not named keep their static cost.
    Loaded load(const std::map<std::string, NodeHistory>& histories);
    // A node that was just done; `probe`: it was asked to learn whether it is well again.
    void done(const std::string& node, const NodeEvent& event, base::TimePoint now, bool probe = false);
    // `gain`: what thinking is expected to add to the answer's quality. What is drawn hangs on `seed` alone.
    DepthChoice choose(double gain, const std::string& seed, base::TimePoint now);

    struct State {
        std::string node;
        math::NodeCost cost;
        double live_penalty = 0, drift = 0;
        math::Gate gate = math::Gate::insufficient;
    };
    std::vector<State> states(base::TimePoint now) const;

private:
    struct Node {
        explicit Node(const StaticCost& from);
        void add(const NodeEvent& event);
        void see(const NodeEvent& event, base::TimePoint now);
        bool tells_time(const NodeEvent& event) const;
        double live(base::TimePoint now) const;
        math::NodeCost cost(base::TimePoint now, math::Rule rule) const;

        StaticCost fixed;
        NodeKnown known;
        math::LatencyPrior prior;
        math::LatencyBelief belief;
        math::FastPath fast;
        // Sums of the last quarter of an hour, fading: of weights, of their ln ms, of failures.
        double weights = 0, logs = 0, failures = 0;
        base::TimePoint seen{};
    };
    const Node& at(const std::string& node) const;

    const DepthSettings settings_;
    mutable std::mutex mutex_;
    std::map<std::string, Node> nodes_;
    math::Prober prober_;
};

}  // namespace router
