// What people add to a run that has not ended: read by its next model step, or, when that does not come, by a turn of its own.
#pragma once

#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using InputId = base::Id<struct InputTag>;

struct RunInput {
    InputId id;
    std::int64_t position = 0;
    std::string text;
    std::string taken_by;  // the effect key of the model step that first read it, "turn", "history" (see leave_inputs), or "" when nobody did yet
    base::TimePoint sent{};
    std::string via{};     // who sent it; "thread:ID": a child of the run, which tells what came of it
    int unused_tokens = 0; // of such a child: what is left of its part, and is the run's again once it reads this
    bool of_thread() const { return via.starts_with("thread:"); }
};

// Whoever holds the run is told. Error{not_found}: it is not this person's; {conflict}: it has ended, or waits for its client.
base::Result<RunInput> add_input(Tx& tx, base::RunId run, const std::string& text, const std::string& via, int unused_tokens = 0);
std::vector<RunInput> list_inputs(Tx& tx, base::RunId run);
// Those that nobody has read. Of a run that the transaction holds the answer is good until its end.
std::vector<RunInput> untaken_inputs(Tx& tx, base::RunId run);
void take_input(Tx& tx, InputId input, const std::string& taken_by);
// What nobody has read becomes words of the conversation, for its next turn: the run ends without. Lock the conversation first.
void leave_inputs(Tx& tx, base::RunId run);
// What runs of the conversation have not read that wait for their client is for this one, which begins.
void adopt_inputs(Tx& tx, base::ConversationId conversation, base::RunId run);
inline constexpr const char* kTakenByHistory = "history";

}  // namespace store
