// Backward induction over the pipeline's graph: the least expected cost from each node to the end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "router/math/matrix.h"

namespace router::math {

// A set of execution classes, one bit each; which bit is which is the caller's.
using Classes = std::uint32_t;
constexpr Classes EVERY_CLASS = ~Classes(0);

// Where a choice may lead: chance decides, as whether a question needs tools.
struct Outcome {
    int to = 0;
    double probability = 1;
};

struct Choice {
    double cost = 0;                 // beyond the node's own
    Classes classes = EVERY_CLASS;   // that may choose it
    std::vector<Outcome> outcomes;   // probabilities sum to at most 1; what is left ends
};

struct GraphNode {
    std::string name;
    double cost = 0;              // of one visit
    double visits = 1;            // expected, of a bounded loop: expected_visits
    std::vector<Choice> choices;  // none: a terminal
};

// 1/(1-p) for a loop that goes on with probability p, at most `most`.
double expected_visits(double p, double most);

struct Backup {
    double value = 0;  // infinite where no choice is admissible at a node that has some
    int choice = -1;   // the first of the best; -1 at a terminal
};

// cost·visits + min over the admissible choices of cost + discount·sum probability·value (Bellman 1957). values: one a node.
Backup backup(const GraphNode& node, std::span<const double> values, Classes classes, double discount = 1);

struct Plan {
    Vector values;             // V, one a node
    std::vector<int> choices;  // the best of each node; -1 at terminals
};

// One backup a node in reverse topological order (Kahn 1962): O(nodes + outcomes). A cycle, or an outcome that leads to no node, is
// refused with the node's name.
base::Result<Plan> backward_induction(std::span<const GraphNode> nodes, Classes classes);

}  // namespace router::math
