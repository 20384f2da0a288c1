#include "engine/kv_blocks.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

using namespace engine;

namespace {

std::vector<BlockKey> chain(std::uint64_t seed, const std::string& salt, const std::vector<text::TokenId>& tokens) {
    std::vector<BlockKey> keys;
    BlockKey key = root_key(seed, salt);
    for (std::size_t at = 0; at + 4 <= tokens.size(); at += 4)
        keys.push_back(key = next_key(key, std::span(tokens).subspan(at, 4)));
    return keys;
}

}  // namespace

TEST(KvBlocks, KeysDependOnSeedSaltAndEverythingBefore) {
    const std::vector<text::TokenId> a{1, 2, 3, 4, 5, 6, 7, 8}, b{9, 2, 3, 4, 5, 6, 7, 8};
    EXPECT_EQ(chain(1, "", a), chain(1, "", a));
    EXPECT_NE(chain(1, "", a)[1], chain(1, "", b)[1]);
    EXPECT_NE(chain(1, "", a)[0], chain(1, "x", a)[0]);
    EXPECT_NE(chain(1, "", a)[0], chain(2, "", a)[0]);
}

TEST(KvBlocks, FindsWhatWasPublishedUntilItsRoomIsNeeded) {
    KvBlocks blocks(3);
    const auto keys = chain(1, "", {1, 2, 3, 4, 5, 6, 7, 8});
    std::vector<std::int32_t> table{blocks.take(), blocks.take()};
    blocks.publish(table[0], keys[0]);
    blocks.publish(table[1], keys[1]);
    blocks.release(table);
    EXPECT_EQ(blocks.available(), 3);
    std::vector<std::int32_t> again;
    EXPECT_EQ(blocks.hold_prefix(keys, again), 2);
    EXPECT_EQ(again, table);
    blocks.release(again);

    // The empty one goes first, then the chain's end, then its beginning.
    const auto first = blocks.take(), second = blocks.take();
    EXPECT_NE(first, table[0]);
    EXPECT_NE(first, table[1]);
    EXPECT_EQ(second, table[1]);
    again.clear();
    EXPECT_EQ(blocks.hold_prefix(keys, again), 1);
    EXPECT_EQ(blocks.take(), -1);
}

TEST(KvBlocks, MisuseIsRefused) {
    KvBlocks blocks(2);
    const std::vector<std::int32_t> table{blocks.take()};
    blocks.release(table);
    EXPECT_THROW(blocks.release(table), std::logic_error);
    EXPECT_THROW(blocks.publish(table[0], {1, 2}), std::logic_error);
}

// Against a model that only counts: holders per block, and what each key's block holds.
TEST(KvBlocks, RandomUseNeverHandsOutAHeldBlockNorFindsAWrongOne) {
    std::mt19937 random(7);
    KvBlocks blocks(24);
    struct Owner {
        std::vector<std::int32_t> table;
        std::vector<BlockKey> keys;
    };
    std::vector<Owner> owners;
    std::vector<int> holders(24), content(24, -1);  // content: number of the published key, -1 none
    std::map<std::pair<std::uint64_t, std::uint64_t>, int> numbers;
    const auto number = [&](BlockKey k) { return numbers.emplace(std::pair(k.a, k.b), int(numbers.size())).first->second; };
    for (int round = 0; round < 5000; ++round) {
        if (random() % 3 && owners.size() < 6) {
            std::vector<text::TokenId> tokens;
            for (int i = int(random() % 6) * 4; i > 0; --i) tokens.push_back(text::TokenId(random() % 2));
            Owner owner{{}, chain(3, "", tokens)};
            const int found = blocks.hold_prefix(owner.keys, owner.table);
            for (int i = 0; i < found; ++i) {
                EXPECT_EQ(content[owner.table[i]], number(owner.keys[i]));
                ++holders[owner.table[i]];
            }
            while (owner.table.size() < owner.keys.size()) {
                const auto block = blocks.take();
                if (block < 0) break;
                ASSERT_EQ(holders[block], 0) << "a held block was handed out";
                holders[block] = 1;
                content[block] = -1;
                const auto& key = owner.keys[owner.table.size()];
                blocks.publish(block, key);
                content[block] = number(key);
                owner.table.push_back(block);
            }
            owners.push_back(owner);
        } else if (!owners.empty()) {
            const std::size_t i = random() % owners.size();
            blocks.release(owners[i].table);
            for (const auto b : owners[i].table) --holders[b];
            owners.erase(owners.begin() + std::ptrdiff_t(i));
        }
        int held = 0;
        for (const int h : holders) held += h > 0;
        ASSERT_EQ(blocks.held(), held);
        ASSERT_EQ(blocks.available(), 24 - held);
        ASSERT_LE(blocks.cached(), 24);
    }
}
