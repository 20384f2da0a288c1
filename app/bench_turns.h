// Time to the first token where most of a prompt is known: a conversation's next turn, beside the same prompt that is new.
#pragma once

#include <string>
#include <vector>

#include "app/bench.h"

namespace app {

// Seconds until the first token of a prompt of `n` tokens under that salt, which alone finds what was computed under it before.
base::Result<double> first_token(engine::Engine& engine, int n, const std::string& salt, const std::string& adapter = {});

// `added` tokens after `known` ones that are in the prefix cache.
struct Turn {
    int known = 0, added = 0;
};

struct TurnTimes {
    Turn turn;
    std::vector<double> fresh, warm;  // seconds to the first token, by rounds
    double ideal = 0;                 // how many times quicker arithmetic would let it be: operations of all tokens over those of the added ones
    std::vector<double> gains() const;  // fresh over warm of the same round
};

// A chat's second turn; nine tenths of `prefill` known; 256 after 8,192: as far as the context goes.
std::vector<Turn> turns_of(int prefill, int context);
base::Result<std::vector<TurnTimes>> measure_turns(engine::Engine& engine, const std::vector<Turn>& turns, int rounds);

void print_turns(const std::vector<TurnTimes>& turns);
base::Json to_json(const std::vector<TurnTimes>& turns);

}  // namespace app
