#include "text/merges.h"

#include <algorithm>

#include "text/ordinary.h"
#include "text/unicode.h"

namespace text {
namespace {

constexpr std::size_t most_scanned = 40;  // up to this length looking through all pairs beats a heap

// The space between the parts of a merge; npos when there are no two.
std::size_t border(std::string_view merge) {
    const std::size_t space = merge.find(' ', 1);
    return space + 1 == merge.size() ? merge.npos : space;
}

}  // namespace

Symbols::Symbols(const Vocabulary& v) : size_(TokenId(v.tokens.size())) {
    ids_.reserve(v.tokens.size() + v.tokens.size() / 8);
    for (TokenId id = 0; id < size_; ++id) {
        const std::string& token = v.tokens[std::size_t(id)];
        if (!token.empty() && may_be_ordinary(v, id)) ids_.emplace(token, id);  // of equal ones the first
    }
}

TokenId Symbols::find(std::string_view text) const {
    const auto it = ids_.find(text);
    return it == ids_.end() ? -1 : it->second;
}

TokenId Symbols::find_or_add(std::string_view text) {
    const TokenId known = find(text);
    if (known >= 0) return known;
    const TokenId id = size_ + TokenId(added_.size());
    ids_.emplace(added_.emplace_back(text), id);
    return id;
}

Merges::Merges(std::size_t n) {
    std::size_t size = 16;
    while (2 * size < 3 * n) size *= 2;
    slots_.resize(size);
}

void Merges::add(TokenId left, TokenId right, std::uint32_t rank, TokenId merged) {
    const std::uint64_t key = pack(left, right);
    std::size_t i = start(key);
    while (slots_[i].key != empty) {
        if (slots_[i].key == key) return;
        i = (i + 1) & (slots_.size() - 1);
    }
    slots_[i] = {key, rank, merged};
}

const Merges::Slot& Merges::find(TokenId left, TokenId right) const {
    const std::uint64_t key = pack(left, right);
    std::size_t i = start(key);
    while (slots_[i].key != empty && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
    return slots_[i];  // a free slot says that there is no such merge
}

void Merges::apply(Work& work) const {
    if (work.word.size() < 2) return;
    work.word.size() <= most_scanned ? apply_to_short(work) : apply_to_long(work);
}

void Merges::apply_to_short(Work& work) const {
    auto& word = work.word;
    auto& parts = work.parts;  // of each only rank and merged
    parts.resize(word.size());
    const auto look = [&](std::size_t i) {
        const Slot& slot = find(word[i], word[i + 1]);
        parts[i].rank = slot.rank;
        parts[i].merged = slot.merged;
    };
    for (std::size_t i = 0; i + 1 < word.size(); ++i) look(i);
    for (std::size_t n = word.size(); n > 1; --n) {
        std::size_t best = 0;
        for (std::size_t i = 1; i + 1 < n; ++i)
            if (parts[i].rank < parts[best].rank) best = i;
        if (parts[best].rank == none) break;
        word[best] = parts[best].merged;
        word.erase(word.begin() + long(best) + 1);
        std::copy(parts.begin() + long(best) + 1, parts.begin() + long(n), parts.begin() + long(best));
        if (best + 1 < word.size()) look(best);
        if (best > 0) look(best - 1);
    }
}

void Merges::apply_to_long(Work& work) const {
    auto& parts = work.parts;
    auto& heap = work.heap;
    parts.clear();
    heap.clear();
    const int n = int(work.word.size());
    const auto look = [&](int i) {
        auto& part = parts[std::size_t(i)];
        part.rank = none;
        if (part.next < 0) return false;
        const Slot& slot = find(part.id, parts[std::size_t(part.next)].id);
        part.rank = slot.rank;
        part.merged = slot.merged;
        return part.rank != none;
    };
    const auto entry = [&](int i) { return std::uint64_t(parts[std::size_t(i)].rank) << 32 | std::uint32_t(i); };
    for (int i = 0; i < n; ++i) parts.push_back({work.word[std::size_t(i)], i - 1, i + 1 < n ? i + 1 : -1, none, -1});
    for (int i = 0; i < n; ++i)
        if (look(i)) heap.push_back(entry(i));
    std::make_heap(heap.begin(), heap.end(), std::greater<>());
    const auto consider = [&](int i) {
        if (i < 0 || !look(i)) return;
        heap.push_back(entry(i));
        std::push_heap(heap.begin(), heap.end(), std::greater<>());
    };
    while (!heap.empty()) {
        const std::uint64_t best = heap.front();
        std::pop_heap(heap.begin(), heap.end(), std::greater<>());
        heap.pop_back();
        const int i = int(std::uint32_t(best));
        auto& left = parts[std::size_t(i)];
        if (left.id < 0 || left.rank != best >> 32) continue;  // one of the two has changed since
        auto& right = parts[std::size_t(left.next)];
        left.id = left.merged;
        left.next = right.next;
        right.id = -1;
        if (left.next >= 0) parts[std::size_t(left.next)].previous = i;
        consider(left.previous);
        consider(i);
    }
    work.word.clear();
    for (int i = 0; i >= 0; i = parts[std::size_t(i)].next) work.word.push_back(parts[std::size_t(i)].id);
}

base::Result<void> check_merges(const Vocabulary& vocabulary) {
    for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank)
        if (const std::string& m = vocabulary.merges[rank]; border(m) == m.npos)
            return base::error(base::Code::corrupt, "merge " + std::to_string(rank) + " is \"" + m + "\", expected two parts with a space between");
    return {};
}

Merges ranked_merges(const Vocabulary& v, Symbols& symbols) {
    Merges merges(v.merges.size());
    std::string joint;
    for (std::size_t rank = 0; rank < v.merges.size(); ++rank) {
        const std::string_view merge = v.merges[rank];
        const std::size_t space = border(merge);
        const std::string_view left = merge.substr(0, space), right = merge.substr(space + 1);
        joint.assign(left).append(right);
        const TokenId l = symbols.find_or_add(left), r = symbols.find_or_add(right);
        merges.add(l, r, std::uint32_t(rank), symbols.find_or_add(joint));
    }
    return merges;
}

// Any two symbols whose joint text is a token may be merged, so each border inside a token's text is a merge.
Merges scored_merges(const Vocabulary& v, Symbols& symbols) {
    struct Pair {
        TokenId left, right, merged;
    };
    std::vector<Pair> pairs;
    std::vector<float> better;  // the scores, best first
    for (TokenId id = 0; id < TokenId(v.tokens.size()); ++id) {
        const std::string_view token = v.tokens[std::size_t(id)];
        if (symbols.find(token) != id) continue;
        better.push_back(v.scores[std::size_t(id)]);
        int length = 1, first = 1;
        if (!token.empty()) decode_utf8(token, 0, first);
        for (std::size_t at = std::size_t(first); at < token.size(); at += std::size_t(length)) {
            decode_utf8(token, at, length);
            const std::string_view left = token.substr(0, at), right = token.substr(at);
            const TokenId l = at == std::size_t(first) ? symbols.find_or_add(left) : symbols.find(left);
            const TokenId r = at + std::size_t(length) == token.size() ? symbols.find_or_add(right) : symbols.find(right);
            if (l >= 0 && r >= 0) pairs.push_back({l, r, id});
        }
    }
    std::sort(better.begin(), better.end(), std::greater<>());
    better.erase(std::unique(better.begin(), better.end()), better.end());
    Merges merges(pairs.size());
    for (const Pair& pair : pairs) {
        const auto rank = std::lower_bound(better.begin(), better.end(), v.scores[std::size_t(pair.merged)], std::greater<>()) - better.begin();
        merges.add(pair.left, pair.right, std::uint32_t(rank), pair.merged);
    }
    return merges;
}

}  // namespace text
