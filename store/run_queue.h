// Runs that are taken in before anybody works on them: what they are asked waits in their row, and whichever process comes
// first begins them. And runs that begin where another one was.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/ledger.h"
#include "store/runs.h"

namespace store {

struct QueuedRun {
    base::RunId id;
    base::ConversationId conversation;
    std::string alias;
    base::Json request;             // what it is asked and how
    bool pinned = true;             // only this node can begin it
    std::string question;           // the beginning of what it is asked
    base::Json metadata = nullptr;  // the client's own
};
// Those who look for work are told.
void queue_run(Tx& tx, const QueuedRun& run);
// It is asked something else. False: somebody holds it or has begun it.
bool amend_queued(Tx& tx, base::RunId run, const base::Json& request, const std::string& question);
// How many runs of this person nobody has begun.
int queued_runs(Tx& tx);
// The run is begun by who holds it at this epoch: with that input, and works on this node from now on.
void begin_run(Tx& tx, base::RunId id, std::int64_t epoch, base::MessageId input, const base::Json& request, bool pinned);
// A turn of a run that answers more than one message, as it began.
struct RunTurn {
    std::int64_t first_step = 0, first_input = 0;  // the positions of what is its own
    base::MessageId input;
    base::Json turn = base::Json::object();        // of the first none
};
// The run's next turn answers that message, and begins as `turn` says. Fenced.
void answer_next(Tx& tx, base::RunId id, std::int64_t epoch, base::MessageId input, const base::Json& turn);
// In order; none of a run that has but one.
std::vector<RunTurn> list_turns(Tx& tx, base::RunId id);
// Another run that somebody works on in the conversation; nil when there is none. Lock the conversation first.
base::RunId working_beside(Tx& tx, base::ConversationId conversation, base::RunId run);

// The key under which a request was sent, so that sent again it begins nothing; forgotten after kKeyHours.
inline constexpr int kKeyHours = 24;
struct KnownKey {
    base::RunId run;
    bool same = false;  // the request is the one that it came with before
};
// Nothing: the key is new, and stands for `run` from now on. Waits for a transaction that brings the same key.
std::optional<KnownKey> claim_key(Tx& tx, const std::string& key, const std::string& digest, base::RunId run);
// The same without claiming it.
std::optional<KnownKey> find_key(Tx& tx, const std::string& key, const std::string& digest);
// It stands for that run instead.
void move_key(Tx& tx, const std::string& key, base::RunId run);

// A run that begins where `from` was after its step `upto`: with a copy of the conversation up to the message that the turn of that
// step answers, of the steps until then, and of what had been added by then. Nobody holds it.
struct Fork {
    base::RunId id, from;
    base::ConversationId conversation;  // made before
    base::MessageId input;              // the copied one's id
    base::Json request;
    Step upto;
    RunTurn turn;                       // that the step is of; how the fork begins
};
void fork_run(Tx& tx, const Fork& fork);
// A run's ids of calls end in this, and its effect keys with them.
std::string call_mark(base::RunId run);

}  // namespace store
