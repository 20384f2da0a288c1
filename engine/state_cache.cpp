#include "engine/state_cache.h"

#include <algorithm>

namespace engine {

StateCache::StateCache(int states) : entries_(std::size_t(states)) { order_.reserve(entries_.size()); }

StateCache::Found StateCache::find(BlockKey root, std::span<const text::TokenId> tokens) {
    order_.clear();
    for (int i = 0; i < int(entries_.size()); ++i)
        if (entries_[i].tokens > 0 && std::size_t(entries_[i].tokens) <= tokens.size()) order_.push_back(i);
    std::ranges::sort(order_, {}, [&](int i) { return entries_[i].tokens; });
    Found out;
    int known = 0;
    for (const int i : order_) {
        root = next_key(root, tokens.subspan(std::size_t(known), std::size_t(entries_[i].tokens - known)));
        known = entries_[i].tokens;
        if (entries_[i].chain == root) out = {i, known};
    }
    if (out.state >= 0) entries_[out.state].used = ++now_;
    return out;
}

int StateCache::take(BlockKey chain, int tokens) {
    for (Entry& e : entries_)
        if (e.tokens == tokens && e.chain == chain) {
            e.used = ++now_;
            return -1;
        }
    const auto oldest = std::ranges::min_element(entries_, {}, &Entry::used);
    if (oldest == entries_.end()) return -1;
    *oldest = {chain, tokens, ++now_};
    return int(oldest - entries_.begin());
}

}  // namespace engine
