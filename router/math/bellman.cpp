#include "router/math/bellman.h"

#include <algorithm>
#include <limits>

namespace router::math {
namespace {

// Nodes in topological order; fewer than there are where a cycle is.
std::vector<int> topological(std::span<const GraphNode> nodes) {
    std::vector<int> waiting(nodes.size()), order;
    for (const GraphNode& node : nodes)
        for (const Choice& choice : node.choices)
            for (const Outcome& outcome : choice.outcomes) ++waiting[std::size_t(outcome.to)];
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (waiting[i] == 0) order.push_back(int(i));
    for (std::size_t at = 0; at < order.size(); ++at)
        for (const Choice& choice : nodes[std::size_t(order[at])].choices)
            for (const Outcome& outcome : choice.outcomes)
                if (--waiting[std::size_t(outcome.to)] == 0) order.push_back(outcome.to);
    return order;
}

std::string first_missing(std::span<const GraphNode> nodes, std::vector<int> order) {
    std::sort(order.begin(), order.end());
    std::size_t i = 0;
    while (i < order.size() && order[i] == int(i)) ++i;
    return nodes[i].name;
}

}  // namespace

double expected_visits(double p, double most) { return p < 1 ? std::min(most, 1 / (1 - std::max(p, 0.0))) : most; }

Backup backup(const GraphNode& node, std::span<const double> values, Classes classes, double discount) {
    const double own = node.cost * node.visits;
    if (node.choices.empty()) return {own, -1};
    Backup best{std::numeric_limits<double>::infinity(), -1};
    for (std::size_t i = 0; i < node.choices.size(); ++i) {
        const Choice& choice = node.choices[i];
        if ((choice.classes & classes) == 0) continue;
        double ahead = 0;
        for (const Outcome& outcome : choice.outcomes) ahead += outcome.probability * values[std::size_t(outcome.to)];
        const double value = own + choice.cost + discount * ahead;
        if (best.choice < 0 || value < best.value) best = {value, int(i)};
    }
    return best;
}

base::Result<Plan> backward_induction(std::span<const GraphNode> nodes, Classes classes) {
    for (const GraphNode& node : nodes)
        for (const Choice& choice : node.choices)
            for (const Outcome& outcome : choice.outcomes)
                if (outcome.to < 0 || std::size_t(outcome.to) >= nodes.size())
                    return base::error(base::Code::invalid_argument, "node '" + node.name + "' leads to node " + std::to_string(outcome.to) + ", and there are " + std::to_string(nodes.size()));
    const auto order = topological(nodes);
    if (order.size() < nodes.size())
        return base::error(base::Code::invalid_argument, "the graph has a cycle that holds or precedes node '" + first_missing(nodes, order) + "'", "a bounded loop is one node with its expected visits");
    Plan plan{Vector(nodes.size()), std::vector<int>(nodes.size(), -1)};
    for (auto at = order.rbegin(); at != order.rend(); ++at) {
        const Backup best = backup(nodes[std::size_t(*at)], plan.values, classes);
        plan.values[std::size_t(*at)] = best.value;
        plan.choices[std::size_t(*at)] = best.choice;
    }
    return plan;
}

}  // namespace router::math
