#include "text/masks.h"

#include <algorithm>
#include <utility>

namespace text {
namespace {

using Place = Places::Place;
constexpr std::size_t few_words = 300;            // a mask with no more words that are not 0 is kept as ids
constexpr std::size_t max_bytes = 6u << 20;       // of masks remembered before all are forgotten
constexpr int max_places = 500;                   // looked at to learn which characters a place takes

// Valid UTF-8 less U+2028 and U+2029, as an automaton; state 0 is between characters.
struct Utf8Edge {
    std::uint8_t from, low, high, to;
};
constexpr int n_utf8 = 10;
constexpr Utf8Edge utf8_edges[] = {
    {0, 0xC2, 0xDF, 1}, {0, 0xE0, 0xE0, 2}, {0, 0xE1, 0xE1, 3}, {0, 0xE2, 0xE2, 8}, {0, 0xE3, 0xEC, 3}, {0, 0xED, 0xED, 4},
    {0, 0xEE, 0xEF, 3}, {0, 0xF0, 0xF0, 5}, {0, 0xF1, 0xF3, 6}, {0, 0xF4, 0xF4, 7}, {1, 0x80, 0xBF, 0}, {2, 0xA0, 0xBF, 1},
    {3, 0x80, 0xBF, 1}, {4, 0x80, 0x9F, 1}, {5, 0x90, 0xBF, 3}, {6, 0x80, 0xBF, 3}, {7, 0x80, 0x8F, 3}, {8, 0x80, 0x80, 9},
    {8, 0x81, 0xBF, 1}, {9, 0x80, 0xA7, 0}, {9, 0xAA, 0xBF, 0}};

void allow(std::span<const TokenId> ids, std::span<std::uint64_t> bits) {
    for (TokenId id : ids) bits[std::size_t(id) / 64] |= 1ull << (id % 64);
}

}  // namespace

void TokenSet::into(std::span<std::uint64_t> out) const {
    for (std::size_t i = 0; i < bits.size(); ++i) out[i] |= bits[i];
    allow(ids, out);
}

Masks::Masks(Places& places, std::shared_ptr<const TokenTable> table) : places_(places), table_(std::move(table)) {
    trail_.resize(Machine::alias_bytes + 1);
    for (int layer = 0; layer < TokenTable::n_plain; ++layer)
        for (int state = 0; state < n_utf8; ++state) options_[std::size_t(layer)].push_back(options(layer, std::uint8_t(state)));
}

// The bytes that may come in texts of the layer, one of each class.
std::vector<Masks::Option> Masks::options(int layer, std::uint8_t utf8) const {
    std::vector<Option> out;
    const auto add = [&](int byte, std::uint8_t to) {
        const auto same = [&](const Option& o) { return o.utf8 == to && places_.class_of(o.byte) == places_.class_of(std::uint8_t(byte)); };
        if (std::none_of(out.begin(), out.end(), same)) out.push_back({std::uint8_t(byte), to});
    };
    if (utf8 == 0)
        for (int byte = 0; byte < 0x80; ++byte)
            if (TokenTable::in_layer(layer, char32_t(byte))) add(byte, 0);
    if (!TokenTable::in_layer(layer, 0xE9)) return out;
    for (const Utf8Edge& e : utf8_edges)
        if (e.from == utf8)
            for (int byte = e.low; byte <= e.high; ++byte) add(byte, e.to);
    return out;
}

// n when the place takes every text of the layer's characters that has at most n of them, and none that has
// more; most_characters when what it says of longer ones was not looked at; -1 when it depends on the text.
int Masks::taken_characters(Place from, int layer) {
    const auto& by_state = options_[std::size_t(layer)];
    if (now_ > 0xFFFFFF00u) now_ = 0, std::fill(met_.begin(), met_.end(), 0);
    const std::uint32_t begin = now_ + 1;  // a place first met behind n characters bears begin + n
    now_ += TokenTable::most_characters + 1;
    const auto meet = [&](Place p, int utf8) -> std::uint32_t& {
        const std::size_t at = std::size_t(p) * n_utf8 + std::size_t(utf8);
        if (at >= met_.size()) met_.resize(std::max(at + n_utf8, met_.size() * 2), 0);
        return met_[at];
    };
    std::vector<Place> here = {from}, next;
    std::vector<std::pair<Place, std::uint8_t>> open;  // and the state inside a character
    meet(from, 0) = begin;
    bool may_end = false, again = false;
    int n_met = 0;
    for (std::uint32_t n = 0; n < TokenTable::most_characters; ++n) {
        bool dead = false, alive = false, met_before = again;
        next.clear();
        for (Place place : here) open.push_back({place, 0});
        while (!open.empty()) {
            const auto [place, state] = open.back();
            open.pop_back();
            for (const Option& o : by_state[state]) {
                const Place to = places_.next(place, o.byte);
                (to < 0 ? dead : alive) = true;
                if (dead && alive) return -1;
                if (to < 0) continue;
                may_end = may_end || places_.ends(to);
                std::uint32_t& when = meet(to, o.utf8);
                again = again || (when >= begin && when <= begin + n);
                if (when >= begin) continue;
                when = begin + n + 1;
                if (++n_met > max_places) return -1;
                if (o.utf8 == 0)
                    next.push_back(to);
                else
                    open.push_back({to, o.utf8});
            }
        }
        // Where a rule may end, more may follow than is known here.
        if (dead) return may_end || met_before ? -1 : int(n);
        if (next.empty()) return TokenTable::unbounded;
        std::swap(here, next);
    }
    return TokenTable::most_characters;
}

TokenSet Masks::pack(const std::vector<std::uint64_t>& bits) const {
    TokenSet out;
    std::size_t n_words = 0;
    for (std::uint64_t w : bits) n_words += w != 0;
    if (n_words > few_words) {
        out.bits = bits;
        return out;
    }
    for (std::size_t i = 0; i < bits.size(); ++i)
        for (std::uint64_t w = bits[i]; w; w &= w - 1) out.ids.push_back(TokenId(i * 64 + std::size_t(__builtin_ctzll(w))));
    return out;
}

// Allows the tokens below `node`, from whose path the place `from` has been reached. `open` gets the
// uppermost nodes where the place may end.
void Masks::walk(int node, Place from, std::vector<std::uint64_t>& bits, std::vector<Open>* open) {
    const auto nodes = table_->nodes();
    trail_[nodes[std::size_t(node)].depth] = from;
    int open_until = 0;
    for (int i = node + 1, end = nodes[std::size_t(node)].end; i < end;) {
        const TokenTable::Node& n = nodes[std::size_t(i)];
        const Place to = places_.next(trail_[n.depth - 1u], n.byte);
        if (to < 0) {
            i = n.end;
            continue;
        }
        allow(table_->at(i), bits);
        if (open && i >= open_until && n.end > i + 1 && places_.ends(to)) {
            open->push_back({i, to});
            open_until = n.end;
        }
        trail_[n.depth] = to;
        ++i;
    }
}

// The same for all tokens of a plain layer. Behind their first byte the place may well take all that follow.
void Masks::walk_plain(int layer, Place from, std::vector<std::uint64_t>& bits, std::vector<Open>& open) {
    constexpr int large = 200;
    const auto nodes = table_->nodes();
    const int root = table_->root(layer), end = nodes[std::size_t(root)].end;
    for (int i = root + 1; i < end; i = nodes[std::size_t(i)].end) {
        const TokenTable::Node& n = nodes[std::size_t(i)];
        const Place to = places_.next(from, n.byte);
        if (to < 0) continue;
        if (n.end - i > large && n.byte < 0x80 && taken_characters(to, std::min(layer, TokenTable::n_plain - 1)) == TokenTable::unbounded) {
            allow(table_->below(i), bits);
            continue;
        }
        allow(table_->at(i), bits);
        if (n.end == i + 1) continue;
        const bool ends = places_.ends(to);
        if (ends) open.push_back({i, to});
        walk(i, to, bits, ends ? nullptr : &open);
    }
}

const Masks::Local& Masks::local(const std::vector<int>& states) {
    if (const auto it = locals_.find(states); it != locals_.end()) return it->second;
    Local out;
    std::vector<std::uint64_t> bits(table_->n_words());
    const Place from = places_.local(states);
    walk(table_->root(TokenTable::other_layer), from, bits, &out.open);
    bool look_at_long = false;
    for (int layer = TokenTable::n_plain, n = -1; layer-- > 0 && n < 0;) {
        n = taken_characters(from, layer);
        if (n < 0) walk_plain(layer, from, bits, out.open);
        look_at_long = look_at_long || n < 0 || n == TokenTable::most_characters;
        if (n <= 0) continue;
        const auto plain = table_->plain(layer, n);
        for (std::size_t i = 0; i < bits.size(); ++i) bits[i] |= plain[i];
    }
    if (look_at_long) walk_plain(TokenTable::long_layer, from, bits, out.open);
    out.allowed = pack(bits);
    bytes_ += 128 + out.allowed.bytes() + out.open.size() * sizeof(Open);
    return locals_.emplace(states, std::move(out)).first->second;
}

const TokenSet& Masks::at(Place place) {
    if (const auto it = masks_.find(place); it != masks_.end()) return it->second;
    if (bytes_ > max_bytes) locals_.clear(), masks_.clear(), bytes_ = 0;
    std::map<int, std::vector<int>> by_stack;
    for (const Places::Config& c : places_.configs(place)) by_stack[c.stack].push_back(places_.alias(c.state));
    std::vector<std::uint64_t> bits(table_->n_words());
    for (auto& [stack, states] : by_stack) {
        std::sort(states.begin(), states.end());
        states.erase(std::unique(states.begin(), states.end()), states.end());
        const Local& known = local(states);
        known.allowed.into(bits);
        if (stack == 0) continue;
        for (const Open& open : known.open) walk(open.node, places_.above(open.reached, stack), bits, nullptr);
    }
    for (const auto& [id, text] : table_->control())
        if (!text.empty() && places_.next(place, std::uint8_t(text[0])) >= 0 && places_.run_literal(place, text) >= 0)
            bits[std::size_t(id) / 64] |= 1ull << (id % 64);
    TokenSet out = pack(bits);
    bytes_ += 64 + out.bytes();
    return masks_.emplace(place, std::move(out)).first->second;
}

std::size_t advance_match(const std::string& pattern, std::size_t matched, char byte) {
    for (std::size_t n = matched + 1; n > 0; --n) {
        if (pattern[n - 1] != byte) continue;
        if (pattern.compare(0, n - 1, pattern, matched - (n - 1), n - 1) == 0) return n;
    }
    return 0;
}

// Tokens below `node`, from whose path `from` has been reached, that go on in a way that is refused.
void Masks::sweep(int node, Place from, std::vector<TokenId>& out) {
    const auto nodes = table_->nodes();
    trail_[nodes[std::size_t(node)].depth] = from;
    for (int i = node + 1; i < nodes[std::size_t(node)].end; ++i) {
        const TokenTable::Node& n = nodes[std::size_t(i)];
        const Place before = trail_[n.depth - 1u], to = before < 0 ? before : places_.next(before, n.byte);
        trail_[n.depth] = to;
        const auto tokens = table_->at(i);
        if (to < 0) out.insert(out.end(), tokens.begin(), tokens.end());
    }
}

// Where tokens hold the whole trigger: the node at its end, and the text up to there.
void Masks::find_whole(const std::string& trigger) {
    whole_.clear();
    std::string path;
    const auto nodes = table_->nodes();
    for (int i = 0; i < int(nodes.size()); ++i) {
        const TokenTable::Node& n = nodes[std::size_t(i)];
        path.resize(n.depth);
        if (n.depth == 0) continue;
        path.back() = char(n.byte);
        if (path.back() != trigger[0]) continue;
        if (const int end = table_->descend(i, std::string_view(trigger).substr(1)); end >= 0) whole_.push_back({end, path + trigger.substr(1)});
    }
}

const std::vector<TokenId>& Masks::spoilt(const std::string& trigger, std::size_t matched, Place bound) {
    if (spoilt_trigger_ != trigger) {
        spoilt_.clear();
        find_whole(trigger);
        spoilt_trigger_ = trigger;
    }
    const auto [entry, fresh] = spoilt_.try_emplace(matched);
    if (!fresh) return entry->second;
    // The trigger is complete at the end of `text` and not before.
    const auto first_here = [&](std::string_view text) {
        std::size_t m = matched;
        for (std::size_t i = 0; i < text.size(); ++i)
            if ((m = advance_match(trigger, m, text[i])) == trigger.size()) return i + 1 == text.size();
        return false;
    };
    std::vector<TokenId>& out = entry->second;
    // A token completes the trigger when it begins with what is missing of it …
    for (std::size_t read = matched; read > 0; --read) {
        const std::string_view missing = std::string_view(trigger).substr(read);
        if (trigger.compare(0, read, trigger, matched - read, read) != 0 || !first_here(missing)) continue;
        for (int layer = 0; layer < TokenTable::n_layers; ++layer)
            if (const int node = table_->descend(table_->root(layer), missing); node >= 0) sweep(node, bound, out);
    }
    // … or when it holds all of it.
    for (const auto& [node, text] : whole_)
        if (first_here(text)) sweep(node, bound, out);
    return out;
}

}  // namespace text
