#include "text/automaton.h"

#include <algorithm>
#include <unordered_set>

namespace text {
namespace {

std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
    h = (h ^ v) * 0x9E3779B97F4A7C15ull;
    return h ^ (h >> 32);
}

std::uint64_t key_of(int a, int b) { return std::uint64_t(std::uint32_t(a)) << 32 | std::uint32_t(b); }

template <class Pairs>
std::uint64_t hash_pairs(const Pairs& pairs) {
    std::uint64_t h = pairs.size();
    for (const auto& p : pairs) h = mix(h, key_of(p.state, p.stack));
    return h;
}

template <class T>
void sort_unique(std::vector<T>& v) {
    if (v.size() < 2) return;
    std::sort(v.begin(), v.end());
    v.erase(std::unique(v.begin(), v.end()), v.end());
}

}  // namespace

void HashIndex::insert(std::uint64_t hash, int number) {
    if (2 * ++n_ > slots_.size()) {
        std::vector<Slot> old = std::move(slots_);
        slots_.assign(std::max<std::size_t>(64, old.size() * 2), {});
        n_ = 1;
        for (const Slot& s : old)
            if (s.number >= 0) insert(s.hash, s.number);
    }
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].number >= 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {hash, number};
}

Places::Places(std::shared_ptr<const Machine> machine) : machine_(std::move(machine)) {
    std::array<bool, 257> cut{};
    for (const auto& edges : machine_->edges)
        for (const Edge& e : edges)
            if (e.kind == Edge::Kind::bytes) cut[e.low] = cut[std::size_t(e.high) + 1] = true;
    int current = 0;
    for (std::size_t b = 0; b < 256; ++b) {
        const bool first = b == 0 || cut[b];
        if (b && cut[b]) ++current;
        class_of_[b] = std::uint8_t(current);
        lone_[std::size_t(current)] = first ? int(b) : -1;
    }
    n_classes_ = current + 1;
    stacks_.emplace_back();
    call_of_rule_.assign(machine_->start.size(), -1);
}

// A set that is mostly small.
class Places::Seen {
public:
    bool insert(std::uint64_t key) {
        if (few_.size() < 16) {
            if (std::find(few_.begin(), few_.end(), key) != few_.end()) return false;
            few_.push_back(key);
            return true;
        }
        if (many_.empty()) many_.insert(few_.begin(), few_.end());
        return many_.insert(key).second;
    }

private:
    std::vector<std::uint64_t> few_;
    std::unordered_set<std::uint64_t> many_;
};

// One position's closure. Stacks of calls made here have provisional numbers -(call + 1) until all
// callers are known; without left recursion they form no circle.
struct Places::Closure {
    Places& p;
    const Machine& m;
    bool ends = false;
    std::vector<Config> work, takers;
    Seen seen;
    std::vector<Call> calls;

    explicit Closure(Places& places) : p(places), m(*places.machine_) {}
    ~Closure() {
        for (const Call& c : calls) p.call_of_rule_[std::size_t(c.rule)] = -1;
    }

    void push(int state, int stack) {
        ++p.work_;
        if (seen.insert(key_of(state, stack))) work.push_back({state, stack});
    }

