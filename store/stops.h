// Stopping a run, whichever process holds it. From the commit on no step of the run begins any more (store/ledger.h).
#pragma once

#include "store/db.h"

namespace store {

// Tells the process that holds it; a run that rests (it waits for a person or a client) ends at once as cancelled. The threads that
// it has spawned, and theirs, before it.
// False when there is no such run of this person that has not ended.
bool ask_to_stop(Tx& tx, base::RunId run);
// The same without its children; its conversation is locked already.
bool stop_alone(Tx& tx, base::RunId run);
bool stop_asked(Tx& tx, base::RunId run);
// In the transaction that begins a step: fails as DbError with the condition kStopAsked when a stop was asked for.
void refuse_when_stopped(Tx& tx, base::RunId run);
inline constexpr const char* kStopAsked = "HS001";

}  // namespace store
