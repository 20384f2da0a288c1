#include "engine/kv_blocks.h"

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

KvBlocks::KvBlocks(int blocks) {
    if (blocks < 1) throw std::invalid_argument("a KV cache needs at least one block");
    entries_.resize(std::size_t(blocks));
    std::size_t buckets = 16;
    while (buckets < entries_.size() * 2) buckets *= 2;
    buckets_.assign(buckets, -1);
    for (std::int32_t b = 0; b < blocks; ++b) enlist(b);
}

std::int32_t KvBlocks::find(BlockKey key) const {
    for (std::int32_t b = buckets_[bucket(key)]; b >= 0; b = entries_[b].next_same)
        if (entries_[b].key == key) return b;
    return -1;
}

void KvBlocks::enlist(std::int32_t block) {
    Entry& e = entries_[block];
    if (e.published) {
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

void KvBlocks::unpublish(std::int32_t block) {
    Entry& e = entries_[block];
    if (!e.published) return;
    std::int32_t* link = &buckets_[bucket(e.key)];
    while (*link != block) link = &entries_[*link].next_same;
    *link = e.next_same;
    e.next_same = -1;
    e.published = false;
    --published_;
}

int KvBlocks::hold_prefix(std::span<const BlockKey> keys, std::vector<std::int32_t>& table) {
    int found = 0;
    for (const BlockKey& key : keys) {
        const std::int32_t block = find(key);
        if (block < 0) break;
        hold(block);
        table.push_back(block);
        ++found;
    }
    return found;
}

std::int32_t KvBlocks::take() {
    const std::int32_t block = oldest_;
    if (block < 0) return -1;
    hold(block);
    unpublish(block);
    return block;
}

void KvBlocks::publish(std::int32_t block, BlockKey key) {
    Entry& e = entries_.at(std::size_t(block));
    if (e.holders == 0) throw std::logic_error("a block that nobody holds was published");
    if (e.published || find(key) >= 0) return;
    e.key = key;
    e.published = true;
    e.next_same = buckets_[bucket(key)];
    buckets_[bucket(key)] = block;
    ++published_;
}

void KvBlocks::release(std::span<const std::int32_t> table) {
    for (std::size_t i = table.size(); i-- > 0;) {
        Entry& e = entries_.at(std::size_t(table[i]));
        if (e.holders == 0) throw std::logic_error("a block was released twice");
        if (--e.holders > 0) continue;
        --held_;
        enlist(table[i]);
    }
}

}  // namespace engine
