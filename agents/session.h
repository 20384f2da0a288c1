// A run's dealings with the conversation: taking the input in, reading the history, writing the
// answer, opening the folder.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/frame.h"
#include "agents/transcript.h"
#include "agents/turn.h"
#include "store/runs.h"

namespace agents {

struct History {
    std::vector<store::StoredMessage> messages;
    WorkOfRuns work;
};

// What a turn begins with.
struct Opening {
    std::map<std::string, store::Prompt> prompts;
    History history;
};

struct Accepted {
    base::RunId busy;        // the run that works in the conversation now: nothing was taken in
    base::ConversationId conversation;
    std::string workspace;   // the conversation's own, if it has one
    base::Result<Opening> opening = Opening{};  // an error is the run's, whose input is taken in all the same
};

// The messages in the one shape in which they are stored, whichever of OpenAI's the client wrote. Or
// what is wrong with them: none at all, one that is no message, a last one that nobody expects an answer to.
base::Result<std::vector<base::Json>> checked_messages(const std::vector<base::Json>& messages);

// In one transaction: the conversation (`fresh` when the request names none), the new messages, the
// run that `lease` is of; and what its turn begins with is read. Nothing while another run works in the conversation.
base::Result<Accepted> accept_input(store::Tx& tx, const ChatRequest& request, base::ConversationId fresh, const store::RunLease& lease);

// Appends the turn's answer to the conversation, with the run's next write; nothing when there is neither text nor call.
void append_answer(Frame& frame, const Turn& turn);

// The folder of a turn; see ChatRequest::workspace for the order. Blocking.
base::Result<std::shared_ptr<sandbox::Workspace>> open_workspace(const Options& options, const ChatRequest& request,
                                                                 const Accepted& accepted, policy::Scope scope);

}  // namespace agents
