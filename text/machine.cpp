#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "text/automaton.h"
#include "text/readings.h"

namespace text {
namespace {

using base::Code;
using base::Result;
constexpr std::size_t max_states = 400000;
constexpr std::size_t inline_states = 64;    // larger repeated parts become rules of their own
constexpr std::size_t written_states = 128;  // called rules up to this size are written out inside repetitions

struct ByteRange {
    std::uint8_t low, high;
};

// UTF-8 sequences of one length whose bytes vary independently and cover first..last exactly.
void utf8_sequences(char32_t first, char32_t last, std::vector<std::vector<ByteRange>>& out) {
    constexpr char32_t limits[] = {0x7F, 0x7FF, 0xD7FF, 0xFFFF, 0x10FFFF};
    for (char32_t limit : limits)
        if (first <= limit && last > limit) {
            utf8_sequences(first, limit, out);
            utf8_sequences(limit + 1, last, out);
            return;
        }
    if (first >= 0xD800 && first <= 0xDFFF) {  // surrogates have no UTF-8
        if (last > 0xDFFF) utf8_sequences(0xE000, last, out);
        return;
    }
    const int n = last < 0x80 ? 1 : last < 0x800 ? 2 : last < 0x10000 ? 3 : 4;
    for (int tail = 1; tail < n; ++tail) {  // cut where the last `tail` bytes do not run over their whole range
        const char32_t mask = (char32_t(1) << (6 * tail)) - 1;
        if ((first & ~mask) == (last & ~mask)) continue;
        if ((first & mask) != 0) {
            utf8_sequences(first, first | mask, out);
            utf8_sequences((first | mask) + 1, last, out);
            return;
        }
        if ((last & mask) != mask) {
            utf8_sequences(first, (last & ~mask) - 1, out);
            utf8_sequences(last & ~mask, last, out);
            return;
        }
    }
    constexpr std::uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    std::vector<ByteRange> seq;
    for (int i = n - 1; i >= 0; --i) {
        const auto byte = [&](char32_t c) {
            const char32_t bits = c >> (6 * i);
            return std::uint8_t(i == n - 1 ? (n == 1 ? bits : lead[n] | bits) : 0x80 | (bits & 0x3F));
        };
        seq.push_back({byte(first), byte(last)});
    }
    out.push_back(std::move(seq));
}

struct TooLarge {};

class Builder {
public:
    explicit Builder(const Rules& rules) : rules_(rules) {}

    // The rule that the grammar names of which the state is a part.
    int rule_of(int state) const { return rule_of_[std::size_t(state)]; }

    Machine build() {
        m_.root = rules_.root;
        m_.start.assign(rules_.nodes.size(), -1);
        for (std::size_t r = 0; r < rules_.nodes.size(); ++r) add_rule(rule_ = int(r), rules_.nodes[r]);
        return std::move(m_);
    }

private:
    int state() {
        if (m_.edges.size() >= max_states) throw TooLarge{};
        m_.edges.emplace_back();
        m_.final.push_back(false);
        m_.alias.push_back(int(m_.alias.size()));
        rule_of_.push_back(rule_);
        return int(m_.edges.size()) - 1;
    }
    void edge(int from, Edge e) { m_.edges[std::size_t(from)].push_back(e); }
    void empty(int from, int to) { edge(from, {Edge::Kind::empty, 0, 0, 0, -1, to}); }
    void call(int from, int rule, int to) { edge(from, {Edge::Kind::call, 0, 0, 0, rule, to}); }

    void add_rule(int rule, const RuleNode& node) {
        const int start = state(), outer = std::exchange(repeats_, 0);
        m_.start[std::size_t(rule)] = start;
        const int end = add(node, start);
        m_.final[std::size_t(end)] = true;
        repeats_ = outer;
    }

