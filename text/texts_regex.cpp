// Subsets of the states of an expression's automaton become the states of a deterministic one.
#include <algorithm>
#include <map>
#include <utility>

#include "text/schema_rules.h"
#include "text/texts.h"

namespace text {
namespace {

using base::CharRange;
using base::RegexNode;
using K = RegexNode::Kind;
constexpr char32_t last_char = 0x10FFFF;
constexpr std::size_t max_parts = 50000;
constexpr long max_work = 2'000'000;  // states looked at

bool is_word(char32_t c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= 'a' && c <= 'z'); }

// Thompson's construction; an edge takes a character of a set, or none where its condition holds.
class Parts {
public:
    struct Edge {
        K condition;  // set: takes a character; empty: no condition
        const std::vector<CharRange>* ranges;
        int to;
    };

    int state() {
        if (edges_.size() == max_parts) throw Refused{"the pattern is too large to be kept with other constraints"};
        edges_.emplace_back();
        return int(edges_.size()) - 1;
    }
    void edge(int from, Edge e) { edges_[std::size_t(from)].push_back(e); }
    const std::vector<Edge>& of(int state) const { return edges_[std::size_t(state)]; }
    std::size_t size() const { return edges_.size(); }
    bool has_borders() const { return has_borders_; }

    // Adds the node behind `from`; returns the state in which it has been read.
    int add(const RegexNode& node, int from) {
        switch (node.kind) {
            case K::sequence:
                for (const RegexNode& part : node.parts) from = add(part, from);
                return from;
            case K::either: {
                const int to = state();
                for (const RegexNode& part : node.parts) edge(add(part, from), {K::empty, nullptr, to});
                if (node.parts.empty()) edge(from, {K::empty, nullptr, to});
                return to;
            }
            case K::repeat: return repeat(node, from);
            default: {
                has_borders_ = has_borders_ || node.kind == K::word_border || node.kind == K::no_word_border;
                const int to = state();
                edge(from, {node.kind, node.kind == K::set ? &node.ranges : nullptr, to});
                return to;
            }
        }
    }

private:
    int repeat(const RegexNode& node, int from) {
        for (int i = 0, before = -1; i < node.least && from != before; ++i) from = add(node.parts[0], before = from);  // of nothing: once
        const int to = state();
        edge(from, {K::empty, nullptr, to});
        if (node.most < 0) {
            edge(add(node.parts[0], to), {K::empty, nullptr, to});
            return to;
        }
        for (int i = node.least; i < node.most; ++i) {
            // A state of its own, so that a loop inside the part does not come back to before it.
            const int begin = state();
            edge(from, {K::empty, nullptr, begin});
            edge(from = add(node.parts[0], begin), {K::empty, nullptr, to});
        }
        return to;
    }

    std::vector<std::vector<Edge>> edges_;
    bool has_borders_ = false;
};

enum class Side { text_end, word, other };  // what lies before or behind a place

class Subsets {
public:
    Subsets(const Parts& parts, int begin, int end, bool anywhere) : parts_(parts), end_(end), anywhere_(anywhere), visited_(parts.size(), 0) { number({begin}, Side::text_end); }

    std::vector<Texts::State> build() {
        std::vector<Texts::State> out;
        for (std::size_t n = 0; n < subsets_.size(); ++n) {
            const Subset from = subsets_[n];
            Texts::State s;
            const auto last = reached(from, Side::text_end);
            s.ends = std::binary_search(last.begin(), last.end(), end_);
            for (const Stretch& t : steps(from)) s.add(t.first, t.last, number(t.to, parts_.has_borders() && is_word(t.first) ? Side::word : Side::other));
            out.push_back(std::move(s));
        }
        return out;
    }

private:
    struct Subset {
        std::vector<int> states;  // sorted
        Side before;
        auto operator<=>(const Subset&) const = default;
    };
    struct Stretch {
        char32_t first, last;
        std::vector<int> to;
    };

    int number(std::vector<int> states, Side before) {
        if (anywhere_) {  // once the expression was found nothing else matters
            const auto all = with_followers(states, [](K condition) { return condition == K::empty; });
            if (std::binary_search(all.begin(), all.end(), end_)) states = {end_}, before = Side::other;
        }
        const auto [it, fresh] = numbers_.try_emplace({states, before}, int(subsets_.size()));
        if (fresh) {
            if (subsets_.size() == Texts::max_states) throw Refused{"the pattern needs more than " + std::to_string(Texts::max_states) + " states beside other constraints"};
            subsets_.push_back({std::move(states), before});
        }
        return it->second;
    }

