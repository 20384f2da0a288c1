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

// The transaction fails as DbError serialization when the run is no longer held at this epoch, unique when
// it has a step with this key already. Nothing may be dispatched before it has committed.
base::StepId write_intent(Tx& tx, const StepIntent& intent);
// Of the step that `intent` began. Fails as serialization too when it has an outcome already.
void write_outcome(Tx& tx, const StepIntent& intent, base::StepId step, const std::string& state, const base::Json& outcome);
// The end of what a run that was taken over came no more to: at_most_once steps without outcome become unknown, others failed.
void close_steps(Tx& tx, base::RunId run, std::int64_t epoch);
std::vector<Step> list_steps(Tx& tx, base::RunId run);

}  // namespace store
