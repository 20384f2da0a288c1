#include "engine/kv_rows.h"

#include <algorithm>
#include <stdexcept>

namespace engine {
namespace {

std::int32_t needed(std::int32_t block) {
    if (block < 0) throw std::logic_error("the KV cache has no free block for an admitted sequence");
    return block;
}

}  // namespace

void hold_rows(KvBlocks& blocks, std::vector<std::int32_t>& table, int tokens) {
    while (int(table.size()) * kKvBlock < tokens) table.push_back(needed(blocks.take()));
}

int hold_tail(KvBlocks& blocks, Runner& runner, const KvBlocks::Prefix& found, std::vector<std::int32_t>& table) {
    const int whole = int(table.size()) * kKvBlock;
    if (found.tail_tokens == 0) return whole;
    table.push_back(needed(blocks.take_tail(found)));
    if (table.back() != found.tail) runner.copy_kv(found.tail, table.back(), found.tail_tokens);
    return whole + found.tail_tokens;
}

void enter_rows(KvBlocks& blocks, const std::vector<std::int32_t>& table, BlockKey& chain, std::span<const text::TokenId> tokens, int from, int end) {
    for (int at = from / kKvBlock * kKvBlock; at < end; at += kKvBlock) {
        const auto held = tokens.subspan(std::size_t(at), std::size_t(std::min(kKvBlock, end - at)));
        blocks.fill(table[std::size_t(at / kKvBlock)], chain, held);
        if (int(held.size()) == kKvBlock) chain = next_key(chain, held);
    }
}

}  // namespace engine
