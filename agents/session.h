// A run's dealings with the conversation: taking the input in, reading the history, writing the
// answer, opening the folder.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/frame.h"
#include "agents/standing_orders.h"
#include "agents/transcript.h"
#include "agents/turn.h"
#include "store/people.h"
#include "store/runs.h"

namespace agents {

struct History {
    std::vector<store::StoredMessage> messages;
    WorkOfRuns work;
    policy::Integrity label = policy::Integrity::trusted;  // of the last turns, and of the note; a turn's holds for those after it
    AtHand at_hand{};
};

// What a turn begins with.
struct Opening {
    std::map<std::string, store::Prompt> prompts;
    History history;
    store::Person person;
};

// What a run keeps from its beginning, whoever goes on with it.
struct Beginning {
    base::TimePoint at{};
    base::SpanId root;                   // the run's own span
    std::map<std::string, int> prompts;  // their versions
    StandingOrders standing;
    base::AudienceId company{};          // where others read the answer, the group of those who do; nil: they do not, or nobody knows who
    std::string zone{};                  // of the household, as the tz database names it; empty: the machine's own
    std::chrono::milliseconds time_limit{0};  // of all its holders together
};

struct Accepted {
    base::RunId busy;        // the run that works in the conversation now: nothing was taken in
    base::RunId joined;      // the run that works there and reads the message
    std::vector<base::RunId> stopping;  // runs that the message interrupts
    Beginning beginning;
    base::ConversationId conversation;
    std::string workspace;   // the conversation's own, if it has one
    base::Result<Opening> opening = Opening{};  // an error is the run's, whose input is taken in all the same
};

// The messages in the one shape in which they are stored, whichever of OpenAI's the client wrote. Or
// what is wrong with them: none at all, one that is no message, a last one that nobody expects an answer to.
base::Result<std::vector<base::Json>> checked_messages(const std::vector<base::Json>& messages);

// A folder that is stored opens for nobody to whom it would not have been opened by name.
base::Result<void> check_folder(const std::string& stored, const ChatRequest& request);
// A folder of this machine is on no other one, nor are those that we make, unless they are shared.
bool is_pinned(const Options& options, const std::string& workspace);

// The run that the conversation's newest answer is of; nil: there is none.
base::RunId newest_answer(store::Tx& tx, base::ConversationId conversation);

// How many of the request's messages the conversation has already; Error when they do not fit it.
base::Result<std::size_t> fit_messages(store::Tx& tx, const ChatRequest& request, base::ConversationId conversation, bool is_new);
// The new ones of the request's messages into the conversation, as words of `run`, and what the turn begins with into `out`; the last one's id. What
// does not fit the conversation is an Error, and nothing is written.
// The conversation that the request goes on in, which nobody else changes until the transaction ends, or a new one with the id `fresh`: its folder.
base::Result<std::string> enter_conversation(store::Tx& tx, const ChatRequest& request, base::ConversationId fresh);
base::Result<base::MessageId> take_messages(store::Tx& tx, const Options& options, const ChatRequest& request, bool is_new, base::RunId run, Accepted& out);

// In one transaction: the conversation (`fresh` when the request names none), the new messages, the
// run that `lease` is of; and what its turn begins with is read. Nothing while another run works in the conversation.
base::Result<Accepted> accept_input(store::Tx& tx, const Options& options, const ChatRequest& request, base::ConversationId fresh, const store::RunLease& lease);

// The conversation with the work of its last runs; up to the message `until`, unless that is nil.
base::Result<History> read_history(store::Tx& tx, base::ConversationId conversation, base::MessageId until = {});

// Appends the turn's answer to the conversation, with the run's next write; nothing when there is neither text nor call.
// Of effects that are in doubt the answer tells in its last sentence.
void append_answer(Frame& frame, Turn& turn);

// An effect as the person is told of it: tool and arguments, in short.
std::string effect_text(const std::string& tool, const std::string& arguments);

// Which folder it is, whatever its path leads to later.
std::string identity_of(const sandbox::Workspace& folder);

// The folder of a turn; see ChatRequest::workspace for the order. Blocking.
base::Result<std::shared_ptr<sandbox::Workspace>> open_workspace(const Options& options, const ChatRequest& request,
                                                                 const Accepted& accepted, policy::Scope scope);

}  // namespace agents
