// Where guesses at tokens to come are from.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace engine {

// prompt: the sequence's own tokens; head: the model's head for drafting; model: a smaller one.
enum class DraftSource { prompt, head, model };
inline constexpr std::array kDraftSources = {DraftSource::prompt, DraftSource::head, DraftSource::model};
inline constexpr std::array<std::string_view, kDraftSources.size()> kDraftSourceNames = {"prompt", "head", "draft"};

// Of one of them since the load.
struct DraftCount {
    bool there = false;         // the engine has it
    bool off = false;           // it has lost of late, and is tried now and then
    std::uint64_t guessed = 0, accepted = 0;
    double saved_seconds = 0;   // by the measured time of steps without guesses; below 0: it cost more than it gave
};
using DraftCounts = std::array<DraftCount, kDraftSources.size()>;

// Those that are there, such as "prompt, draft"; "off": none is.
std::string names_of(const DraftCounts& counts, std::string_view between);
// Of each that is there, by its name: guessed_tokens, accepted_tokens, saved_ms, off.
base::Json to_json(const DraftCounts& counts);

}  // namespace engine
