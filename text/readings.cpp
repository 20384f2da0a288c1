#include "text/readings.h"

#include <utility>
#include <vector>

namespace text {
namespace {

constexpr std::size_t max_work = 20'000'000;  // edges looked at

}  // namespace

std::optional<int> too_many_readings(const Machine& m) {
    // What is reached over an empty edge reaches no more than where that edge begins.
    std::vector<bool> behind_empty(m.edges.size(), false);
    for (const auto& edges : m.edges)
        for (const Edge& e : edges)
            if (e.kind == Edge::Kind::empty) behind_empty[std::size_t(e.to)] = true;
    std::vector<int> visited(m.edges.size(), -1), open;
    std::size_t work = 0;
    for (int begin = 0; begin < int(m.edges.size()); ++begin) {
        if (behind_empty[std::size_t(begin)] || m.only_bytes[std::size_t(begin)]) continue;
        std::size_t n = 1;
        const auto visit = [&](int state) {
            if (std::exchange(visited[std::size_t(state)], begin) == begin) return;
            open.push_back(state);
            ++n;
        };
        open.assign(1, begin);
        visited[std::size_t(begin)] = begin;
        while (!open.empty()) {
            const int state = open.back();
            open.pop_back();
            work += m.edges[std::size_t(state)].size();
            if (n > most_readings || work > max_work) return begin;
            for (const Edge& e : m.edges[std::size_t(state)]) {
                if (e.kind == Edge::Kind::call) visit(m.start[std::size_t(e.rule)]);
                if (e.kind == Edge::Kind::empty || (e.kind == Edge::Kind::call && m.nullable[std::size_t(e.rule)])) visit(e.to);
            }
        }
    }
    return std::nullopt;
}

}  // namespace text
