// How many tokens to guess: what guesses of a kind have come to, what a step of so many rows takes, and the lengths that
// give most tokens for the time. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace engine {

inline constexpr int kMostDraft = 15;       // tokens guessed of one sequence in a step
inline constexpr int kMostDraftRows = 24;   // of all
inline constexpr int kMostAgain = 4;        // rows of a recurrent model's sequence in a step with guesses: wrong ones leave more to be computed again, which then comes first

// How often a guess behind so many equal tokens was right. Every guess counts, also one that was not tried: what came instead
// says as much.
class Acceptance {
public:
    void saw(int length, bool right);
    // As in the sequence itself; what it has seen little of is as in `all`.
    double chance(int length, const Acceptance& all) const;
    static Acceptance certain();  // of guesses that are always right

private:
    static int kind(int length);
    struct Kind {
        float right = 0, seen = 0;
    };
    std::array<Kind, 6> kinds_{};
};

// Seconds of a step by its rows, as last measured; what was not measured for long lies between its neighbours.
class StepCost {
public:
    static constexpr int kRows = 64;
    void took(int rows, double seconds);
    double of(int rows) const;
    // Whether a step of so many rows was measured lately: what guesses have to beat.
    bool knows(int rows) const { return rows > kRows || fresh(rows, kBase); }

private:
    struct Measured {
        double seconds = 0;
        std::uint64_t at = 0;  // the step; 0: never
    };
    static constexpr std::uint64_t kBase = 64, kFresh = 512;  // steps
    bool fresh(int rows, std::uint64_t steps) const;
    std::array<Measured, kRows + 1> measured_{};
    std::uint64_t steps_ = 0;
};

// A sequence whose next tokens are guessed.
struct Draftable {
    int length = 0;               // equal tokens before the guess; kComputed where it is computed
    int most = 0;                 // tokens that may be guessed
    const Acceptance* own = nullptr;
    const Acceptance* all = nullptr;  // of all sequences, from the same source
    bool replays = false;         // a wrong guess has its sequence's right rows computed again
    double once = 0, each = 0;    // seconds that its source takes before the first guess, and for each
    int least = 0;                // guessed whatever it gives: how good they are is not known otherwise
    int chosen = 0;               // out
};
// Guesses that are computed are as sure as those behind so many equal tokens, until they have been seen.
inline constexpr int kComputed = 9;

// Sets `chosen` of each so that tokens for the time are most, and gives how many that is a second. The step has `rows` without
// guesses and gives `tokens`. Now and then it chooses none, so that the time without guesses stays known; then it gives 0.
double choose_drafts(std::span<Draftable> sequences, int rows, int tokens, const StepCost& cost);

}  // namespace engine
