// One message of a person going through the phases: the working state, stored after each step, so
// that a run can be explained and taken up at its cursor.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/reply/claims.h"
#include "agents/errand.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "router/admission.h"
#include "policy/types.h"
#include "router/types.h"
#include "store/run_events.h"

namespace agents {

enum class Phase { arbiter, intake, retrieve, copilot, thinking, recompose, write_memory, done };
std::string_view name(Phase phase);
std::optional<Phase> parse_phase(std::string_view text);

std::optional<router::ExecutionClass> parse_class(std::string_view text);

// The run's sums so far. The keys of its effects are made of the numbers of steps and calls.
struct Sums {
    router::Usage usage;
    int model_steps = 0, calls = 0;
    int tools_used = 0;                        // executed calls
    int refused_calls = 0;
    int carved_tokens = 0, threads = 0;        // given to threads that it has spawned, and to those that they may
    std::vector<reply::Deed> deeds;            // what its calls came to
    std::vector<std::string> in_doubt;         // effects of which nobody knows whether they took place: tool and arguments
    std::string model;                         // that answered last
};

// A claim of something that no step had done, and what became of it.
struct CheckedClaim {
    std::string sentence, action;
    std::string outcome;  // asked: the model was asked once more; then done: a step did it, withdrawn, or corrected by us
    bool operator==(const CheckedClaim&) const = default;
};

// Who set the class of a turn, and why.
struct ClassChange {
    std::string who;  // admission | client | intake | setting | escalation | mathcore
    std::string why;
    router::ExecutionClass to = router::ExecutionClass::normal;
};

struct Turn {
    Phase phase = Phase::arbiter;              // the next to run
    base::SpanId span;                         // its own, so that what hangs from it does so whoever runs it
    Sums sums;                                 // as they are when it begins
    int first_step = 0;                        // of the model's, in this turn
    store::EventId told;                       // the last event that whoever goes on with the run does not tell again
    std::string request;                       // the person's words
    bool resumes_client = false;               // the request is the results of the client's tools
    router::ExecutionClass execution = router::ExecutionClass::normal;
    std::vector<ClassChange> changes;          // of the class, in order
    std::vector<std::string> reasons;          // why that class
    base::Json depth;                          // what was decided of its thinking, and by which costs (agents/depth.h); null: nothing yet
    bool outside = false;                      // the words hint at files, memory, time or actions
    std::string goal, machine = "talk";        // intake's
    bool needs_tools = false;
    std::optional<Errand> errand;                  // what the request asks for in plain words and asks for alone: no model is asked
    std::vector<std::string> facts;            // recalled
    int best_fact = -1;                        // which of them answers best, of those that a person has told and that hold; -1: none
    base::Json sources = base::Json::array();  // of each of them: where it is from, and why it was recalled
    policy::Integrity label = policy::Integrity::trusted;  // of all that the models were shown so far, in earlier turns of the conversation too
    std::vector<router::Message> work;         // copilot's calls and results
    std::string confirmation;                  // what the last calls came to, in words of ours
    std::vector<CheckedClaim> claims;
    bool asked_language = false;               // the reply began in another language than the request's, and was asked for anew
    std::string thoughts;
    std::string answer;
    bool retells = false;                      // the answer only tells what is remembered and where it is from
    std::string state = "answered";            // the run's final state, if it ended now
    std::string error;
    base::Code code = base::Code::internal;    // of the error
    std::string reasoning;                     // with the answer
    std::vector<router::ToolCall> client_calls;
    router::FinishReason finish = router::FinishReason::stop;
};

// With a reason for the trace; nothing where the turn has that class already.
void set_class(Turn& turn, const std::string& who, router::ExecutionClass to, const std::string& why);
base::Json to_json(const ClassChange& change);
base::Json sums_to_json(const Sums& sums);
Sums sums_from_json(const base::Json& json);

base::Json to_json(const Turn& turn);
base::Result<Turn> turn_from_json(const base::Json& json);

}  // namespace agents
