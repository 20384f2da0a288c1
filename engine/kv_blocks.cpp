#include "engine/kv_blocks.h"

#include <algorithm>
#include <stdexcept>

namespace engine {
namespace {

std::uint64_t mix(std::uint64_t x) {  // the finaliser of splitmix64
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

void absorb(BlockKey& key, std::uint64_t value) {
    key.a = mix(key.a + 0x9e3779b97f4a7c15ull + value);
    key.b = mix((key.b ^ value * 0xd6e8feb86659fd93ull) + key.a);
}

}  // namespace

BlockKey root_key(std::uint64_t seed, std::string_view salt) {
    BlockKey key{mix(seed + 1), mix(~seed)};
    absorb(key, salt.size());
    for (const char c : salt) absorb(key, std::uint8_t(c));
    return key;
}

BlockKey next_key(BlockKey parent, std::span<const text::TokenId> tokens) {
    for (const auto token : tokens) absorb(parent, std::uint32_t(token));
    return parent;
}

KvBlocks::KvBlocks(int blocks, int block_tokens) : block_tokens_(block_tokens) {
    if (blocks < 1 || block_tokens < 1) throw std::invalid_argument("a KV cache needs at least one block and a token in it");
    entries_.resize(std::size_t(blocks));
    tokens_.resize(std::size_t(blocks) * std::size_t(block_tokens));
    std::size_t buckets = 16;
    while (buckets < entries_.size() * 2) buckets *= 2;
    buckets_.assign(buckets, -1);
    for (std::int32_t b = 0; b < blocks; ++b) enlist(b);
}

std::span<const text::TokenId> KvBlocks::tokens(std::int32_t block) const {
    return std::span(tokens_).subspan(std::size_t(block) * std::size_t(block_tokens_), std::size_t(entries_[block].tokens));
}

// As tail: the block after `chain` that begins with most of `tokens`.
KvBlocks::Prefix KvBlocks::longest(BlockKey chain, std::span<const text::TokenId> tokens, std::int32_t except) const {
    Prefix out{chain};
    for (std::int32_t b = buckets_[std::size_t(chain.a) & (buckets_.size() - 1)]; b >= 0; b = entries_[b].next) {
        if (b == except || entries_[b].chain != chain) continue;
        const auto held = this->tokens(b);
        const int common = int(std::ranges::mismatch(held, tokens).in1 - held.begin());
        if (common > out.tail_tokens) out.tail = b, out.tail_tokens = common;
    }
    return out;
}

void KvBlocks::enlist(std::int32_t block) {
    Entry& e = entries_[block];
    if (e.tokens > 0) {
        e.older = newest_;
        e.newer = -1;
        (newest_ >= 0 ? entries_[newest_].newer : oldest_) = block;
        newest_ = block;
    } else {
        e.newer = oldest_;
        e.older = -1;
        (oldest_ >= 0 ? entries_[oldest_].older : newest_) = block;
        oldest_ = block;
    }
}

void KvBlocks::delist(std::int32_t block) {
    Entry& e = entries_[block];
    (e.older >= 0 ? entries_[e.older].newer : oldest_) = e.newer;
    (e.newer >= 0 ? entries_[e.newer].older : newest_) = e.older;
    e.older = e.newer = -1;
}

void KvBlocks::hold(std::int32_t block) {
    if (entries_[block].holders++ > 0) return;
    delist(block);
    ++held_;
}

void KvBlocks::forget(std::int32_t block) {
    Entry& e = entries_[block];
    if (e.tokens == 0) return;
    std::int32_t* link = &bucket(e.chain);
    while (*link != block) link = &entries_[*link].next;
    *link = e.next;
    e.next = -1;
    cached_tokens_ -= e.tokens;
    e.tokens = 0;
}

KvBlocks::Prefix KvBlocks::hold_prefix(BlockKey root, std::span<const text::TokenId> tokens, std::vector<std::int32_t>& table) {
    for (BlockKey chain = root;;) {
        const Prefix found = longest(chain, tokens, -1);
        if (found.tail_tokens < block_tokens_) return found;
        hold(found.tail);
        table.push_back(found.tail);
        chain = next_key(chain, tokens.first(std::size_t(block_tokens_)));
        tokens = tokens.subspan(std::size_t(block_tokens_));
    }
}

std::int32_t KvBlocks::take() {
    const std::int32_t block = oldest_;
    if (block < 0) return -1;
    hold(block);
    forget(block);
    return block;
}

std::int32_t KvBlocks::take_tail(const Prefix& prefix) {
    const Entry& tail = entries_.at(std::size_t(prefix.tail));
    if (tail.holders > 0 || tail.tokens != prefix.tail_tokens) return take();
    hold(prefix.tail);
    return prefix.tail;
}

void KvBlocks::fill(std::int32_t block, BlockKey chain, std::span<const text::TokenId> tokens) {
    Entry& e = entries_.at(std::size_t(block));
    if (e.holders != 1) throw std::logic_error("a block was filled that nobody holds, or several");
    if (tokens.empty() || tokens.size() > std::size_t(block_tokens_)) throw std::logic_error("a block was filled with too much or nothing");
    const bool grows = e.tokens > 0 && e.chain == chain && std::size_t(e.tokens) <= tokens.size();
    if (e.tokens > 0 && !grows) throw std::logic_error("what a block holds was changed");
    if (!grows) {
        e.chain = chain;
        e.next = bucket(chain);
        bucket(chain) = block;
    }
    std::copy(tokens.begin() + e.tokens, tokens.end(), tokens_.begin() + std::ptrdiff_t(block) * block_tokens_ + e.tokens);
    cached_tokens_ += std::int64_t(tokens.size()) - e.tokens;
    e.tokens = int(tokens.size());
    if (e.tokens == block_tokens_ && longest(chain, tokens, block).tail_tokens == block_tokens_) forget(block);
}

void KvBlocks::release(std::span<const std::int32_t> table) {
    for (std::size_t i = table.size(); i-- > 0;) {
        const std::int32_t block = table[i];
        Entry& e = entries_.at(std::size_t(block));
        if (e.holders == 0) throw std::logic_error("a block was released twice");
        if (--e.holders > 0) continue;
        --held_;
        // Not worth keeping where another block has all of it.
        if (e.tokens > 0 && longest(e.chain, tokens(block), block).tail_tokens == e.tokens) forget(block);
        enlist(block);
    }
}

}  // namespace engine
