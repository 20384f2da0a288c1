#include "router/node_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace router {
namespace {

constexpr double kFading = 15 * 60;      // seconds
constexpr int kMostOfDay = 30;           // events of one day that a belief is warmed up with: more than it remembers
constexpr double kUsualDeviation = 0.5;  // of ln ms, where nothing is known
constexpr double kP95 = 1.645;           // deviations from the median
constexpr int kFewest = 5;               // events that say something of a failure rate

math::LatencyPrior prior_of(const StaticCost& fixed) { return {std::log(std::max(fixed.ms, 0.1)), kUsualDeviation, fixed.limit_ms}; }

double log_of(double ms) { return std::log(std::max(ms, 0.1)); }

std::string seconds(double value) {
    char text[32];
    std::snprintf(text, sizeof text, value < 0.1 ? "%.4f s" : "%.1f s", value);
    return text;
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

}  // namespace

NodeMetrics::Node::Node(const StaticCost& from) : fixed(from), prior(prior_of(from)), belief(prior), fast(prior.log_mean, prior.log_deviation) {}

// What failed at once says nothing of how long the node takes: it is not quick.
bool NodeMetrics::Node::tells_time(const NodeEvent& event) const { return !event.failed || event.timed_out || log_of(event.ms) >= belief.log_mean(); }

void NodeMetrics::Node::add(const NodeEvent& event) {
    if (tells_time(event)) belief.add(event.timed_out ? fixed.limit_ms : event.ms, event.timed_out);
}

void NodeMetrics::Node::see(const NodeEvent& event, base::TimePoint now) {
    const bool timed = tells_time(event);
    add(event);
    const double faded = seen == base::TimePoint{} ? 0 : std::exp(-std::max(0.0, std::chrono::duration<double>(now - seen).count()) / kFading);
    const double before = weights > 0 ? logs / weights : prior.log_mean;
    weights = weights * faded + 1;
    logs = logs * faded + (timed ? log_of(event.ms) : before);
    failures = failures * faded + (event.failed || event.timed_out);
    seen = now;
    if (timed) fast.add(log_of(event.ms));
}

// Slowness counts where the fast path believes it: a single slow answer is no shift.
double NodeMetrics::Node::live(base::TimePoint now) const {
    if (known.gate == math::Gate::insufficient || seen == base::TimePoint{}) return 0;
    const double left = weights * std::exp(-std::max(0.0, std::chrono::duration<double>(now - seen).count()) / kFading);
    if (left < 0.5) return 0;
    math::LiveWindow window{.level = prior.log_mean, .failure_rate = known.failure_rate, .events = std::max(1, int(left))};
    if (fast.on()) window.level = logs / weights;
    if (left >= kFewest) window.failure_rate = failures / weights;
    return math::live_penalty(window, {prior.log_mean, prior.log_mean + kP95 * prior.log_deviation, known.failure_rate});
}

// The absolute rule goes with the plain weight: neither bounded nor moved a quarter a night.
math::NodeCost NodeMetrics::Node::cost(base::TimePoint now, math::Rule rule) const {
    double weight = std::clamp(0.6 * live(now) + known.weight, 0.0, 1.0);
    if (rule == math::Rule::absolute) weight = math::raw_weight_adjustment(live(now), math::authority_of(known.gate) > 0 ? known.drift : 0);
    if (known.gate == math::Gate::insufficient) weight = 0;
    return {.seconds = belief.mean_ms() / 1000, .weight = weight, .timeout = belief.timeout_probability(),
            .baseline_seconds = math::limited_mean(prior.log_mean, prior.log_deviation, prior.limit_ms) / 1000};
}

NodeMetrics::NodeMetrics(std::vector<StaticCost> nodes, DepthSettings settings) : settings_(settings) {
    for (const StaticCost& one : nodes) nodes_.emplace(one.node, Node(one));
}

const NodeMetrics::Node& NodeMetrics::at(const std::string& node) const {
    const auto found = nodes_.find(node);
    if (found == nodes_.end()) throw std::logic_error("no node " + node);
    return found->second;
}

NodeMetrics::Loaded NodeMetrics::load(const std::map<std::string, NodeHistory>& histories) {
    Loaded out;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, history] : histories) {
        const auto found = nodes_.find(name);
        if (found == nodes_.end()) continue;
        Node node(found->second.fixed);
        node.known = history.known;
        if (history.known.usual) {
            node.prior = *history.known.usual;
            node.belief = math::LatencyBelief(node.prior);
            node.fast = math::FastPath(node.prior.log_mean, node.prior.log_deviation);
        }
        for (const NodeDay& day : history.week) {
            out.samples += day.count;
            const int events = std::min(day.count, kMostOfDay);
            const int timeouts = day.count == 0 ? 0 : int(std::lround(double(events) * day.timeouts / day.count));
            for (int i = 0; i < events; ++i) node.add({std::exp(day.level), false, i < timeouts});
        }
        for (const NodeEvent& event : history.today) node.add(event);
        out.nodes += !history.week.empty();
        found->second = std::move(node);
    }
    return out;
}

void NodeMetrics::done(const std::string& node, const NodeEvent& event, base::TimePoint now, bool probe) {
    const std::lock_guard lock(mutex_);
    const auto found = nodes_.find(node);
    if (found == nodes_.end()) return;
    if (probe) prober_.learnt((log_of(event.ms) - found->second.belief.log_mean()) / std::max(found->second.prior.log_deviation, 0.02));
    found->second.see(event, now);
}

DepthChoice NodeMetrics::choose(double gain, const std::string& seed, base::TimePoint now) {
    DepthChoice out;
    out.gain = gain;
    const std::lock_guard lock(mutex_);
    const Node& thinking = at("thinking");
    out.thinking = thinking.cost(now, settings_.route.rule);
    out.recompose = at("recompose").cost(now, settings_.route.rule);
    out.price = math::price(out.thinking, settings_.route);
    if (!settings_.on) out.why = "off";
    if (!settings_.on || thinking.known.gate == math::Gate::insufficient) return out;
    math::Rng rng("depth|" + seed);
    const math::Decision decision = math::decide(gain, out.thinking, out.recompose, thinking.known.per_day, prober_, rng, settings_.route);
    out.heavy = decision.heavy;
    out.why = math::name(decision.why);
    out.propensity = decision.propensity;
    return out;
}

std::vector<NodeMetrics::State> NodeMetrics::states(base::TimePoint now) const {
    std::vector<State> out;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, node] : nodes_) out.push_back({name, node.cost(now, settings_.route.rule), node.live(now), node.known.drift, node.known.gate});
    return out;
}

std::string DepthChoice::told() const {
    return "thinking costs " + seconds(thinking.seconds) + " with weight " + number(thinking.weight) + ", recompose " + seconds(recompose.seconds) + " with weight " + number(recompose.weight) +
           "; its price " + number(price) + " against a gain of " + number(gain);
}

base::Json to_json(const DepthChoice& choice) {
    const auto cost = [](const math::NodeCost& c) { return base::Json{{"seconds", c.seconds}, {"weight", c.weight}, {"timeout", c.timeout}, {"usual_seconds", c.baseline_seconds}}; };
    return {{"heavy", choice.heavy}, {"why", choice.why}, {"propensity", choice.propensity}, {"gain", choice.gain}, {"price", choice.price},
            {"thinking", cost(choice.thinking)}, {"recompose", cost(choice.recompose)}};
}

}  // namespace router
