// Going on with a run whose process went away.
//
// Nothing of a running process is kept. A run is asked once more what it was asked with, at the phase to which its
// Turn came; the same code runs again, and each step whose outcome the ledger has is taken from there instead of being
// made. So the calls of models and tools are those of the run as it would have been without a break.
#pragma once

#include <vector>

#include "agents/session.h"
#include "store/ledger.h"
#include "store/run_inputs.h"

namespace agents {

// A ChatRequest and a Beginning as the run's row keeps them, and back. Not in it: the principal's ids, which other rows
// tell, and the messages of a run that has begun.
base::Json to_json(const ChatRequest& request, const Beginning& beginning);
struct Kept {
    ChatRequest request;
    Beginning beginning;
};
base::Result<Kept> kept_from_json(const base::Json& json);

struct TakenOver {
    ChatRequest request;  // without messages
    Accepted accepted;    // the history up to the message that the run answers
    Turn turn;
    std::vector<store::Step> journal;
    std::vector<store::RunInput> inputs;
    bool stop_asked = false;
    bool begins = false;  // now
    std::chrono::microseconds worked{0};  // by earlier holders
};
// Of a run whose lease the caller holds; one that was only taken in so far begins. Error{conflict} when it has ended meanwhile, or cannot
// begin beside another one; {corrupt} when its rows cannot be read.
base::Result<TakenOver> read_taken_over(store::Tx& tx, const Options& options, base::RunId run);

// The transaction that takes a run in.
base::Result<Submitted> accept_queued(store::Tx& tx, const Options& options, const Submission& submission, base::RunId run, base::ConversationId fresh);
// And the one that begins it.
base::Result<Accepted> begin_queued(store::Tx& tx, const Options& options, const store::Run& run, Kept& kept);

}  // namespace agents
