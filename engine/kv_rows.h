// A sequence's rows in a paged cache: the steps that a model and the smaller one that guesses for it take alike.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/kv_blocks.h"
#include "engine/runner.h"

namespace engine {

// Blocks for so many tokens.
void hold_rows(KvBlocks& blocks, std::vector<std::int32_t>& table, int tokens);
// The rest of a cached beginning whose whole blocks are in the table: a block that is cached in part is gone on with, or
// copied where others hold or need it. Gives how many tokens are there now.
int hold_tail(KvBlocks& blocks, Runner& runner, const KvBlocks::Prefix& found, std::vector<std::int32_t>& table);
// Rows [from, end) of the tokens are computed. `chain`: of the whole blocks before.
void enter_rows(KvBlocks& blocks, const std::vector<std::int32_t>& table, BlockKey& chain, std::span<const text::TokenId> tokens, int from, int end);

}  // namespace engine
