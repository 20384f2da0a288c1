// What people add to a run while it works. The next model step reads it as the person's words, and those after it do so at the
// same place; what comes when no step follows is answered by a turn of its own, before the run ends.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "agents/session.h"
#include "store/run_inputs.h"

namespace agents {

struct Inputs {
    std::atomic<bool> more{false};  // there may be some that were not read from the store

    // Of the run's coroutine alone.
    struct Place {
        std::string purpose;        // of the step that read it first
        std::size_t at = 0;         // messages before it then
        std::string before;         // the text of the last of them
    };
    struct Known {
        store::RunInput input;
        Place place;
    };
    std::vector<Known> known;
    int first_step = 0;             // the turn's: what earlier ones read is in the history
    policy::Integrity label = policy::Integrity::trusted;  // of what was read: untrusted, once a thread has told something
};

inline constexpr const char* kTakenByTurn = "turn";  // RunInput::taken_by of what was left over

base::Json message_of(const store::RunInput& input);  // as the conversation has it

// Puts into the request what was added until now; what is new is written down with the step's beginning.
net::Task<void> take_inputs(Frame& frame, router::ModelRequest& request, const std::string& step_key);

// In the transaction that would end the run: whether something is left over. The turn that answers it is then begun there.
bool drain_inputs(store::Tx& tx, Frame& frame, Turn& turn, Accepted& accepted);

}  // namespace agents
