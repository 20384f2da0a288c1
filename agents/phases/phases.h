// The phases' functions, one file each. A phase reads the Turn, does one thing, writes the Turn and
// says which phase comes next.
#pragma once

#include "agents/pipeline.h"

namespace agents::phases {

net::Task<base::Result<Phase>> arbiter(Turn& turn, PhaseContext& context);       // how much the request deserves
net::Task<base::Result<Phase>> intake(Turn& turn, PhaseContext& context);        // goal, tools, machine: JSON by grammar
net::Task<base::Result<Phase>> retrieve(Turn& turn, PhaseContext& context);      // facts that answer the request
net::Task<base::Result<Phase>> copilot(Turn& turn, PhaseContext& context);       // tools
net::Task<base::Result<Phase>> thinking(Turn& turn, PhaseContext& context);      // heavy only
net::Task<base::Result<Phase>> recompose(Turn& turn, PhaseContext& context);     // the answer, streamed
net::Task<base::Result<Phase>> write_memory(Turn& turn, PhaseContext& context);  // the answer into the conversation

// A request of the phase: its alias, limits and stop; the shared tools, which it may not call.
router::ModelRequest request_of(const PhaseContext& context, std::vector<router::Message> messages);

// `messages` of the layout, what was recalled, the goal, and the copilot's work: what every phase after
// retrieve extends.
base::Result<std::vector<router::Message>> context_of(std::vector<router::Message> messages, const Turn& turn, const PhaseContext& context);

// What the request asks for in plain words, of a guided model that would promise it and call nothing: it is done without one. Of a scheduled
// run, the reminder that it is. Also the time that was asked for a message ago. Nothing: the request is for the model.
std::optional<Errand> plain_errand(const Turn& turn, const PhaseContext& context);
// Does it, or asks for what is missing, and leaves in turn.confirmation what the person is told.
net::Task<base::Result<Phase>> fulfil(Turn& turn, PhaseContext& context);

// Tools that the request names as whole words and this turn does not have.
std::vector<std::string> foreign_tools(const Turn& turn, const PhaseContext& context);
// Whether one of them is asked for, and the turn refused for it before anything is tried.
net::Task<base::Result<bool>> refuse_foreign_tools(Turn& turn, PhaseContext& context);

}  // namespace agents::phases
