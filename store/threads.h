// Threads: long-lived lines of work, each over the conversation whose id it has. A child was spawned by a run of another thread, and
// does not outlive that run.
//
// Whoever locks several in one transaction takes conversations (lock_conversation) before runs, conversations from the parent down and
// runs from the children up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/db.h"

namespace store {

// What becomes of a message that comes while a run works in the thread.
enum class Rule {
    queue,      // a run of its own answers it, when the others have ended
    steer,      // the run reads it
    interrupt,  // the runs are stopped, and one of its own answers it
    refuse,     // it is not taken in
};
std::string_view name(Rule rule);
std::optional<Rule> parse_rule(std::string_view text);

struct NewThread {
    Rule rule = Rule::queue;
    std::string label{};
    // Of a child.
    base::RunId parent_run{};
    std::string parent_call{};
    int depth = 0;                       // of a child its parent's and one
    std::optional<int> output_tokens{};  // what it may use
    int threads = 0;                     // how many below it
    std::optional<std::int64_t> seconds{};  // how long it lives
};

struct Thread {
    base::ConversationId id;
    NewThread as;                  // as it was made, but for rule and label
    std::string state;             // running | idle | ended | cancelled
    base::ConversationId parent;   // of a child: the thread of the run that spawned it
    base::RunId works;             // the newest of its runs that have not ended; nil: none
    base::TimePoint created{}, ends{}, ended{};
};

// With its conversation, see create_conversation. A second child of one call fails as DbError unique.
void create_thread(Tx& tx, base::ConversationId id, const NewThread& thread);
// From now on; what is not given stays.
void change_thread(Tx& tx, base::ConversationId id, std::optional<Rule> rule, const std::optional<std::string>& label);
std::optional<Thread> find_thread(Tx& tx, base::ConversationId id);
std::vector<Thread> list_threads(Tx& tx, int limit, base::ConversationId before = {});  // the newest first
// Spawned by its runs, in the order of spawning.
std::vector<Thread> children_of(Tx& tx, base::ConversationId id);
// Spawned by that run, and not ended; in the order of spawning.
std::vector<Thread> open_children(Tx& tx, base::RunId parent);

// What stands in the way of a message to the thread; the newest first. Lock the conversation when the answer must hold.
struct OpenRun {
    base::RunId id;
    bool stopping = false;
};
std::vector<OpenRun> open_runs(Tx& tx, base::ConversationId thread);

// It takes no message any more. `state`: ended | cancelled; the first that is given stands.
void end_thread(Tx& tx, base::ConversationId id, const std::string& state);
// Cancels it: its children and theirs first, then its own runs, also those that nobody has begun (see ask_to_stop). False: there is no such thread of this
// person that has not ended.
bool stop_thread(Tx& tx, base::ConversationId id);
// What that run has spawned and what those have, deepest first.
void stop_children(Tx& tx, base::RunId parent);

// Asks the runs of threads whose time is over to stop. Returns them.
std::vector<base::RunId> stop_expired_threads(Db& db);

}  // namespace store
