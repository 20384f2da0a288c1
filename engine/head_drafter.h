// The model's own head for drafting as a source of guesses. Its row at a position needs the model's state there and the token
// behind it, so it follows each step of the model; keys and values of its layer lie in the model's blocks.
#pragma once

#include "engine/drafter.h"

namespace engine {

class HeadDrafter final : public Drafter {
public:
    explicit HeadDrafter(Runner& runner, int vocabulary);

    void begin(int slot, BlockKey, std::span<const text::TokenId>) override { end(slot); }
    void end(int slot) override { held_[std::size_t(slot)] = {}; }
    int behind(int slot, std::span<const text::TokenId> tokens) const override;
    int room(int) const override { return kMostDraft; }

    // A sequence after a step: `context`: of its part, whose rows were the step's from `first` on. Reads what it can of them.
    struct Followed {
        int slot = 0;
        std::span<const text::TokenId> tokens;
        const std::int32_t* table = nullptr;
        int context = 0, rows = 0, first = 0;
    };
    void follow(std::span<const Followed> sequences);

private:
    // Everything before `next` is in the cache, or never will be; the state of `next` is kept where it is the last but one token's.
    struct Held {
        int next = 0;
        bool kept = false;
    };
    bool prepare(Wanted& wanted) override { return behind(wanted.slot, wanted.tokens) > 0; }
    int compute(std::span<Wanted* const> wanted, int i) override;
    float* kept(int slot) { return kept_.data() + std::size_t(slot) * width_; }
    float* row(int i) { return rows_.data() + std::size_t(i) * width_; }
    void read(const Followed& sequence, int from, int end);
    void flush();

    const std::size_t width_;
    std::vector<Held> held_;    // by slot
    std::vector<float> kept_;   // (sequences, H)
    std::vector<float> rows_;   // (rows, H): states that a pass reads, and gives
    int used_ = 0;              // of these
};

}  // namespace engine