    void call(const Edge& e, int stack) {
        int& index = p.call_of_rule_[std::size_t(e.rule)];
        const bool fresh = index < 0;
        if (fresh) {
            index = int(calls.size());
            calls.push_back({e.rule, -1, {}, {}});
        }
        Call& to = calls[std::size_t(index)];
        const bool tail = m.only_final[std::size_t(e.to)];
        if (tail && stack > 0)
            to.links.insert(to.links.end(), p.stacks_[std::size_t(stack)].begin(), p.stacks_[std::size_t(stack)].end());
        else if (tail && stack < 0)
            to.tails.push_back(-stack - 1);
        else
            to.links.push_back({e.to, stack});
        if (fresh) push(m.start[std::size_t(e.rule)], -index - 1);
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

    int resolve(int index) {
        if (calls[std::size_t(index)].resolved >= 0) return calls[std::size_t(index)].resolved;
        std::vector<Link> all = std::move(calls[std::size_t(index)].links);
        for (Link& link : all)
            if (link.stack < 0) link.stack = resolve(-link.stack - 1);
        for (int other : calls[std::size_t(index)].tails) {
            const auto& more = p.stacks_[std::size_t(resolve(other))];
            all.insert(all.end(), more.begin(), more.end());
        }
        sort_unique(all);
        return calls[std::size_t(index)].resolved = p.intern_stack(std::move(all));
    }
};

int Places::intern_stack(std::vector<Link> links) {
    const std::uint64_t h = hash_pairs(links);
    if (const int known = stack_index_.find(h, [&](int i) { return stacks_[std::size_t(i)] == links; }); known >= 0) return known;
    n_links_ += links.size();
    stacks_.push_back(std::move(links));
    const int id = int(stacks_.size()) - 1;
    stack_index_.insert(h, id);
    return id;
}

Places::Place Places::intern(std::span<const Config> sorted, bool ends) {
    const std::uint64_t h = mix(hash_pairs(sorted), ends);
    const auto same = [&](int i) { return places_[std::size_t(i)].ends == ends && std::ranges::equal(configs(i), sorted); };
    if (const int known = place_index_.find(h, same); known >= 0) return known;
    places_.push_back({std::uint32_t(configs_.size()), std::uint32_t(sorted.size()), ends});
    configs_.insert(configs_.end(), sorted.begin(), sorted.end());
    table_.resize(table_.size() + std::size_t(n_classes_), unknown);
    const Place id = int(places_.size()) - 1;
    place_index_.insert(h, id);
    return id;
}

std::size_t Places::bytes() const {
    return places_.size() * sizeof(Data) + configs_.size() * sizeof(Config) + table_.size() * sizeof(Place) + stacks_.size() * 40 +
           n_links_ * sizeof(Link) + place_index_.bytes() + stack_index_.bytes() + single_index_.bytes() + above_.size() * 48 +
           singles_.size() * sizeof(singles_[0]);
}

Places::Place Places::close(std::span<const Config> kernel) {
    Closure closure(*this);
    for (const Config& c : kernel) closure.push(c.state, c.stack);
    closure.run();
    sort_unique(closure.takers);
    return intern(closure.takers, closure.ends);
}

Places::Place Places::close_one(Config c) {
    const std::uint64_t h = mix(0, key_of(c.state, c.stack));
    if (const int known = single_index_.find(h, [&](int i) { return singles_[std::size_t(i)].first == c; }); known >= 0)
        return singles_[std::size_t(known)].second;
    const Place p = machine_->only_bytes[std::size_t(c.state)] ? intern({&c, 1}, false) : close({&c, 1});
    singles_.push_back({c, p});
    single_index_.insert(h, int(singles_.size()) - 1);
    return p;
}

Places::Place Places::begin() { return close_one({machine_->start[std::size_t(machine_->root)], 0}); }

std::vector<Places::Config> Places::step(Place from, std::uint8_t byte, std::uint8_t marks) const {
    std::vector<Config> kernel;
    for (const Config& c : configs(from))
        for (const Edge& e : machine_->edges[std::size_t(c.state)])
            if (e.kind == Edge::Kind::bytes && byte >= e.low && byte <= e.high && (e.marks & marks) == marks)
                kernel.push_back({e.to, c.stack});
    return kernel;
}

// Where every byte leads. Most bytes lead to one configuration, which is closed once.
void Places::fill_row(Place from) {
    const auto row = [&] { return table_.begin() + std::ptrdiff_t(from) * n_classes_; };
    std::fill_n(row(), n_classes_, -1);
    if (configs(from).size() == 1 && machine_->disjoint[std::size_t(configs(from)[0].state)]) {
        const Config c = configs(from)[0];
        for (const Edge& e : machine_->edges[std::size_t(c.state)]) {
            if (e.kind != Edge::Kind::bytes) continue;
            const Place to = close_one({e.to, c.stack});
            std::fill(row() + class_of_[e.low], row() + class_of_[e.high] + 1, to);
        }
        return;
    }
    taken_.clear();
    std::array<int, 256> n{}, last{};  // edges that take a class, the last of them
    for (const Config& c : configs(from))
        for (const Edge& e : machine_->edges[std::size_t(c.state)]) {
            if (e.kind != Edge::Kind::bytes) continue;
            taken_.push_back({class_of_[e.low], class_of_[e.high], {e.to, c.stack}, unknown});
            for (int k = taken_.back().low; k <= taken_.back().high; ++k) {
                ++n[std::size_t(k)];
                last[std::size_t(k)] = int(taken_.size()) - 1;
            }
        }
    work_ += taken_.size() * std::size_t(n_classes_);
    std::vector<Config> kernel, before;
    Place place_before = -1;
    for (int k = 0; k < n_classes_; ++k) {
        if (n[std::size_t(k)] == 0) continue;
        Place place = place_before;
        if (n[std::size_t(k)] == 1) {
            Taken& t = taken_[std::size_t(last[std::size_t(k)])];
            if (t.place == unknown) t.place = close_one(t.to);
            place = t.place;
        } else {
            kernel.clear();
            for (const Taken& t : taken_)
                if (t.low <= k && k <= t.high) kernel.push_back(t.to);
            if (kernel != before) place = place_before = close(kernel);
            before = kernel;
        }
        row()[k] = place;
    }
}

Places::Place Places::run(Place from, std::string_view bytes) {
    for (char c : bytes) {
        if (from < 0) return from;
        from = next(from, std::uint8_t(c));
    }
    return from;
}

int Places::only_byte(Place from) {
    const std::size_t row = std::size_t(from) * std::size_t(n_classes_);
    if (table_[row] == unknown) fill_row(from);
    int only = -1;
    for (std::size_t k = 0; k < std::size_t(n_classes_); ++k) {
        if (table_[row + k] < 0) continue;
        if (only >= 0 || lone_[k] < 0) return -1;
        only = lone_[k];
    }
    return only;
}

Places::Place Places::run_literal(Place from, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int marks = Edge::literal | (i == 0 ? Edge::literal_first : 0) | (i + 1 == text.size() ? Edge::literal_last : 0);
        const std::vector<Config> kernel = step(from, std::uint8_t(text[i]), std::uint8_t(marks));
        if (kernel.empty()) return -1;
        from = close(kernel);
    }
    return from;
}