    // Adds the automaton of the node behind `from`; returns the state in which it has been read.
    int add(const RuleNode& node, int from) {
        using K = RuleNode::Kind;
        switch (node.kind) {
            case K::empty: return from;
            case K::literal:
                for (std::size_t i = 0; i < node.bytes.size(); ++i) {
                    const auto c = std::uint8_t(node.bytes[i]);
                    const int to = state();
                    const int mark = (i == 0 ? Edge::literal_first : 0) | (i + 1 == node.bytes.size() ? Edge::literal_last : 0);
                    edge(from, {Edge::Kind::bytes, std::uint8_t(Edge::literal | mark), c, c, -1, to});
                    from = to;
                }
                return from;
            case K::set: return add_set(node, from);
            case K::rule: {
                // A short rule inside a repetition is written out: what a token may hold is then
                // known without looking at what follows the rule.
                if (repeats_ && expanded_size(node, 0) <= written_states) return add(rules_.nodes[std::size_t(node.rule)], from);
                const int to = state();
                call(from, node.rule, to);
                return to;
            }
            case K::sequence:
                for (const RuleNode& part : node.parts) from = add(part, from);
                return from;
            case K::either: {
                const int to = state();
                for (const RuleNode& part : node.parts) {
                    const int begin = state();
                    empty(from, begin);
                    empty(add(part, begin), to);
                }
                return to;
            }
            case K::repeat: return add_repeat(node, from);
        }
        return from;
    }

    int add_set(const RuleNode& node, int from) {
        const int to = state();
        std::vector<std::vector<ByteRange>> sequences;
        for (auto [first, last] : node.ranges) utf8_sequences(first, last, sequences);
        std::map<std::tuple<int, int, int>, int> shared;  // (low, high, next) → state with that edge
        for (const auto& seq : sequences) {
            int next = to;
            for (std::size_t i = seq.size(); i-- > 1;) {
                const auto [it, fresh] = shared.try_emplace({seq[i].low, seq[i].high, next}, 0);
                if (fresh) {
                    it->second = state();
                    edge(it->second, {Edge::Kind::bytes, 0, seq[i].low, seq[i].high, -1, next});
                }
                next = it->second;
            }
            edge(from, {Edge::Kind::bytes, 0, seq[0].low, seq[0].high, -1, next});
        }
        return to;
    }

    // About as many states as the node takes with all its rules written out; more than written_states when
    // it repeats without bound or calls too deep.
    std::size_t expanded_size(const RuleNode& node, int depth) const {
        constexpr std::size_t too_large = written_states + 1;
        if (depth > 8 || (node.kind == RuleNode::Kind::repeat && node.most < 0)) return too_large;
        if (node.kind == RuleNode::Kind::rule)
            return std::size_t(node.rule) < rules_.nodes.size() ? expanded_size(rules_.nodes[std::size_t(node.rule)], depth + 1) : too_large;
        std::size_t n = node.kind == RuleNode::Kind::literal ? node.bytes.size() : node.kind == RuleNode::Kind::set ? 4 : 2;
        for (const RuleNode& part : node.parts)
            if ((n += expanded_size(part, depth)) > written_states) return too_large;
        if (node.kind == RuleNode::Kind::repeat) n *= std::size_t(std::max({node.least, node.most, 1}));
        return std::min(n, too_large);
    }

    int add_repeat(const RuleNode& node, int from) {
        const int outer = repeats_;
        repeats_ = 1;
        const int to = add_repetition(node, from);
        repeats_ = outer;
        return to;
    }

    int add_repetition(const RuleNode& node, int from) {
        const RuleNode* part = &node.parts[0];
        RuleNode called;
        if (const int copies = std::max(node.least, node.most); copies > 1) {
            if (size_of(*part) > inline_states) {
                called.kind = RuleNode::Kind::rule;
                called.rule = int(m_.start.size());
                m_.start.push_back(-1);
                add_rule(called.rule, *part);
                part = &called;
            }
        }
        // Copies that have the same future for longer than any token share what is known about them.
        from = chain(*part, from, node.least, nullptr);
        if (node.most < 0) {
            const int loop = state();
            empty(from, loop);
            empty(add(*part, loop), loop);
            return loop;
        }
        const int to = state();
        empty(chain(*part, from, node.most - node.least, &to), to);
        return to;
    }

