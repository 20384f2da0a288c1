#include "text/masks.h"

#include <algorithm>
#include <utility>

namespace text {
namespace {

using Place = Places::Place;
constexpr std::size_t few_words = 300;            // a mask with no more words that are not 0 is kept as ids
constexpr std::size_t max_bytes = 6u << 20;       // of masks remembered before all are forgotten
constexpr int most_open = 3000;                   // nodes below those where what follows decides
constexpr int large = 32;                         // nodes of a subtree that it pays to look for a shorter way through

void allow(std::span<const TokenId> ids, std::span<std::uint64_t> bits) {
    for (TokenId id : ids) bits[std::size_t(id) / 64] |= 1ull << (id % 64);
}

}  // namespace

void TokenSet::into(std::span<std::uint64_t> out) const {
    for (std::size_t i = 0; i < bits.size(); ++i) out[i] |= bits[i];
    allow(ids, out);
}

Masks::Masks(Places& places, std::shared_ptr<const TokenTable> table) : places_(places), taken_(places), table_(std::move(table)) {
    trail_.resize(Machine::alias_bytes + 1);
    known_.resize(Machine::alias_bytes + 1);
    head_trail_.resize(Machine::alias_bytes + 1);
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
    for (int i = node + 1, end = nodes[std::size_t(node)].end; i < end && !spent();) {
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
            n_open_ += n.end - i;
        }
        trail_[n.depth] = to;
        ++i;
    }
}

// The same for all tokens of a plain layer but those of at most `known` characters, which are allowed already. Behind a
// few bytes the place may well take all that follow.
void Masks::walk_plain(int layer, Place from, int known, std::vector<std::uint64_t>& bits, std::vector<Open>* open) {
    const auto nodes = table_->nodes();
    const int root = table_->root(layer), end = nodes[std::size_t(root)].end;
    trail_[0] = from;
    known_[0] = known;
    int open_until = 0;
    for (int i = root + 1; i < end && n_open_ <= most_open && !spent();) {
        const TokenTable::Node& n = nodes[std::size_t(i)];
        known_[n.depth] = known_[n.depth - 1u] - TokenTable::begins_character(n.byte);
        const Place to = int(n.longest) <= known_[n.depth] ? -1 : places_.next(trail_[n.depth - 1u], n.byte);
        if (to < 0) {
            i = n.end;
            continue;
        }
        if (n.end - i > large && layer < TokenTable::n_plain) {
            const bool between = !TokenTable::begins_character(n.byte) && TokenTable::begins_character(nodes[std::size_t(i) + 1].byte);
            const int inside = between ? 0 : TakenTexts::begun(n.byte);
            if (inside >= 0 && taken_.of(to, layer, n.longest, inside).all >= n.longest) {
                allow(table_->below(i), bits);
                i = n.end;
                continue;
            }
        }
        allow(table_->at(i), bits);
        if (open && i >= open_until && n.end > i + 1 && places_.ends(to)) {
            open->push_back({i, to});
            open_until = n.end;
            n_open_ += n.end - i;
        }
        trail_[n.depth] = to;
        ++i;
    }
}

// Allows the tokens of all plain layers and of the long one.
void Masks::take_layers(Place from, std::vector<std::uint64_t>& bits, std::vector<Open>* open) {
    int known = 0;
    for (int layer = TokenTable::n_plain; layer-- > 0;) {
        const int longest = table_->nodes()[std::size_t(table_->root(layer))].longest;
        if (known >= longest) continue;
        const Taken taken = taken_.of(from, layer, longest);
        if (taken.all > known) {
            const auto plain = table_->plain(layer, taken.all);
            for (std::size_t i = 0; i < bits.size(); ++i) bits[i] |= plain[i];
            known = taken.all;
        }
        const bool decided = taken.all == TokenTable::unbounded || (taken.none_longer && !(open && taken.may_end));
        if (decided && layer == TokenTable::n_plain - 1) return;  // of all characters that the long ones are made of, too
        if (decided) break;
        if (known < longest) walk_plain(layer, from, known, bits, open);
    }
    walk_plain(TokenTable::long_layer, from, 0, bits, open);
}

const Masks::Local& Masks::local(const std::vector<int>& states) {
    if (const auto it = locals_.find(states); it != locals_.end()) return it->second;
    Local out;
    const Place from = places_.local(states);
    std::vector<std::uint64_t> bits(table_->n_words());
    n_open_ = 0;
    walk(table_->root(TokenTable::other_layer), from, bits, &out.open);
    take_layers(from, bits, &out.open);
    out.mostly_open = std::exchange(n_open_, 0) > most_open;
    if (out.mostly_open)
        out.open.clear();
    else
        out.allowed = pack(bits);
    if (spent()) return part_of_local_ = std::move(out);
    bytes_ += 128 + out.allowed.bytes() + out.open.size() * sizeof(Open);
    return locals_.emplace(states, std::move(out)).first->second;
}

