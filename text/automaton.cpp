#include "text/automaton.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

namespace text {
namespace {

std::uint64_t mix(std::uint64_t h, std::uint64_t v) { return (h ^ v) * 0x9E3779B97F4A7C15ull + (h >> 29); }

template <class Pairs>
std::uint64_t hash_pairs(const Pairs& pairs) {
    std::uint64_t h = pairs.size();
    for (const auto& p : pairs) h = mix(h, std::uint64_t(std::uint32_t(p.state)) << 32 | std::uint32_t(p.stack));
    return h;
}

}  // namespace

Places::Places(std::shared_ptr<const Machine> machine) : machine_(std::move(machine)) {
    std::array<bool, 257> cut{};
    for (const auto& edges : machine_->edges)
        for (const Edge& e : edges)
            if (e.kind == Edge::Kind::bytes) cut[e.low] = cut[std::size_t(e.high) + 1] = true;
    int current = 0;
    for (std::size_t b = 0; b < 256; ++b) {
        if (b && cut[b]) ++current;
        class_of_[b] = std::uint8_t(current);
    }
    n_classes_ = current + 1;
    stacks_.emplace_back();
}

// One position's closure. Stacks of calls made here have provisional numbers -(rule + 1) until all
// callers are known; without left recursion they form no circle.
struct Places::Closure {
    Places& p;
    const Machine& m;
    bool ends = false;
    std::vector<Config> work, takers;
    std::unordered_set<std::uint64_t> seen;
    std::map<int, std::set<Link>> links;      // by called rule
    std::map<int, std::set<int>> tails;       // called rule → rules whose callers it returns to
    std::map<int, int> resolved;

    static int provisional(int rule) { return -(rule + 1); }

    void push(int state, int stack) {
        if (seen.insert(std::uint64_t(std::uint32_t(state)) << 32 | std::uint32_t(stack)).second) work.push_back({state, stack});
    }

    void call(const Edge& e, int stack) {
        const bool fresh = !links.contains(e.rule);
        auto& to = links[e.rule];
        const bool tail = m.only_final[std::size_t(e.to)];
        if (tail && stack > 0)
            to.insert(p.stacks_[std::size_t(stack)].begin(), p.stacks_[std::size_t(stack)].end());
        else if (tail && stack < 0)
            tails[e.rule].insert(-stack - 1);
        else
            to.insert({e.to, stack});
        if (fresh) push(m.start[std::size_t(e.rule)], provisional(e.rule));
        if (m.nullable[std::size_t(e.rule)]) push(e.to, stack);
    }

    void run() {
        while (!work.empty()) {
            const Config c = work.back();
            work.pop_back();
            if (m.final[std::size_t(c.state)]) {
                if (c.stack == 0) ends = true;
                if (c.stack > 0)
                    for (const Link& link : p.stacks_[std::size_t(c.stack)]) push(link.state, link.stack);
            }
            bool takes = false;
            for (const Edge& e : m.edges[std::size_t(c.state)]) {
                takes = takes || e.kind == Edge::Kind::bytes;
                if (e.kind == Edge::Kind::empty) push(e.to, c.stack);
                if (e.kind == Edge::Kind::call) call(e, c.stack);
            }
            if (takes) takers.push_back(c);
        }
        for (Config& c : takers)
            if (c.stack < 0) c.stack = resolve(-c.stack - 1);
    }

