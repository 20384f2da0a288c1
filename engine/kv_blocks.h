// Which block of the paged KV cache holds what: pure bookkeeping, no memory of keys and values.
// A full block is known by the hash chain of everything up to its end, so that a later prompt with
// the same beginning finds it. Blocks that nobody holds stay cached until their room is needed, the
// least recently used first. Nothing allocates after construction.
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
// The key of a full block of `tokens` after everything that `parent` stands for.
BlockKey next_key(BlockKey parent, std::span<const text::TokenId> tokens);

class KvBlocks {
public:
    explicit KvBlocks(int blocks);

    // Appends the blocks of the longest cached beginning of `keys` to `table`, holding each.
    int hold_prefix(std::span<const BlockKey> keys, std::vector<std::int32_t>& table);
    // A block with nothing in it, held once; -1 when every block is held.
    std::int32_t take();
    // Makes a held, full block findable. When its key is known already the older block stays the one found.
    void publish(std::int32_t block, BlockKey key);
    // Lets go of every block of the table; the end of a chain is evicted before its beginning.
    void release(std::span<const std::int32_t> table);

    int size() const { return int(entries_.size()); }
    int held() const { return held_; }
    int available() const { return size() - held_; }  // can be taken now
    int cached() const { return published_; }         // findable, held or not

private:
    struct Entry {
        BlockKey key;
        int holders = 0;
        bool published = false;
        std::int32_t older = -1, newer = -1;  // in the list of blocks that nobody holds
        std::int32_t next_same = -1;          // in its bucket
    };
    std::int32_t find(BlockKey key) const;
    std::size_t bucket(BlockKey key) const { return std::size_t(key.a) & (buckets_.size() - 1); }
    void unpublish(std::int32_t block);
    void enlist(std::int32_t block);  // as the newest; blocks without content as the oldest
    void delist(std::int32_t block);
    void hold(std::int32_t block);

    std::vector<Entry> entries_;
    std::vector<std::int32_t> buckets_;
    std::int32_t oldest_ = -1, newest_ = -1;
    int held_ = 0, published_ = 0;
};

}  // namespace engine
