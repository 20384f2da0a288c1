// Going on with a run whose process went away.
//
// Nothing of a running process is kept. A run is asked once more what it was asked with, at the phase to which its
// Turn came; the same code runs again, and each step whose outcome the ledger has is taken from there instead of being
// made. So the calls of models and tools are those of the run as it would have been without a break.
#pragma once

#include <vector>

#include "agents/session.h"
#include "store/ledger.h"

namespace agents {

// A ChatRequest and a Beginning as the run's row keeps them, and back. Not in it: messages and principal's
// ids, which other rows tell.
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
    bool stop_asked = false;
};
// Of a run whose lease the caller holds. Error{conflict} when it has ended meanwhile, {corrupt} when its rows cannot be read.
base::Result<TakenOver> read_taken_over(store::Tx& tx, base::RunId run);

}  // namespace agents
