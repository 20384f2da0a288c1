// A smaller model of the same vocabulary that guesses for a larger one. Its cache follows the same tokens, in blocks of its own: what
// was guessed right stays in it, what was wrong is written over, and it reads a prompt when there is something to guess behind it.
#pragma once

#include <memory>

#include "engine/drafter.h"

namespace engine {

class DraftModel final : public Drafter {
public:
    // Its runner has as many blocks and sequences as that of the model. See Drafter for the others.
    DraftModel(std::unique_ptr<Runner> runner, int vocabulary, double share);

    void begin(int slot, BlockKey root, std::span<const text::TokenId> prompt) override;
    void end(int slot) override;
    int behind(int slot, std::span<const text::TokenId> tokens) const override;
    int room(int tokens) const override { return own_->model().config.trained_context - tokens; }

    const Model& model() const { return own_->model(); }

private:
    struct Held {
        BlockKey chain;                  // of its whole blocks of right tokens
        std::vector<std::int32_t> table;
        int entered = 0;                 // tokens that are known to be right and in the cache
        int guesses = 0;                 // in the cache behind them
        std::array<text::TokenId, kMostDraft> guessed{};
    };
    static int right(const Held& held, std::span<const text::TokenId> tokens);
    bool prepare(Wanted& wanted) override;
    int compute(std::span<Wanted* const> wanted, int i) override;
    void read(Held& held, const Wanted& wanted, int rows);

    const std::unique_ptr<Runner> own_;
    KvBlocks blocks_;
    std::vector<Held> held_;  // by slot
};

}  // namespace engine
