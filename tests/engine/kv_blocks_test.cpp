#include "engine/kv_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

using namespace engine;

namespace {

constexpr int kTokens = 4;  // of a block
using Tokens = std::vector<text::TokenId>;

// A sequence as the worker drives it, on blocks whose memory keeps, for each token, the whole text that
// led to it: what keys and values stand for.
struct Memory {
    KvBlocks blocks;
    std::vector<std::string> rows;
    explicit Memory(int n) : blocks(n, kTokens), rows(std::size_t(n) * kTokens) {}
    std::string& row(std::int32_t block, int i) { return rows[std::size_t(block) * kTokens + std::size_t(i)]; }
};

struct Sequence {
    Memory& memory;
    Tokens tokens;
    BlockKey chain;
    std::vector<std::int32_t> table;
    int computed = 0, copied = 0;

    std::string text(int n) const { return {tokens.begin(), tokens.begin() + n}; }

    // Finds all but the last token, as far as they are cached.
    Sequence(Memory& m, Tokens prompt, const std::string& salt = "") : memory(m), tokens(std::move(prompt)) {
        const auto found = m.blocks.hold_prefix(root_key(3, salt), std::span(tokens).first(tokens.size() - 1), table);
        chain = found.chain;
        computed = int(table.size()) * kTokens;
        if (found.tail_tokens == 0) return;
        const auto block = m.blocks.take_tail(found);
        if (block < 0) return;
        if (block != found.tail) {
            for (int i = 0; i < found.tail_tokens; ++i) m.row(block, i) = m.row(found.tail, i);
            copied = found.tail_tokens;
        }
        table.push_back(block);
        computed += found.tail_tokens;
    }

    // Computes up to n tokens; false when there is no block left.
    bool compute(int n) {
        for (; n > 0 && computed < int(tokens.size()); --n) {
            if (computed == int(table.size()) * kTokens) {
                const auto block = memory.blocks.take();
                if (block < 0) return false;
                table.push_back(block);
            }
            const int at = computed / kTokens * kTokens;
            memory.row(table.back(), computed - at) = text(computed + 1);
            ++computed;
            const auto held = std::span(tokens).subspan(std::size_t(at), std::size_t(computed - at));
            memory.blocks.fill(table.back(), chain, held);
            if (held.size() == kTokens) chain = next_key(chain, held);
        }
        return true;
    }

