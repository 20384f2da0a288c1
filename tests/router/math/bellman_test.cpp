#include "router/math/bellman.h"

#include <algorithm>
#include <limits>

#include "router/math/random.h"
#include "vectors.h"

namespace router::math {
namespace {

constexpr double INF = std::numeric_limits<double>::infinity();

// Bellman and Ford's rounds as one graph without cycles: a copy of the nodes for each round. V of node v in the first copy is the least
// cost from the source to v over at most `rounds` edges.
std::vector<GraphNode> unrolled(const base::Json& graph, int rounds) {
    const int n = graph["n"];
    std::vector<std::vector<std::pair<int, double>>> into(static_cast<std::size_t>(n));
    for (const auto& edge : graph["edges"]) into[edge[1].get<std::size_t>()].emplace_back(edge[0].get<int>(), edge[2].get<double>());
    std::vector<GraphNode> nodes(static_cast<std::size_t>(n * (rounds + 1)));
    for (int round = 0; round <= rounds; ++round)
        for (int v = 0; v < n; ++v) {
            GraphNode& node = nodes[std::size_t(round * n + v)];
            node.name = std::to_string(v);
            if (round == rounds) {
                node.cost = v == graph["source"].get<int>() ? 0 : INF;
                continue;
            }
            node.choices.push_back({0, EVERY_CLASS, {{(round + 1) * n + v}}});
            for (const auto& [from, weight] : into[std::size_t(v)]) node.choices.push_back({weight, EVERY_CLASS, {{(round + 1) * n + from}}});
        }
    return nodes;
}

TEST(BellmanVectors, ShortestPathsWithNegativeEdges) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    int cycles = 0;
    const auto file = expected("bellman_ford.json");
    for (const auto& graph : file["graphs"]) {
        const int n = graph["n"];
        SCOPED_TRACE(n);
        const auto plan = backward_induction(unrolled(graph, n), EVERY_CLASS);
        ASSERT_TRUE(plan);
        // Copies 0 and 1 allow n and n-1 edges: they differ iff a negative cycle is within reach.
        const bool cycle = !std::equal(plan->values.begin(), plan->values.begin() + n, plan->values.begin() + n);
        EXPECT_EQ(cycle, graph["negative_cycle"].get<bool>());
        cycles += cycle;
        for (int v = 0; !cycle && v < n; ++v) {
            const auto& distance = graph["dist"][std::size_t(v)];
            EXPECT_EQ(plan->values[std::size_t(v)], distance.is_null() ? INF : distance.get<double>()) << v;
        }
    }
    EXPECT_EQ(cycles, 1);
}

// A decision process as nodes: rewards are negative costs, an action is a choice whose outcome chance decides.
std::vector<GraphNode> process(const base::Json& mdp) {
    const auto& p = mdp["P"];
    std::vector<GraphNode> nodes(p[0].size());
    for (std::size_t s = 0; s < nodes.size(); ++s)
        for (std::size_t a = 0; a < p.size(); ++a) {
            Choice choice{.cost = -mdp["R"][a][s].get<double>(), .outcomes = {}};
            for (std::size_t t = 0; t < nodes.size(); ++t)
                if (const double q = p[a][s][t]; q != 0) choice.outcomes.push_back({int(t), q});
            nodes[s].choices.push_back(std::move(choice));
        }
    return nodes;
}

Vector sweep(const std::vector<GraphNode>& nodes, const Vector& values, double discount) {
    Vector out;
    for (const GraphNode& node : nodes) out.push_back(backup(node, values, EVERY_CLASS, discount).value);
    return out;
}

TEST(BellmanVectors, BackupsConvergeToTheExactValues) {
    if (!mathcore_vectors()) GTEST_SKIP() << "no vectors";
    int judged = 0;
    const auto file = expected("bellman_mdp.json");
    for (const auto& mdp : file["mdps"]) {
        SCOPED_TRACE(mdp["name"].get<std::string>());
        auto nodes = process(mdp);
        const double discount = mdp["gamma"];
        if (mdp.contains("V_random_policy")) {  // every action as likely as another: one choice, decided by chance
            for (GraphNode& node : nodes) {
                Choice mean;
                for (const Choice& c : node.choices) {
                    mean.cost += c.cost / double(node.choices.size());
                    for (const Outcome& o : c.outcomes) mean.outcomes.push_back({o.to, o.probability / double(node.choices.size())});
                }
                node.choices = {mean};
            }
        }
        Vector values(nodes.size());
        for (int i = 0; i < 40'000; ++i) {
            const Vector next = sweep(nodes, values, discount);
            const bool rests = relative_difference(next, values) < 1e-15;
            values = next;
            if (i == 4 && mdp.contains("V_after_5_value_iterations_from_0")) {
                Vector rewards;
                for (double v : values) rewards.push_back(-v);
                EXPECT_LT(relative_difference(rewards, mdp["V_after_5_value_iterations_from_0"].get<Vector>()), 1e-12);
            }
            if (rests && i > 4) break;
        }
        for (double& v : values) v = -v;
        const auto wanted = mdp[mdp.contains("V") ? "V" : "V_random_policy"].get<Vector>();
        EXPECT_LT(relative_difference(values, wanted), 1e-10);
        for (double& v : values) v = -v;
        for (std::size_t s = 0; mdp.contains("policy") && s < nodes.size(); ++s)
            EXPECT_EQ(backup(nodes[s], values, EVERY_CLASS, discount).choice, mdp["policy"][s].get<int>()) << s;
        ++judged;
    }
    EXPECT_EQ(judged, 8);
}

double by_paths(const std::vector<GraphNode>& nodes, int at, Classes classes) {
    const GraphNode& node = nodes[std::size_t(at)];
    double best = node.choices.empty() ? 0 : INF;
    for (const Choice& c : node.choices)
        if (c.classes & classes) best = std::min(best, c.cost + by_paths(nodes, c.outcomes[0].to, classes));
    return node.cost * node.visits + best;
}

TEST(Bellman, EqualsAllPathsOfRandomGraphs) {
    Rng rng("dags");
    for (int i = 0; i < 10'000; ++i) {
        const int n = 2 + int(rng.below(7));
        std::vector<int> place(static_cast<std::size_t>(n));  // nodes are numbered in no order
        for (int v = 0; v < n; ++v) place[std::size_t(v)] = v;
        for (int v = n - 1; v > 0; --v) std::swap(place[std::size_t(v)], place[rng.below(std::size_t(v) + 1)]);
        std::vector<GraphNode> nodes(static_cast<std::size_t>(n));
        for (int v = 0; v < n; ++v) {
            GraphNode& node = nodes[std::size_t(place[std::size_t(v)])];
            node.cost = double(rng.below(20));
            node.visits = 1 + double(rng.below(3));
            for (int w = v + 1; w < n; ++w)
                if (rng.uniform() < 0.5) node.choices.push_back({double(rng.below(10)), Classes(1 + rng.below(3)), {{place[std::size_t(w)]}}});
        }
        const auto plan = backward_induction(nodes, 1);
        ASSERT_TRUE(plan);
        for (int v = 0; v < n; ++v) ASSERT_EQ(plan->values[std::size_t(v)], by_paths(nodes, v, 1)) << i;
    }
}

TEST(Bellman, TiesGoToTheFirst) {
    const std::vector<GraphNode> nodes = {{"a", 1, 1, {{0, EVERY_CLASS, {{1}}}, {0, EVERY_CLASS, {{2}}}}}, {"b", 1, 1, {}}, {"c", 1, 1, {}}};
    EXPECT_EQ(backward_induction(nodes, EVERY_CLASS)->choices, (std::vector<int>{0, -1, -1}));
}

TEST(Bellman, RefusesCyclesAndWaysToNowhere) {
    std::vector<GraphNode> nodes = {{"intake", 1, 1, {{0, EVERY_CLASS, {{1}}}}}, {"copilot", 1, 1, {{0, EVERY_CLASS, {{1}}}}}};
    const auto cycle = backward_induction(nodes, EVERY_CLASS);
    ASSERT_FALSE(cycle);
    EXPECT_NE(cycle.error().text().find("'copilot'"), std::string::npos) << cycle.error().text();
    nodes[1].choices[0].outcomes[0].to = 7;
    const auto nowhere = backward_induction(nodes, EVERY_CLASS);
    ASSERT_FALSE(nowhere);
    EXPECT_NE(nowhere.error().message.find("leads to node 7"), std::string::npos);
}

TEST(Bellman, LoopsAreExpectedVisits) {
    EXPECT_DOUBLE_EQ(expected_visits(0, 8), 1);
    EXPECT_DOUBLE_EQ(expected_visits(0.75, 8), 4);
    EXPECT_DOUBLE_EQ(expected_visits(0.99, 8), 8);
    EXPECT_DOUBLE_EQ(expected_visits(1, 8), 8);
    // The same as the loop unrolled by value iteration.
    const GraphNode loop{"copilot", 3, 1, {{0, EVERY_CLASS, {{0, 0.75}}}}};
    Vector value = {0};
    for (int i = 0; i < 200; ++i) value[0] = backup(loop, value, EVERY_CLASS).value;
    EXPECT_NEAR(value[0], 3 * expected_visits(0.75, 8), 1e-9);
}

}  // namespace
}  // namespace router::math
