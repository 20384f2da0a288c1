// Runs: one execution each. Status is derived from final_state, the lease and the steps.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct Run {
    base::RunId id;
    base::ConversationId conversation;
    base::MessageId input;          // the message that it answers; nil: it has not begun
    std::string question;           // the beginning of its text, at most 300 characters
    std::string alias;              // "hearth", "hearth/dev"
    std::string status;             // queued | running | interrupted | a final state (answered, partial, cancelled, refused, unknown_effect, no_backend, failed) | waiting_person | waiting_client
    std::string error;
    base::Json turn;                // the stored Turn: phase cursor and working state
    base::Json usage;               // summed
    base::TimePoint started{}, finished{};
    base::TimePoint stop_asked{};   // none of its steps begins any more; where it works on, its holder does not answer
    std::int64_t epoch = 0;
    base::Json metadata;            // the client's own; null: none
    base::RunId forked_from;        // nil: of its own
    base::StepId forked_step;
    // It will tell nothing more; also when it waits for its client, whose results begin another run.
    bool ended() const { return finished.time_since_epoch().count() != 0 && status != "waiting_person"; }
};
// SQL: somebody holds the lease of the run that the row at hand is.
extern const char* const kHeldRun;

// A run's lease: a session-level advisory lock on a connection of its own, and the epoch that every
// write of the run is fenced by. Freed by destruction, or by the death of the connection.
class RunLease {
public:
    virtual ~RunLease() = default;
    virtual base::RunId run() const = 0;
    virtual std::int64_t epoch() const = 0;
};
// The lease of a run that is about to be inserted: nobody ever sees its row without a holder, so no
// other process takes it for interrupted.
std::unique_ptr<RunLease> lease_new_run(Db& db, base::RunId id);
// The lease of a run that is there, at the next epoch, which its steps without outcome are of from now on;
// one more attempt. Error{conflict} while another holds it.
base::Result<std::unique_ptr<RunLease>> acquire_lease(Db& db, const Identity& who, base::RunId id);

// What is needed to go on with a run whose process went away.
struct Resumption {
    base::Json request;  // what it was asked with; null: nobody can go on with it
    bool pinned = true;  // only on the node that began it
};
// Inserts the run that `lease` is of; the caller's transaction also inserts the input message (see
// conversations.h).
void create_run(Tx& tx, const RunLease& lease, base::ConversationId conversation, base::MessageId input, const std::string& alias,
                const Resumption& resumption = {});
// What create_run was given; null for a run of which nothing was kept, or that is not there.
base::Json run_request(Tx& tx, base::RunId id);
// How long its earlier holders worked on it, as far as its steps tell.
std::chrono::microseconds time_worked(Tx& tx, base::RunId id);
// The run that works in the conversation now, in whichever process, or waits to be taken up again on this
// node; nil when there is none. Lock the conversation first when the answer must hold.
base::RunId busy_run(Tx& tx, base::ConversationId conversation);

// Runs that nobody holds and that this node can go on with, of whomever, the oldest first; none whose
// conversation another run works in.
struct Interrupted {
    base::RunId run;
    Identity who;
};
std::vector<Interrupted> list_interrupted(Db& db);
std::optional<Run> find_run(Tx& tx, base::RunId id);
std::vector<Run> list_runs(Tx& tx, int limit, std::optional<base::RunId> before);
// Of a conversation, the newest first, at most 100.
std::vector<Run> runs_of(Tx& tx, base::ConversationId conversation);

// What a write of the run says that is fenced off.
std::string not_held(base::RunId id, std::int64_t epoch);
// The fence of what a run writes: the transaction fails (DbError serialization), at the latest at its commit,
// unless the run is held at this epoch and has not ended; until its end nobody else may pass.
void hold_run(Tx& tx, base::RunId id, std::int64_t epoch);
// That the run got on: taking it over counts from one again. Fenced.
void note_progress(Tx& tx, base::RunId id, std::int64_t epoch);
// Stores the Turn at the phase cursor. Fenced, like finish_run.
void save_turn(Tx& tx, base::RunId id, std::int64_t epoch, const base::Json& turn);
// The run waits for somebody and holds nothing meanwhile; its Turn stays as it was last stored. Fenced.
void rest_run(Tx& tx, base::RunId id, std::int64_t epoch, const std::string& resting_state, const std::string& error);
void finish_run(Tx& tx, base::RunId id, std::int64_t epoch, const std::string& final_state, const std::string& error,
                const base::Json& usage, const base::Json& turn);

// Writes the root of the trace of a run that has ended and that no process holds, unless it is there: one that came to rest has it already
// where its client was to go on.
void end_trace(Tx& tx, base::RunId id);

// Ends runs without final state whose lease nobody holds and that nobody can go on with (final state failed,
// error "interrupted …"), each with the root of its trace; their unfinished at_most_once steps become unknown. Returns them.
std::vector<base::RunId> settle_interrupted(Db& db);

}  // namespace store