    int resolve(int rule) {
        if (const auto it = resolved.find(rule); it != resolved.end()) return it->second;
        std::set<Link> all;
        for (Link link : links[rule]) {
            if (link.stack < 0) link.stack = resolve(-link.stack - 1);
            all.insert(link);
        }
        for (int other : tails[rule]) {
            const auto& more = p.stacks_[std::size_t(resolve(other))];
            all.insert(more.begin(), more.end());
        }
        return resolved[rule] = p.intern_stack({all.begin(), all.end()});
    }
};

int Places::intern_stack(std::vector<Link> links) {
    const std::uint64_t h = hash_pairs(links);
    const auto [from, to] = stack_index_.equal_range(h);
    for (auto it = from; it != to; ++it)
        if (stacks_[std::size_t(it->second)] == links) return it->second;
    stacks_.push_back(std::move(links));
    const int id = int(stacks_.size()) - 1;
    stack_index_.emplace(h, id);
    return id;
}

Places::Place Places::intern(std::vector<Config> configs, bool ends) {
    std::sort(configs.begin(), configs.end());
    configs.erase(std::unique(configs.begin(), configs.end()), configs.end());
    const std::uint64_t h = mix(hash_pairs(configs), ends);
    const auto [from, to] = place_index_.equal_range(h);
    for (auto it = from; it != to; ++it) {
        const Data& d = places_[std::size_t(it->second)];
        if (d.ends == ends && d.configs == configs) return it->second;
    }
    places_.push_back({std::move(configs), ends});
    table_.resize(table_.size() + std::size_t(n_classes_), unknown);
    const Place id = int(places_.size()) - 1;
    place_index_.emplace(h, id);
    return id;
}

Places::Place Places::close(std::vector<Config> kernel) {
    Closure closure{*this, *machine_, false, {}, {}, {}, {}, {}, {}};
    for (const Config& c : kernel) closure.push(c.state, c.stack);
    closure.run();
    return intern(std::move(closure.takers), closure.ends);
}

Places::Place Places::begin() { return close({{machine_->start[std::size_t(machine_->root)], 0}}); }

std::vector<Places::Config> Places::step(Place from, std::uint8_t byte, std::uint8_t marks) const {
    std::vector<Config> kernel;
    for (const Config& c : places_[std::size_t(from)].configs)
        for (const Edge& e : machine_->edges[std::size_t(c.state)])
            if (e.kind == Edge::Kind::bytes && byte >= e.low && byte <= e.high && (e.marks & marks) == marks)
                kernel.push_back({e.to, c.stack});
    return kernel;
}

Places::Place Places::compute(Place from, std::uint8_t byte) {
    std::vector<Config> kernel = step(from, byte, 0);
    const Place to = kernel.empty() ? -1 : close(std::move(kernel));
    table_[std::size_t(from) * std::size_t(n_classes_) + class_of_[byte]] = to;
    return to;
}

Places::Place Places::run(Place from, std::string_view bytes) {
    for (char c : bytes) {
        if (from < 0) return from;
        from = next(from, std::uint8_t(c));
    }
    return from;
}

Places::Place Places::run_literal(Place from, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int marks = Edge::literal | (i == 0 ? Edge::literal_first : 0) | (i + 1 == text.size() ? Edge::literal_last : 0);
        std::vector<Config> kernel = step(from, std::uint8_t(text[i]), std::uint8_t(marks));
        if (kernel.empty()) return -1;
        from = close(std::move(kernel));
    }
    return from;
}

Places::Place Places::local(std::vector<int> states) {
    std::vector<Config> configs;
    for (int s : states) configs.push_back({s, 0});
    return intern(std::move(configs), false);
}

Places::Place Places::carry(Place place, Places& to) const {
    std::unordered_map<int, int> carried = {{0, 0}};
    // Stacks refer to smaller numbers only, so that ascending order meets every part before its use.
    std::set<int> needed;
    std::vector<int> stack;
    for (const Config& c : places_[std::size_t(place)].configs) stack.push_back(c.stack);
    while (!stack.empty()) {
        const int id = stack.back();
        stack.pop_back();
        if (!needed.insert(id).second) continue;
        for (const Link& link : stacks_[std::size_t(id)]) stack.push_back(link.stack);
    }
    for (int id : needed) {
        if (id == 0) continue;
        std::vector<Link> links = stacks_[std::size_t(id)];
        for (Link& link : links) link.stack = carried.at(link.stack);
        std::sort(links.begin(), links.end());
        carried[id] = to.intern_stack(std::move(links));
    }
    std::vector<Config> configs = places_[std::size_t(place)].configs;
    for (Config& c : configs) c.stack = carried.at(c.stack);
    return to.intern(std::move(configs), places_[std::size_t(place)].ends);
}

}  // namespace text
