#include "text/texts.h"

#include <algorithm>
#include <map>

#include "text/schema_rules.h"

namespace text {
namespace {

using State = Texts::State;
constexpr char32_t last_char = 0x10FFFF;

void check_size(std::size_t n, std::size_t most) {
    if (n > most) throw Refused{"constraints that together need more than " + std::to_string(most) + " states have no grammar"};
}

std::size_t n_edges(const std::vector<State>& states) {
    std::size_t n = 0;
    for (const State& s : states) n += s.next.size() + 1;
    return n;
}

// Without the states that lead to no end.
std::vector<State> trimmed(const std::vector<State>& states) {
    std::vector<std::vector<int>> back(states.size());
    std::vector<int> stack;
    std::vector<bool> alive(states.size(), false);
    for (std::size_t s = 0; s < states.size(); ++s) {
        for (const auto& e : states[s].next) back[std::size_t(e.to)].push_back(int(s));
        if (states[s].ends) alive[s] = true, stack.push_back(int(s));
    }
    while (!stack.empty()) {
        const int s = stack.back();
        stack.pop_back();
        for (int before : back[std::size_t(s)])
            if (!alive[std::size_t(before)]) alive[std::size_t(before)] = true, stack.push_back(before);
    }
    std::vector<State> out;
    if (states.empty() || !alive[0]) return out;
    std::vector<int> number(states.size(), -1);
    for (std::size_t s = 0; s < states.size(); ++s)
        if (alive[s]) number[s] = int(out.size()), out.push_back({states[s].ends, {}});
    for (std::size_t s = 0; s < states.size(); ++s)
        for (const auto& e : states[s].next)
            if (alive[s] && alive[std::size_t(e.to)]) out[std::size_t(number[s])].add(e.first, e.last, number[std::size_t(e.to)]);
    return out;
}

// Joins states that accept the same texts, as far as some rounds of refinement tell them apart.
std::vector<State> merged(const std::vector<State>& states) {
    constexpr std::size_t max_work = 500000;
    const std::size_t max_rounds = std::min<std::size_t>(64, max_work / (n_edges(states) + 1) + 2);
    std::vector<int> group(states.size());
    for (std::size_t s = 0; s < states.size(); ++s) group[s] = states[s].ends;
    std::size_t n_groups = 0;
    for (std::size_t round = 0;; ++round) {
        if (round == max_rounds) return states;
        std::map<std::vector<std::uint32_t>, int> seen;
        std::vector<int> finer(states.size());
        for (std::size_t s = 0; s < states.size(); ++s) {
            State through;
            for (const auto& e : states[s].next) through.add(e.first, e.last, group[std::size_t(e.to)]);
            std::vector<std::uint32_t> sign = {std::uint32_t(group[s])};
            for (const auto& e : through.next) sign.insert(sign.end(), {std::uint32_t(e.first), std::uint32_t(e.last), std::uint32_t(e.to)});
            finer[s] = seen.try_emplace(std::move(sign), int(seen.size())).first->second;
        }
        group = finer;
        if (seen.size() == n_groups) break;
        n_groups = seen.size();
    }
    std::vector<State> out(n_groups);
    std::vector<bool> done(n_groups, false);
    for (std::size_t s = 0; s < states.size(); ++s) {  // groups are numbered as they are met: the first state's is the first
        const auto g = std::size_t(group[s]);
        if (done[g]) continue;
        done[g] = true;
        out[g].ends = states[s].ends;
        for (const auto& e : states[s].next) out[g].add(e.first, e.last, group[std::size_t(e.to)]);
    }
    return out;
}

// Calls with each stretch of characters that leads to one state of either: first, last, and the states (-1: none).
template <class Call>
void side_by_side(const std::vector<Texts::Edge>& a, const std::vector<Texts::Edge>& b, Call call) {
    std::size_t i = 0, k = 0;
    for (char32_t at = 0; i < a.size() || k < b.size();) {
        const auto from = [&](const auto& edges, std::size_t n) { return n < edges.size() ? std::max(edges[n].first, at) : last_char + 1; };
        const char32_t a_from = from(a, i), b_from = from(b, k), first = std::min(a_from, b_from);
        const bool in_a = a_from == first, in_b = b_from == first;
        const char32_t last = std::min(in_a ? a[i].last : a_from - 1, in_b ? b[k].last : b_from - 1);
        call(first, last, in_a ? a[i].to : -1, in_b ? b[k].to : -1);
        at = last + 1;
        if (i < a.size() && a[i].last < at) ++i;
        if (k < b.size() && b[k].last < at) ++k;
    }
}

}  // namespace

void Texts::State::add(char32_t first, char32_t last, int to) {
    if (!next.empty() && next.back().to == to && next.back().last + 1 == first)
        next.back().last = last;
    else
        next.push_back({first, last, to});
}

Texts Texts::of(std::vector<State> states) {
    Texts out;
    out.work_ = n_edges(states);
    out.states_ = merged(trimmed(states));
    check_size(out.states_.size(), max_states);
    return out;
}

Texts Texts::all() { return of_characters({{0, last_char}}); }

Texts Texts::of_characters(const std::vector<base::CharRange>& ranges) {
    State one{true, {}};
    for (auto [first, last] : ranges) one.add(first, last, 0);
    return of({one});
}

Texts Texts::of_lengths(int least, int most) {
    std::vector<State> states;
    const int n = most < 0 ? least : most;
    check_size(std::size_t(n), max_states);
    for (int i = 0; i <= n; ++i) {
        State s{i >= least, {}};
        if (i < n || most < 0) s.add(0, last_char, std::min(i + 1, n));
        states.push_back(std::move(s));
    }
    return of(std::move(states));
}

Texts Texts::of_values(const std::vector<std::u32string>& values) {
    std::vector<std::map<char32_t, int>> next(1);
    std::vector<bool> ends = {false};
    for (const std::u32string& value : values) {
        std::size_t at = 0;
        for (char32_t c : value) {
            const auto [it, fresh] = next[at].try_emplace(c, int(next.size()));
            at = std::size_t(it->second);
            if (fresh) next.emplace_back(), ends.push_back(false);
        }
        ends[at] = true;
    }
    std::vector<State> states(next.size());
    for (std::size_t s = 0; s < states.size(); ++s) {
        states[s].ends = ends[s];
        for (auto [c, to] : next[s]) states[s].next.push_back({c, c, to});
    }
    return of(std::move(states));
}

// The states are pairs of both's; -1 stands for one that has come to nothing.
Texts Texts::product(const Texts& other, bool (*holds)(bool, bool)) const {
    std::vector<State> out;
    std::map<std::pair<int, int>, int> numbers;
    std::vector<std::pair<int, int>> pairs;
    const auto number = [&](int x, int y) {
        const auto [it, fresh] = numbers.try_emplace({x, y}, int(pairs.size()));
        if (fresh) pairs.push_back({x, y});
        return it->second;
    };
    const auto possible = [&](bool x, bool y) { return holds(x, y) || holds(x, false) || holds(false, y); };
    const std::vector<Edge> none;
    std::size_t n_edges = 0;
    number(empty() ? -1 : 0, other.empty() ? -1 : 0);
    for (std::size_t n = 0; n < pairs.size(); ++n) {
        check_size(pairs.size(), max_raw_states);
        const auto [x, y] = pairs[n];
        const State* mine = x < 0 ? nullptr : &states_[std::size_t(x)];
        const State* others = y < 0 ? nullptr : &other.states_[std::size_t(y)];
        State s;
        s.ends = holds(mine && mine->ends, others && others->ends);
        side_by_side(mine ? mine->next : none, others ? others->next : none, [&](char32_t first, char32_t last, int to_x, int to_y) {
            if (possible(to_x >= 0, to_y >= 0)) s.add(first, last, number(to_x, to_y));
        });
        if ((n_edges += s.next.size()) > max_edges) throw Refused{"constraints that together need so many distinctions of characters have no grammar"};
        out.push_back(std::move(s));
    }
    Texts made = of(std::move(out));
    if ((made.work_ += work_ + other.work_) > max_work) throw Refused{"the patterns and names of the schema together take too long"};
    return made;
}

Texts Texts::operator&(const Texts& other) const {
    return product(other, [](bool x, bool y) { return x && y; });
}
Texts Texts::operator|(const Texts& other) const {
    return product(other, [](bool x, bool y) { return x || y; });
}
Texts Texts::operator-(const Texts& other) const {
    return product(other, [](bool x, bool y) { return x && !y; });
}

}  // namespace text
