// What computes guesses at tokens to come: a smaller model, or the model's own head for drafting. Each is the likeliest token by
// its own arithmetic; what becomes of it is decided by the model, see worker_drafts.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/draft_choice.h"
#include "engine/kv_blocks.h"
#include "engine/runner.h"
#include "text/tokenizer.h"

namespace engine {

// A sequence to guess for, as it is now: every one of its tokens is right.
struct Wanted {
    int slot = 0;
    std::span<const text::TokenId> tokens;
    const std::vector<std::int32_t>* table = nullptr;  // the model's blocks, enough for the guesses too
    int n = 0;                                  // tokens to guess; 0 afterwards: none could be yet
    std::array<text::TokenId, kMostDraft> guessed{};  // out
    int row = 0;                                // of the last pass
};

class Drafter {
public:
    virtual ~Drafter() = default;
    Drafter(const Drafter&) = delete;
    Drafter& operator=(const Drafter&) = delete;

    // A sequence has come, with its prompt, which follows on `root`; `end`: it has gone.
    virtual void begin(int slot, BlockKey root, std::span<const text::TokenId> prompt) = 0;
    virtual void end(int slot) = 0;
    // Rows that have to be computed for the first guess; -1: none can be made.
    virtual int behind(int slot, std::span<const text::TokenId> tokens) const = 0;
    // How many tokens may be guessed behind so many.
    virtual int room(int tokens) const = 0;
    // At most kMostDraftRows guesses in all. Gives the seconds that it took.
    double guess(std::span<Wanted> wanted);

    // Seconds before the first guess, and for each, where so many sequences guess together. `left`: tokens that the sequence may
    // still write, over which a prompt that was not read yet is spread. `target`: what steps of the model take, until its own are known.
    struct Cost {
        double once = 0, each = 0;
    };
    Cost cost(int behind, int together, int left, const StepCost& target) const;

protected:
    // `runner`: whose logits they are. `vocabulary`: ids from there on are not guessed. `share`: of the time of the model's step.
    Drafter(Runner& runner, int vocabulary, double share);
    // Whether a sequence can be guessed for at once.
    virtual bool prepare(Wanted& wanted) = 0;
    // The pass that gives guess i of each: logits i of the runner are those of the i-th. Gives how many rows it had.
    virtual int compute(std::span<Wanted* const> wanted, int i) = 0;

    Runner& runner_;
    std::vector<Runner::Part> parts_;

private:
    text::TokenId likeliest(std::span<const float> logits) const;
    double pass(int rows, const StepCost& target) const;

    const int vocabulary_;
    const double share_;
    std::vector<Wanted*> asked_;
    StepCost passes_;
    int cold_ = 2;  // first passes, which find nothing in the processor's caches, nor perhaps in memory
};

}  // namespace engine
