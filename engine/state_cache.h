// Which kept state of a recurrent model stands after which tokens: pure bookkeeping, as KvBlocks is for keys and values.
// A state is that of all tokens before it, so it is known by the hash chain of them, and it helps only a prompt that begins
// with every one of them. The least recently used one goes first. Nothing allocates after construction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/kv_blocks.h"

namespace engine {

class StateCache {
public:
    explicit StateCache(int states);

    struct Found {
        int state = -1;  // none
        int tokens = 0;  // before it
    };
    // The state after the longest beginning of `tokens`, which follow on `root`. It becomes the newest.
    Found find(BlockKey root, std::span<const text::TokenId> tokens);
    // Where to keep the state after `tokens` tokens, known by `chain`; -1 where it is kept already, or there is no room at all.
    int take(BlockKey chain, int tokens);

private:
    struct Entry {
        BlockKey chain;
        int tokens = 0;          // 0: nothing is kept
        std::uint64_t used = 0;  // when
    };
    std::vector<Entry> entries_;
    std::vector<int> order_;
    std::uint64_t now_ = 0;
};

}  // namespace engine