    bool passes(K condition, Side before, Side behind) const {
        switch (condition) {
            case K::empty: return true;
            case K::text_begin: return before == Side::text_end;
            case K::text_end: return behind == Side::text_end;
            case K::word_border: return (before == Side::word) != (behind == Side::word);
            case K::no_word_border: return (before == Side::word) == (behind == Side::word);
            default: return false;
        }
    }

    // With the states that follow without a character.
    template <class Passes>
    std::vector<int> with_followers(std::vector<int> states, Passes passes) {
        ++visit_;
        for (int s : states) visited_[std::size_t(s)] = visit_;
        for (std::size_t i = 0; i < states.size(); ++i) {
            if (++work_ > max_work) throw Refused{"the pattern takes too long to be kept with other constraints"};
            for (const auto& e : parts_.of(states[i]))
                if (passes(e.condition) && std::exchange(visited_[std::size_t(e.to)], visit_) != visit_) states.push_back(e.to);
        }
        std::sort(states.begin(), states.end());
        return states;
    }

    std::vector<int> reached(const Subset& from, Side behind) {
        return with_followers(from.states, [&](K condition) { return passes(condition, from.before, behind); });
    }

    std::vector<Stretch> steps(const Subset& from) {
        if (!parts_.has_borders()) return steps(reached(from, Side::other), nullptr);
        std::vector<Stretch> out = steps(reached(from, Side::word), +[](char32_t c) { return is_word(c); });
        for (Stretch& s : steps(reached(from, Side::other), +[](char32_t c) { return !is_word(c); })) out.push_back(std::move(s));
        std::sort(out.begin(), out.end(), [](const Stretch& a, const Stretch& b) { return a.first < b.first; });
        return out;
    }

    // Where the characters lead that `wanted` lets through.
    std::vector<Stretch> steps(const std::vector<int>& states, bool (*wanted)(char32_t)) {
        std::vector<Parts::Edge> taken;
        std::vector<char32_t> cuts;
        for (int s : states)
            for (const auto& e : parts_.of(s)) {
                if (e.condition != K::set) continue;
                taken.push_back(e);
                for (auto [first, last] : *e.ranges) cuts.insert(cuts.end(), {first, last + 1});
            }
        if (wanted) cuts.insert(cuts.end(), {'0', '9' + 1, 'A', 'Z' + 1, '_', '_' + 1, 'a', 'z' + 1, last_char + 1});
        std::sort(cuts.begin(), cuts.end());
        cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
        std::vector<Stretch> out;
        for (std::size_t i = 0; i + 1 < cuts.size(); ++i) out.push_back({cuts[i], cuts[i + 1] - 1, {}});
        for (const auto& e : taken)
            for (auto [first, last] : *e.ranges)
                for (auto at = std::size_t(std::lower_bound(cuts.begin(), cuts.end(), first) - cuts.begin()); at < out.size() && out[at].first <= last; ++at)
                    out[at].to.push_back(e.to);
        if ((work_ += long(out.size())) > max_work) throw Refused{"the pattern takes too long to be kept with other constraints"};
        std::erase_if(out, [&](const Stretch& s) { return s.to.empty() || (wanted && !wanted(s.first)); });
        for (Stretch& s : out) {
            std::sort(s.to.begin(), s.to.end());
            s.to.erase(std::unique(s.to.begin(), s.to.end()), s.to.end());
        }
        return out;
    }

    const Parts& parts_;
    const int end_;
    const bool anywhere_;
    std::vector<long> visited_;  // [states of parts] by which visit last
    long visit_ = 0, work_ = 0;
    std::map<Subset, int> numbers_;
    std::vector<Subset> subsets_;
};

}  // namespace

Texts Texts::of(const RegexNode& expression, bool anywhere) {
    const std::vector<CharRange> any = {{0, last_char}};
    Parts parts;
    const int begin = parts.state();
    if (anywhere) parts.edge(begin, {K::set, &any, begin});
    const int body = parts.state();
    parts.edge(begin, {K::empty, nullptr, body});
    const int end = parts.add(expression, body);
    if (anywhere) parts.edge(end, {K::set, &any, end});
    return of(Subsets(parts, begin, end, anywhere).build());
}

}  // namespace text