    void check() const {
        for (int p = 0; p < computed; ++p)
            ASSERT_EQ(memory.row(table[std::size_t(p / kTokens)], p % kTokens), text(p + 1)) << "position " << p;
    }
    void end() { memory.blocks.release(table); }
};

Tokens letters(const char* text) { return Tokens(text, text + std::string_view(text).size()); }

int common(const std::string& a, const std::string& b) {
    return int(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

TEST(KvBlocks, KeysDependOnSeedSaltAndEverythingBefore) {
    const auto chain = [](std::uint64_t seed, const char* salt, const char* first) {
        return next_key(next_key(root_key(seed, salt), letters(first)), letters("same"));
    };
    EXPECT_EQ(chain(1, "", "abcd"), chain(1, "", "abcd"));
    EXPECT_NE(chain(1, "", "abcd"), chain(1, "", "xbcd"));
    EXPECT_NE(chain(1, "", "abcd"), chain(1, "x", "abcd"));
    EXPECT_NE(chain(1, "", "abcd"), chain(2, "", "abcd"));
}

TEST(KvBlocks, TheNextTurnGoesOnInTheLastBlock) {
    Memory memory(4);
    Sequence first(memory, letters("abcdef"));
    EXPECT_EQ(first.computed, 0);
    first.compute(6);
    first.end();
    EXPECT_EQ(memory.blocks.cached_tokens(), 6);
    Sequence second(memory, letters("abcdefghi"));
    EXPECT_EQ(second.computed, 6);
    EXPECT_EQ(second.copied, 0);
    EXPECT_EQ(second.table, first.table);
    second.compute(3);
    second.check();
    second.end();
    EXPECT_EQ(memory.blocks.cached_tokens(), 9);
}

TEST(KvBlocks, ABlockThatOthersHoldOrNeedIsCopied) {
    Memory memory(8);
    Sequence living(memory, letters("abcdef"));
    living.compute(6);
    Sequence other(memory, letters("abcdefxy"));  // the tail is written by the living one
    EXPECT_EQ(other.computed, 6);
    EXPECT_EQ(other.copied, 2);
    EXPECT_EQ(other.table[0], living.table[0]);
    EXPECT_NE(other.table[1], living.table[1]);
    Sequence branch(memory, letters("abxyz"));  // leaves inside the first block
    EXPECT_EQ(branch.computed, 2);
    EXPECT_EQ(branch.copied, 2);
    Sequence same(memory, letters("abcd"));  // its last token is computed anew, not in the shared block
    EXPECT_EQ(same.computed, 3);
    EXPECT_EQ(same.copied, 3);
    for (Sequence* s : {&living, &other, &branch, &same}) s->compute(9);
    for (Sequence* s : {&living, &other, &branch, &same}) s->check();
    for (Sequence* s : {&living, &other, &branch, &same}) s->end();
    EXPECT_EQ(memory.blocks.available(), 8);
    EXPECT_EQ(memory.blocks.cached_tokens(), 13);  // abcd, ef -> efxy, abxy, z; the second abcd is not kept
}

TEST(KvBlocks, SaltsShareNothing) {
    Memory memory(4);
    Sequence first(memory, letters("abcdef"), "one");
    first.compute(6);
    EXPECT_EQ(Sequence(memory, letters("abcdef"), "two").computed, 0);
}

TEST(KvBlocks, WhatIsCachedGoesWhenItsRoomIsNeededTheEndFirst) {
    Memory memory(3);
    Sequence first(memory, letters("abcdefgh"));
    first.compute(8);
    first.end();
    EXPECT_EQ(memory.blocks.available(), 3);
    const auto one = memory.blocks.take(), two = memory.blocks.take();  // the empty one, then the chain's end
    EXPECT_NE(one, first.table[0]);
    EXPECT_NE(one, first.table[1]);
    EXPECT_EQ(two, first.table[1]);
    Sequence again(memory, letters("abcdefgh"));
    EXPECT_EQ(again.computed, 4);
    EXPECT_EQ(memory.blocks.take(), -1);
}

TEST(KvBlocks, MisuseIsRefused) {
    KvBlocks blocks(2, kTokens);
    const std::vector<std::int32_t> table{blocks.take()};
    const BlockKey root = root_key(1, "");
    EXPECT_THROW(blocks.fill(table[0], root, {}), std::logic_error);
    EXPECT_THROW(blocks.fill(table[0], root, letters("abcde")), std::logic_error);
    blocks.fill(table[0], root, letters("abc"));
    EXPECT_THROW(blocks.fill(table[0], root, letters("ab")), std::logic_error);
    EXPECT_THROW(blocks.fill(table[0], root_key(2, ""), letters("abcd")), std::logic_error);
    blocks.fill(table[0], root, letters("abcd"));
    std::vector<std::int32_t> shared;
    EXPECT_EQ(blocks.hold_prefix(root, letters("abcd"), shared).tail_tokens, 0);
    EXPECT_THROW(blocks.fill(table[0], root, letters("abcd")), std::logic_error) << "two hold it";
    blocks.release(shared);
    blocks.release(table);
    EXPECT_THROW(blocks.release(table), std::logic_error);
    EXPECT_THROW(blocks.fill(table[0], root, letters("abcd")), std::logic_error);
}

// Many sequences over a pool of any size: what each has computed stays its own, and with room for
// everything the longest beginning that was ever computed is found.
TEST(KvBlocks, RandomUseKeepsEverySequenceWholeAndFindsTheLongestPrefix) {
    for (const int size : {12, 24, 4000}) {
        std::mt19937 random(7);
        Memory memory(size);
        std::vector<std::unique_ptr<Sequence>> living;
        std::vector<std::string> ever;  // computed texts
        const auto end = [&](std::size_t i) {
            ever.push_back(living[i]->text(living[i]->computed));
            living[i]->end();
            living.erase(living.begin() + std::ptrdiff_t(i));
        };
        for (int round = 0; round < 4000; ++round) {
            const auto pick = living.empty() ? 0 : random() % living.size();
            if (living.size() < 5 && random() % 3 == 0) {
                Tokens prompt;
                if (!ever.empty() && random() % 2) {
                    const auto& old = ever[random() % ever.size()];
                    prompt.assign(old.begin(), old.begin() + std::ptrdiff_t(random() % (old.size() + 1)));
                }
                for (int i = 1 + int(random() % 6); i > 0; --i) prompt.push_back('a' + int(random() % 2));
                if (prompt.size() > 40) continue;
                int longest = 0;
                const std::string wanted(prompt.begin(), prompt.end() - 1);
                for (const auto& text : ever) longest = std::max(longest, common(wanted, text));
                for (const auto& s : living) longest = std::max(longest, common(wanted, s->text(s->computed)));
                living.push_back(std::make_unique<Sequence>(memory, prompt));
                ASSERT_LE(living.back()->computed, longest);
                if (size == 4000) {
                    ASSERT_EQ(living.back()->computed, longest) << wanted;
                }
            } else if (!living.empty() && random() % 4) {
                Sequence& s = *living[pick];
                if (s.computed == int(s.tokens.size())) s.tokens.push_back('a' + int(random() % 2));
                if (!s.compute(1 + int(random() % 5))) end(pick);
            } else if (!living.empty()) {
                end(pick);
            }
            std::vector<std::int32_t> held;
            for (const auto& s : living) {
                s->check();
                held.insert(held.end(), s->table.begin(), s->table.end());
            }
            if (HasFatalFailure()) return;
            std::ranges::sort(held);
            held.erase(std::unique(held.begin(), held.end()), held.end());
            ASSERT_EQ(memory.blocks.held(), int(held.size()));
            ASSERT_EQ(memory.blocks.available(), size - int(held.size()));
        }
        while (!living.empty()) end(0);
        EXPECT_EQ(memory.blocks.held(), 0);
        EXPECT_LE(memory.blocks.cached_tokens(), std::int64_t(size) * kTokens);
    }
}