// Allows what the place takes, looked at with all that lies on its stacks.
void Masks::whole(Place place, std::vector<std::uint64_t>& bits) {
    walk(table_->root(TokenTable::other_layer), place, bits, nullptr);
    take_layers(place, bits, nullptr);
}

void Masks::single_bytes(Place place, std::vector<std::uint64_t>& bits) {
    const auto nodes = table_->nodes();
    for (int layer = 0; layer < TokenTable::n_layers; ++layer) {
        const int root = table_->root(layer);
        for (int i = root + 1; i < nodes[std::size_t(root)].end; i = nodes[std::size_t(i)].end)
            if (places_.next(place, nodes[std::size_t(i)].byte) >= 0) allow(table_->at(i), bits);
    }
}

const TokenSet& Masks::at(Place place) {
    if (const auto it = masks_.find(place); it != masks_.end()) return it->second;
    if (bytes_ > max_bytes) locals_.clear(), masks_.clear(), bytes_ = 0;
    stop_at_ = places_.work() + most_work;
    taken_.stop_at(stop_at_);
    TokenSet out = find(place);
    if (!out.whole) return part_ = std::move(out);
    bytes_ += 64 + out.bytes();
    return masks_.emplace(place, std::move(out)).first->second;
}

TokenSet Masks::find(Place place) {
    std::map<int, std::vector<int>> by_stack;
    for (const Places::Config& c : places_.configs(place)) by_stack[c.stack].push_back(places_.alias(c.state));
    std::vector<std::uint64_t> bits(table_->n_words());
    for (auto& [stack, states] : by_stack) {
        std::sort(states.begin(), states.end());
        states.erase(std::unique(states.begin(), states.end()), states.end());
        const Local& known = local(states);
        if (known.mostly_open) {
            whole(place, bits);
            break;
        }
        known.allowed.into(bits);
        if (stack == 0) continue;
        for (const Open& open : known.open) {
            if (spent()) break;
            walk(open.node, places_.above(open.reached, stack), bits, nullptr);
        }
    }
    const bool all = !spent();
    if (!all) single_bytes(place, bits);
    for (const auto& [id, text] : table_->control())
        if (!text.empty() && places_.next(place, std::uint8_t(text[0])) >= 0 && places_.run_literal(place, text) >= 0)
            bits[std::size_t(id) / 64] |= 1ull << (id % 64);
    if (!all && std::all_of(bits.begin(), bits.end(), [](std::uint64_t w) { return w == 0; })) {
        // No token has only the bytes that may come: the longer ones have to be looked at, whatever that takes.
        stop_at_ = ~std::uint64_t(0);
        taken_.stop_at(stop_at_);
        return find(place);
    }
    TokenSet out = pack(bits);
    out.whole = all;
    return out;
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

void Masks::add_spoilt_heads(Places& heads, Place at, Place bound, std::vector<TokenId>& out) {
    const auto nodes = table_->nodes();
    head_trail_[0] = {at, bound};
    for (int layer = 0; layer < TokenTable::n_layers; ++layer) {
        const int root = table_->root(layer);
        for (int i = root + 1, end = nodes[std::size_t(root)].end; i < end;) {
            const TokenTable::Node& n = nodes[std::size_t(i)];
            const auto [head_before, bound_before] = head_trail_[n.depth - 1u];
            const Place head = heads.next(head_before, n.byte), to = head < 0 ? head : places_.next(bound_before, n.byte);
            if (to >= 0 && heads.ends(head)) sweep(i, to, out);
            head_trail_[n.depth] = {head, to};
            i = to < 0 || heads.ends(head) ? n.end : i + 1;
        }
    }
}

// Where tokens hold the whole trigger: the node at its end, and the text up to there.
void Masks::find_whole(const std::string& trigger) {
    whole_.clear();
    const auto nodes = table_->nodes();
    const std::string_view rest = std::string_view(trigger).substr(1);
    for (int i = 0; i < int(nodes.size()); ++i) {
        if (nodes[std::size_t(i)].byte != std::uint8_t(trigger[0]) || nodes[std::size_t(i)].depth == 0) continue;
        const int end = table_->descend(i, rest);
        if (end < 0) continue;
        // Few have it: the way to them is found backwards.
        std::string before;
        int depth = nodes[std::size_t(i)].depth - 1;
        for (int k = i; depth > 0; --k)
            if (nodes[std::size_t(k)].depth == depth) before += char(nodes[std::size_t(k)].byte), --depth;
        whole_.push_back({end, std::string(before.rbegin(), before.rend()) + trigger});
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
