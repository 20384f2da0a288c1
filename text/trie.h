// Texts of tokens by their bytes: the tokens with which a text begins are found in its own length.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace text {

class Trie {
public:
    Trie() : slots_(64) {}

    // The first of equal texts stays; empty ones are left out.
    void add(std::string_view text, TokenId id) {
        if (text.empty()) return;
        std::uint32_t at = 0;
        for (char c : text) at = child(at, std::uint8_t(c));
        if (ids_[at] < 0) ids_[at] = id;
    }

    // Calls take(id, length) for each token with which text[from …] begins, the shortest first.
    template <class Take>
    void prefixes(std::string_view text, std::size_t from, Take take) const {
        std::uint32_t at = 0;
        for (std::size_t i = from; i < text.size(); ++i) {
            at = find(key(at, std::uint8_t(text[i])));
            if (!at) return;
            if (ids_[at] >= 0) take(ids_[at], i + 1 - from);
        }
    }

    TokenId longest(std::string_view text, std::size_t from, std::size_t& length) const {
        TokenId found = -1;
        prefixes(text, from, [&](TokenId id, std::size_t n) {
            found = id;
            length = n;
        });
        return found;
    }

private:
    struct Slot {
        std::uint64_t key = 0;  // 0: free; each key has bit 8
        std::uint32_t child = 0;
    };
    static std::uint64_t key(std::uint32_t node, std::uint8_t byte) { return std::uint64_t(node) << 9 | 256u | byte; }
    std::size_t start(std::uint64_t k) const { return std::size_t(k * 0x9E3779B97F4A7C15ull >> 24) & (slots_.size() - 1); }

    std::uint32_t find(std::uint64_t k) const {  // 0, the root: no such edge
        for (std::size_t i = start(k); slots_[i].key; i = (i + 1) & (slots_.size() - 1))
            if (slots_[i].key == k) return slots_[i].child;
        return 0;
    }
    void put(Slot slot) {
        std::size_t i = start(slot.key);
        while (slots_[i].key) i = (i + 1) & (slots_.size() - 1);
        slots_[i] = slot;
    }
    std::uint32_t child(std::uint32_t node, std::uint8_t byte) {
        const std::uint64_t k = key(node, byte);
        if (const std::uint32_t found = find(k)) return found;
        if (2 * ids_.size() > slots_.size()) {
            std::vector<Slot> old(slots_.size() * 2);
            old.swap(slots_);
            for (const Slot& slot : old)
                if (slot.key) put(slot);
        }
        const auto made = std::uint32_t(ids_.size());
        ids_.push_back(-1);
        put({k, made});
        return made;
    }

    std::vector<Slot> slots_;           // edges, open addressing
    std::vector<TokenId> ids_ = {-1};  // by node; -1: no token ends here
};

}  // namespace text
