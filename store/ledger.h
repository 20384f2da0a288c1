// The only writer of steps: intent before dispatch, outcome after, both fenced by the run's epoch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct StepIntent {
    base::RunId run;
    std::int64_t epoch = 0;
    std::string kind;            // "model" | "tool"
    std::string name;            // alias or tool
    std::string effect;          // pure | idempotent | transactional | at_most_once
    std::string effect_key;      // tool call id; unique in the run
    base::Json input;            // arguments, or a digest of the prompt
};

struct Step {
    base::StepId id;
    std::int64_t position = 0;
    std::string kind, name, effect, effect_key;
    std::string state;           // intent | done | failed | unknown
    base::Json input, outcome;
    base::TimePoint started{}, finished{};
};

// Throws DbError: serialization when the run is no longer held at this epoch, unique when it has a
// step with this key already. The transaction is then lost, and nothing may be dispatched.
base::StepId write_intent(Tx& tx, const StepIntent& intent);
void write_outcome(Tx& tx, base::StepId step, std::int64_t epoch, const std::string& state, const base::Json& outcome);
std::vector<Step> list_steps(Tx& tx, base::RunId run);

}  // namespace store