    // n copies in a row; with `exit` each may be the first that is left out.
    int chain(const RuleNode& part, int from, int n, const int* exit) {
        int first = -1, copy_size = 0;
        for (int i = 0; i < n; ++i) {
            const int begin = state();
            empty(from, begin);
            if (exit) empty(begin, *exit);
            from = add(part, begin);
            const int size = int(m_.edges.size()) - begin;
            if (first < 0) {
                first = begin;
                copy_size = size;
            } else if (size == copy_size && n - i > Machine::alias_bytes) {
                for (int k = 0; k < size; ++k) m_.alias[std::size_t(begin + k)] = m_.alias[std::size_t(first + k)];
            }
        }
        return from;
    }

    static std::size_t size_of(const RuleNode& node) {  // about as many states
        std::size_t n = node.kind == RuleNode::Kind::literal ? node.bytes.size() : node.kind == RuleNode::Kind::set ? 4 : 2;
        for (const RuleNode& part : node.parts) n += size_of(part);
        if (node.kind == RuleNode::Kind::repeat) n *= std::size_t(std::max({node.least, node.most, 1}));
        return n;
    }

    const Rules& rules_;
    Machine m_;
    std::vector<int> rule_of_;  // [states]
    int rule_ = 0;
    int repeats_ = 0;  // 1 inside a repetition
};

// Takes out edges to states from which the end of their rule cannot be reached.
void trim(Machine& m) {
    std::vector<std::vector<int>> back(m.edges.size());
    for (std::size_t s = 0; s < m.edges.size(); ++s)
        for (const Edge& e : m.edges[s]) back[std::size_t(e.to)].push_back(int(s));
    std::vector<bool> alive = m.final;
    std::vector<int> stack;
    for (std::size_t s = 0; s < alive.size(); ++s)
        if (alive[s]) stack.push_back(int(s));
    while (!stack.empty()) {
        const int s = stack.back();
        stack.pop_back();
        for (int before : back[std::size_t(s)]) {
            if (alive[std::size_t(before)]) continue;
            alive[std::size_t(before)] = true;
            stack.push_back(before);
        }
    }
    for (auto& edges : m.edges) std::erase_if(edges, [&](const Edge& e) { return !alive[std::size_t(e.to)]; });
}

// States behind which nothing of their rule is left: a call that returns there need not return.
void find_only_final(Machine& m) {
    const std::size_t n = m.edges.size();
    m.only_final.assign(n, false);
    std::vector<std::vector<int>> before(n);  // by empty edges
    std::vector<std::size_t> open(n);         // edges that lead to a state of which it is not known
    std::vector<int> stack;
    for (std::size_t s = 0; s < n; ++s) {
        open[s] = m.edges[s].size();
        for (const Edge& e : m.edges[s])
            if (e.kind == Edge::Kind::empty) before[std::size_t(e.to)].push_back(int(s));
        if (open[s] == 0 && m.final[s]) m.only_final[s] = true, stack.push_back(int(s));
    }
    while (!stack.empty()) {
        const int s = stack.back();
        stack.pop_back();
        for (const int b : before[std::size_t(s)])
            if (--open[std::size_t(b)] == 0) m.only_final[std::size_t(b)] = true, stack.push_back(b);
    }
}

void find_byte_states(Machine& m) {
    m.only_bytes.assign(m.edges.size(), false);
    m.disjoint.assign(m.edges.size(), true);
    std::vector<std::pair<int, int>> ranges;
    for (std::size_t s = 0; s < m.edges.size(); ++s) {
        ranges.clear();
        for (const Edge& e : m.edges[s])
            if (e.kind == Edge::Kind::bytes) ranges.push_back({e.low, e.high});
        m.only_bytes[s] = !m.final[s] && !ranges.empty() && ranges.size() == m.edges[s].size();
        std::sort(ranges.begin(), ranges.end());
        for (std::size_t i = 1; i < ranges.size(); ++i)
            if (ranges[i].first <= ranges[i - 1].second) m.disjoint[s] = false;
    }
}

// Grows `known` (a property of rules) to its least fixed point: a rule has the property when its
// final state is reached over edges that `passes` lets through.
template <class Passes>
std::vector<bool> reach_final(const Machine& m, Passes passes) {
    std::vector<bool> known(m.start.size(), false);
    std::vector<int> visited(m.edges.size(), 0);
    int visit = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t r = m.start.size(); r-- > 0;) {
            if (known[r]) continue;
            std::vector<int> stack = {m.start[r]};
            ++visit;
            while (!stack.empty() && !known[r]) {
                const int s = stack.back();
                stack.pop_back();
                if (m.final[std::size_t(s)]) known[r] = changed = true;
                for (const Edge& e : m.edges[std::size_t(s)])
                    if (passes(e, known) && std::exchange(visited[std::size_t(e.to)], visit) != visit) stack.push_back(e.to);
            }
        }
    }
    return known;
}

