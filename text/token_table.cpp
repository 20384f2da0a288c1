#include "text/token_table.h"

#include <algorithm>

namespace text {
namespace {

constexpr std::size_t few = 2000;           // tokens up to this number are kept as ids
constexpr std::size_t max_kept = 1024;      // masks remembered before all are forgotten

}  // namespace

TokenTable::TokenTable(std::shared_ptr<const Tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {
    std::vector<std::pair<std::string, TokenId>> sorted;
    const Tokenizer& t = *tokenizer_;
    same_.assign(std::size_t(t.size()), -1);
    for (TokenId id = 0; id < t.size(); ++id) {
        if (t.ends_generation(id)) {
            ending_.push_back(id);
            continue;
        }
        if (t.is_control(id)) {
            control_.emplace_back(id, t.bytes(id, true));
            continue;
        }
        std::string bytes = t.bytes(id);
        // Longer tokens are never allowed: Machine's aliases hold for texts up to this length.
        if (!bytes.empty() && bytes.size() < std::size_t(Machine::alias_bytes)) sorted.emplace_back(std::move(bytes), id);
    }
    std::sort(sorted.begin(), sorted.end());
    nodes_.push_back({-1, 0, 0, 0});
    std::vector<int> open = {0};  // [depth] the node on the current path
    std::string_view path;
    for (const auto& [bytes, id] : sorted) {
        std::size_t common = 0;
        while (common < path.size() && common < bytes.size() && path[common] == bytes[common]) ++common;
        for (std::size_t d = open.size() - 1; d > common; --d) nodes_[std::size_t(open[d])].end = int(nodes_.size());
        open.resize(common + 1);
        for (std::size_t d = common; d < bytes.size(); ++d) {
            open.push_back(int(nodes_.size()));
            nodes_.push_back({-1, 0, std::uint16_t(d + 1), std::uint8_t(bytes[d])});
        }
        Node& last = nodes_[std::size_t(open.back())];
        same_[std::size_t(id)] = last.token;
        last.token = id;
        path = bytes;
    }
    for (int node : open) nodes_[std::size_t(node)].end = int(nodes_.size());
}

void TokenSet::into(std::span<std::uint64_t> out) const {
    for (std::size_t i = 0; i < bits.size(); ++i) out[i] |= bits[i];
    for (TokenId id : ids) out[std::size_t(id) / 64] |= 1ull << (id % 64);
}

TokenSet Masks::pack(const std::vector<std::uint64_t>& bits) const {
    TokenSet out;
    std::size_t n = 0;
    for (std::uint64_t w : bits) n += std::size_t(__builtin_popcountll(w));
    if (n > few) {
        out.bits = bits;
        return out;
    }
    for (std::size_t i = 0; i < bits.size(); ++i)
        for (std::uint64_t w = bits[i]; w; w &= w - 1) out.ids.push_back(TokenId(i * 64 + std::size_t(__builtin_ctzll(w))));
    return out;
}

void Masks::allow(std::vector<std::uint64_t>& bits, TokenId id) const {
    for (; id >= 0; id = table_->same(id)) bits[std::size_t(id) / 64] |= 1ull << (id % 64);
}

std::string Masks::path(int node) {
    const auto nodes = table_->nodes();
    if (parents_.empty()) {
        parents_.assign(nodes.size(), 0);
        std::vector<int> open = {0};
        for (int i = 1; i < int(nodes.size()); ++i) {
            open.resize(nodes[std::size_t(i)].depth);
            parents_[std::size_t(i)] = open.back();
            open.push_back(i);
        }
    }
    std::string out;
    for (; node; node = parents_[std::size_t(node)]) out += char(nodes[std::size_t(node)].byte);
    std::reverse(out.begin(), out.end());
    return out;
}

// Allows the tokens below `node`, from whose path the place `from` has been reached.
void Masks::walk(int node, Places::Place from, std::vector<std::uint64_t>& bits) {
    const auto nodes = table_->nodes();
    trail_.resize(Machine::alias_bytes + 1);
    trail_[nodes[std::size_t(node)].depth] = from;
    for (int i = node + 1, end = nodes[std::size_t(node)].end; i < end;) {
        const TokenTable::Node& n = nodes[std::size_t(i)];
        const Places::Place to = places_.next(trail_[n.depth - 1u], n.byte);
        if (to < 0) {
            i = n.end;
            continue;
        }
        if (n.token >= 0) allow(bits, n.token);
        trail_[n.depth] = to;
        ++i;
    }
}

const Masks::Local& Masks::local(const std::vector<int>& states) {
    if (const auto it = locals_.find(states); it != locals_.end()) return it->second;
    if (locals_.size() >= max_kept) locals_.clear();
    const auto nodes = table_->nodes();
    Local out;
    std::vector<std::uint64_t> bits((std::size_t(table_->tokenizer().size()) + 63) / 64);
    trail_.resize(Machine::alias_bytes + 1);
    trail_[0] = places_.local(states);
    int open_until = 0;
    for (int i = 1; i < int(nodes.size());) {
        const TokenTable::Node& n = nodes[std::size_t(i)];
        const Places::Place to = places_.next(trail_[n.depth - 1u], n.byte);
        if (to < 0) {
            i = n.end;
            continue;
        }
        if (n.token >= 0) allow(bits, n.token);
        if (i >= open_until && n.end > i + 1 && places_.ends(to)) {
            out.open.push_back(i);
            open_until = n.end;
        }
        trail_[n.depth] = to;
        ++i;
    }
    out.allowed = pack(bits);
    return locals_.emplace(states, std::move(out)).first->second;
}

const TokenSet& Masks::at(Places::Place place) {
    if (const auto it = masks_.find(place); it != masks_.end()) return it->second;
    if (masks_.size() >= max_kept) masks_.clear();
    std::vector<std::uint64_t> bits((std::size_t(table_->tokenizer().size()) + 63) / 64);
    std::map<int, std::vector<int>> by_stack;
    const auto configs = places_.configs(place);
    for (const Places::Config& c : std::vector<Places::Config>(configs.begin(), configs.end()))
        by_stack[c.stack].push_back(places_.alias(c.state));
    std::vector<int> open;
    for (auto& [stack, states] : by_stack) {
        std::sort(states.begin(), states.end());
        states.erase(std::unique(states.begin(), states.end()), states.end());
        const Local& known = local(states);
        known.allowed.into(bits);
        if (stack) open.insert(open.end(), known.open.begin(), known.open.end());
    }
    std::sort(open.begin(), open.end());
    int done_until = 0;
    for (int node : open) {
        if (node < done_until) continue;
        done_until = table_->nodes()[std::size_t(node)].end;
        const Places::Place from = places_.run(place, path(node));
        if (from >= 0) walk(node, from, bits);
    }
    for (const auto& [id, text] : table_->control())
        if (places_.run_literal(place, text) >= 0) bits[std::size_t(id) / 64] |= 1ull << (id % 64);
    return masks_.emplace(place, pack(bits)).first->second;
}

std::size_t advance_match(const std::string& pattern, std::size_t matched, char byte) {
    for (std::size_t n = matched + 1; n > 0; --n) {
        if (pattern[n - 1] != byte) continue;
        if (pattern.compare(0, n - 1, pattern, matched - (n - 1), n - 1) == 0) return n;
    }
    return 0;
}

const std::vector<TokenId>& Masks::spoilt(const std::string& trigger, std::size_t matched, Places::Place bound) {
    if (spoilt_trigger_ != trigger) {
        spoilt_.clear();
        spoilt_trigger_ = trigger;
    }
    const auto [entry, fresh] = spoilt_.try_emplace(matched);
    if (!fresh) return entry->second;
    struct At {
        std::size_t matched;
        Places::Place place;  // -2: the trigger is not complete; -1: refused
    };
    std::vector<At> trail(Machine::alias_bytes + 1, At{matched, -2});
    const auto nodes = table_->nodes();
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        const TokenTable::Node& n = nodes[i];
        At at = trail[n.depth - 1u];
        if (at.place == -2) {
            at.matched = advance_match(trigger, at.matched, char(n.byte));
            if (at.matched == trigger.size()) at.place = bound;
        } else if (at.place >= 0) {
            at.place = places_.next(at.place, n.byte);
        }
        trail[n.depth] = at;
        if (at.place == -1)
            for (TokenId id = n.token; id >= 0; id = table_->same(id)) entry->second.push_back(id);
    }
    return entry->second;
}

}  // namespace text
