#include "text/grammar_cache.h"

#include <algorithm>

namespace text {

base::Result<BoundGrammar> GrammarCache::get(const std::string& key, const std::function<base::Result<BoundGrammar>()>& make) {
    const auto find = [&] { return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; }); };
    {
        std::lock_guard lock(mutex_);
        if (const auto it = find(); it != entries_.end()) {
            entries_.splice(entries_.begin(), entries_, it);
            return entries_.front().bound;
        }
    }
    auto made = make();
    if (!made) return made;
    std::lock_guard lock(mutex_);
    if (find() == entries_.end()) entries_.push_front({key, *made});
    shrink();
    return made;
}

// Grammars grow while they are used, so their sizes are asked for anew.
void GrammarCache::shrink() {
    std::size_t n = 0, bytes = 0;
    for (auto it = entries_.begin(); it != entries_.end();) {
        bytes += it->key.size() + it->bound.grammar->bytes();
        ++n;
        if (n > 1 && (n > limits_.grammars || bytes > limits_.bytes))
            it = entries_.erase(it, entries_.end());
        else
            ++it;
    }
}

std::size_t GrammarCache::size() const {
    std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace text