// Rules that `rule` may call before any byte is read.
std::vector<int> first_calls(const Machine& m, int rule) {
    std::vector<int> stack = {m.start[std::size_t(rule)]}, out;
    std::set<int> visited;
    while (!stack.empty()) {
        const int s = stack.back();
        stack.pop_back();
        for (const Edge& e : m.edges[std::size_t(s)]) {
            if (e.kind == Edge::Kind::call) out.push_back(e.rule);
            const bool free = e.kind == Edge::Kind::empty || (e.kind == Edge::Kind::call && m.nullable[std::size_t(e.rule)]);
            if (free && visited.insert(e.to).second) stack.push_back(e.to);
        }
    }
    return out;
}

// A rule that calls itself before reading a byte, or -1.
int left_recursive(const Machine& m) {
    std::vector<std::vector<int>> calls;
    for (std::size_t r = 0; r < m.start.size(); ++r) calls.push_back(first_calls(m, int(r)));
    enum : char { fresh, open, done };
    std::vector<char> mark(m.start.size(), fresh);
    for (std::size_t root = 0; root < mark.size(); ++root) {
        std::vector<std::pair<int, std::size_t>> stack;  // rule, next call
        if (mark[root] == fresh) stack.push_back({int(root), 0}), mark[root] = open;
        while (!stack.empty()) {
            auto& [rule, next] = stack.back();
            if (next == calls[std::size_t(rule)].size()) {
                mark[std::size_t(rule)] = done;
                stack.pop_back();
                continue;
            }
            const int callee = calls[std::size_t(rule)][next++];
            if (mark[std::size_t(callee)] == open) return callee;
            if (mark[std::size_t(callee)] == fresh) stack.push_back({callee, 0}), mark[std::size_t(callee)] = open;
        }
    }
    return -1;
}

// A rule without an end whose call keeps the rule from its own; -1: none does.
int endless_call(const Machine& m, int rule, const std::vector<bool>& ends) {
    std::vector<int> stack = {m.start[std::size_t(rule)]};
    std::set<int> visited;
    while (!stack.empty()) {
        const int s = stack.back();
        stack.pop_back();
        for (const Edge& e : m.edges[std::size_t(s)]) {
            if (e.kind == Edge::Kind::call && !ends[std::size_t(e.rule)]) return e.rule;
            if (visited.insert(e.to).second) stack.push_back(e.to);
        }
    }
    return -1;
}

