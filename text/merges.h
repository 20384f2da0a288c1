// The heart of every byte-pair tokenizer: in a word the best adjacent pair is merged until none is left.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace text {

// Tokens that ordinary text may come to, by their texts. What merges build on the way but the vocabulary
// lacks gets an id beyond it. Keeps views of the vocabulary's tokens, whose strings must stay where they are.
class Symbols {
public:
    explicit Symbols(const Vocabulary& vocabulary);
    TokenId find(std::string_view text) const;  // -1: none
    TokenId find_or_add(std::string_view text);
    bool in_vocabulary(TokenId id) const { return id < size_; }
    std::string_view added_text(TokenId id) const { return added_[std::size_t(id - size_)]; }

private:
    TokenId size_;
    std::unordered_map<std::string_view, TokenId> ids_;  // views of the tokens and of added_
    std::deque<std::string> added_;                      // whose elements stay where they are
};

class Merges {
public:
    explicit Merges(std::size_t n);
    void add(TokenId left, TokenId right, std::uint32_t rank, TokenId merged);  // the first of equal pairs stays

    struct Work {  // room that one caller keeps from word to word
        struct Part {
            TokenId id;              // -1: merged away
            int previous, next;      // -1: none
            std::uint32_t rank;      // of the pair that begins here; `none`: no such merge
            TokenId merged;
        };
        std::vector<TokenId> word;   // given and taken
        std::vector<Part> parts;
        std::vector<std::uint64_t> heap;  // rank << 32 | index of the left part
    };
    // Merges within work.word: least rank first, of equal ones the leftmost.
    void apply(Work& work) const;

private:
    static constexpr std::uint32_t none = ~0u;
    static constexpr std::uint64_t empty = ~0ull;
    struct Slot {
        std::uint64_t key = empty;
        std::uint32_t rank = none;
        TokenId merged = -1;
    };
    static std::uint64_t pack(TokenId l, TokenId r) { return std::uint64_t(std::uint32_t(l)) << 32 | std::uint32_t(r); }
    std::size_t start(std::uint64_t key) const { return std::size_t(key * 0x9E3779B97F4A7C15ull >> 20) & (slots_.size() - 1); }
    const Slot& find(TokenId left, TokenId right) const;
    void apply_to_short(Work& work) const;
    void apply_to_long(Work& work) const;

    std::vector<Slot> slots_;  // open addressing
};

Merges ranked_merges(const Vocabulary& vocabulary, Symbols& symbols);  // bpe and character_bpe
Merges scored_merges(const Vocabulary& vocabulary, Symbols& symbols);  // spm

// Words repeat: where the ids of a word that was met before lie in the output.
class WordCache {
public:
    // At most this many bytes; longer words seldom come again.
    static constexpr std::size_t longest = 32;
    explicit WordCache(std::size_t words) : slots_(words < 16 ? 0 : 2048) {}
    // Appends the ids of the word to `out`, from the cache or by `make`, which appends them.
    template <class Make>
    void encode(std::string_view word, std::vector<TokenId>& out, Make make) {
        if (slots_.empty() || word.size() > longest) return make();
        Slot& slot = slots_[std::hash<std::string_view>()(word) & (slots_.size() - 1)];
        if (slot.word == word) {
            for (std::size_t i = slot.begin; i < slot.end; ++i) {
                const TokenId id = out[i];
                out.push_back(id);
            }
            return;
        }
        const std::size_t begin = out.size();
        make();
        slot = {word, begin, out.size()};
    }

private:
    struct Slot {
        std::string_view word;
        std::size_t begin = 0, end = 0;
    };
    std::vector<Slot> slots_;
};

}  // namespace text