Places::Place Places::local(std::vector<int> states) {
    std::vector<Config> configs;
    for (int s : states) configs.push_back({s, 0});
    sort_unique(configs);
    return intern(configs, false);
}

int Places::moved_stack(int stack, Places& to, std::unordered_map<int, int>& moved) const {
    if (const auto it = moved.find(stack); it != moved.end()) return it->second;
    std::vector<int> needed, open = {stack};
    while (!open.empty()) {
        const int id = open.back();
        open.pop_back();
        if (moved.contains(id)) continue;
        needed.push_back(id);
        for (const Link& link : stacks_[std::size_t(id)]) open.push_back(link.stack);
    }
    sort_unique(needed);
    for (int id : needed) {  // ascending: every part before its use
        std::vector<Link> links = stacks_[std::size_t(id)];
        for (Link& link : links) link.stack = moved.at(link.stack);
        sort_unique(links);
        moved[id] = to.intern_stack(std::move(links));
    }
    return moved.at(stack);
}

Places::Place Places::above(Place local, int stack) {
    if (const auto it = above_.find(key_of(local, stack)); it != above_.end()) return it->second;
    Closure closure(*this);
    if (places_[std::size_t(local)].ends)
        for (const Link& link : stacks_[std::size_t(stack)]) closure.push(link.state, link.stack);
    closure.run();
    std::vector<Config> all = std::move(closure.takers);
    std::unordered_map<int, int> moved = {{0, stack}};
    for (const Config& c : configs(local)) all.push_back({c.state, c.stack ? moved_stack(c.stack, *this, moved) : stack});
    sort_unique(all);
    return above_[key_of(local, stack)] = intern(all, closure.ends);
}

Places::Place Places::carry(Place place, Places& to) const {
    std::unordered_map<int, int> moved = {{0, 0}};
    std::vector<Config> all(configs(place).begin(), configs(place).end());
    for (Config& c : all) c.stack = moved_stack(c.stack, to, moved);
    sort_unique(all);
    return to.intern(all, ends(place));
}

}  // namespace text