// Why the root does not end: rules that call one another in a circle, the first of them again at its end; or one rule that holds what no text is.
std::vector<int> endless_circle(const Machine& m, const std::vector<bool>& ends) {
    std::vector<int> way = {m.root};
    std::vector<bool> seen(m.start.size(), false);
    while (!seen[std::size_t(way.back())]) {
        seen[std::size_t(way.back())] = true;
        const int next = endless_call(m, way.back(), ends);
        if (next < 0) return {way.back()};
        way.push_back(next);
    }
    return {std::find(way.begin(), way.end(), way.back()), way.end()};
}

// Where a text defines the rule, and its name.
std::string told(const Rules& rules, int rule) {
    const int line = std::size_t(rule) < rules.lines.size() ? rules.lines[std::size_t(rule)] : 0;
    return (line > 0 ? "grammar, line " + std::to_string(line) : "grammar") + ": rule \"" + rules.names[std::size_t(rule)] + "\"";
}

// `circle`: of endless_circle, repeated groups as the rules that hold them.
base::Error without_end(const Rules& rules, std::vector<int> circle) {
    const bool calls = circle.size() > 1;
    circle.erase(std::unique(circle.begin(), circle.end()), circle.end());
    if (calls && circle.size() == 1) circle.push_back(circle[0]);
    std::string way;
    for (const int r : circle) way += (way.empty() ? "" : " → ") + rules.names[std::size_t(r)];
    const std::string message = told(rules, circle[0]) + " never ends: it has no finite sentence";
    if (!calls) return base::error(Code::invalid_argument, message);
    return base::error(Code::invalid_argument, message + " (" + way + ")", "give one of these rules an alternative that calls none of them");
}

}  // namespace

Result<std::shared_ptr<const Machine>> Machine::build(const Rules& rules) {
    auto m = std::make_shared<Machine>();
    Builder builder(rules);
    try {
        *m = builder.build();
    } catch (const TooLarge&) {
        return base::error(Code::invalid_argument, "the grammar needs more than " + std::to_string(max_states) + " states",
                           "use smaller repetition counts");
    }
    const auto holder = [&](int r) { return builder.rule_of(m->start[std::size_t(r)]); };  // of a repeated group
    const auto ends = reach_final(*m, [](const Edge& e, const std::vector<bool>& known) {
        return e.kind != Edge::Kind::call || known[std::size_t(e.rule)];
    });
    if (!ends[std::size_t(rules.root)]) {
        std::vector<int> circle = endless_circle(*m, ends);
        std::transform(circle.begin(), circle.end(), circle.begin(), holder);
        return without_end(rules, std::move(circle));
    }
    for (auto& edges : m->edges)  // what can never be finished is never begun
        std::erase_if(edges, [&](const Edge& e) { return e.kind == Edge::Kind::call && !ends[std::size_t(e.rule)]; });
    trim(*m);
    find_only_final(*m);
    find_byte_states(*m);
    m->nullable = reach_final(*m, [](const Edge& e, const std::vector<bool>& known) {
        return e.kind == Edge::Kind::empty || (e.kind == Edge::Kind::call && known[std::size_t(e.rule)]);
    });
    if (const int r = left_recursive(*m); r >= 0)
        return base::error(Code::invalid_argument, told(rules, holder(r)) + " is left-recursive: it calls itself before it reads anything",
                           "write the recursion to the right, or as a repetition");
    if (const auto state = too_many_readings(*m))
        return base::error(Code::invalid_argument,
                           told(rules, builder.rule_of(*state)) + " can be read in more than " + std::to_string(most_readings) + " ways at one position",
                           "say what may be left out once instead of in every repetition, or use smaller repetition counts");
    return std::shared_ptr<const Machine>(std::move(m));
}

std::size_t Machine::bytes() const {
    std::size_t n = edges.size() * (sizeof(edges[0]) + sizeof(int) + 16) + start.size() * sizeof(int);
    for (const auto& all : edges) n += all.size() * sizeof(Edge);
    return n;
}

}  // namespace text
