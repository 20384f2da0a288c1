// Which block of the paged KV cache holds what: pure bookkeeping, no memory of keys and values.
// A block is known by its own tokens and by the hash chain of everything before it, so that a later
// prompt with the same beginning finds it, to the token. Blocks that nobody holds stay cached until
// their room is needed, the least recently used first. Nothing allocates after construction.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace engine {

struct BlockKey {
    std::uint64_t a = 0, b = 0;
    bool operator==(const BlockKey&) const = default;
};

// The chain's start. `seed` is random per process, so that nobody can craft two prompts with one key;
// prompts with different salts share nothing.
BlockKey root_key(std::uint64_t seed, std::string_view salt);
// The key of a whole block of `tokens` after everything that `parent` stands for.
BlockKey next_key(BlockKey parent, std::span<const text::TokenId> tokens);

class KvBlocks {
public:
    KvBlocks(int blocks, int block_tokens);

    // The longest cached beginning of some tokens: whole blocks, which are shared, then a part of one.
    struct Prefix {
        BlockKey chain;          // of the whole blocks
        std::int32_t tail = -1;  // a block whose first tokens go on from there; not held
        int tail_tokens = 0;
    };
    // Appends the whole blocks to `table`, holding each.
    Prefix hold_prefix(BlockKey root, std::span<const text::TokenId> tokens, std::vector<std::int32_t>& table);
    // A block with nothing in it, held once; -1 when every block is held.
    std::int32_t take();
    // A block to go on in after the prefix, held once: the tail itself where nobody holds it and it has
    // no more than that, else one to which the caller copies the tail. Ask before anything else is taken.
    std::int32_t take_tail(const Prefix& prefix);
    // Says what a block with one holder has in it: `tokens`, after everything that `chain` stands for.
    // It may only grow. From now on it is found; of equal whole blocks the first one is.
    void fill(std::int32_t block, BlockKey chain, std::span<const text::TokenId> tokens);
    // Lets go of every block of the table; the end of a chain is evicted before its beginning.
    void release(std::span<const std::int32_t> table);

    int size() const { return int(entries_.size()); }
    int held() const { return held_; }
    int available() const { return size() - held_; }  // can be taken now
    std::int64_t cached_tokens() const { return cached_tokens_; }  // in blocks that can be found, held or not

private:
    struct Entry {
        BlockKey chain;           // of what comes before
        int tokens = 0;           // in it; 0: cannot be found
        int holders = 0;
        std::int32_t older = -1, newer = -1;  // in the list of blocks that nobody holds
        std::int32_t next = -1;               // in its bucket
    };
    std::span<const text::TokenId> tokens(std::int32_t block) const;
    Prefix longest(BlockKey chain, std::span<const text::TokenId> tokens, std::int32_t except) const;
    std::int32_t& bucket(BlockKey chain) { return buckets_[std::size_t(chain.a) & (buckets_.size() - 1)]; }
    void forget(std::int32_t block);
    void enlist(std::int32_t block);  // as the newest; blocks without content as the oldest
    void delist(std::int32_t block);
    void hold(std::int32_t block);

    int block_tokens_;
    std::vector<Entry> entries_;
    std::vector<text::TokenId> tokens_;   // (blocks, block_tokens)
    std::vector<std::int32_t> buckets_;   // by chain: blocks that follow the same beginning lie in one
    std::int32_t oldest_ = -1, newest_ = -1;
    int held_ = 0;
    std::int64_t cached_tokens_ = 0;
};

}  // namespace engine
