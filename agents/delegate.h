// One agent asks another within its run: a loop of its own on a task and nothing else, whose steps are the run's.
//
// The asked agent sees its prompts and the task, never the history of who asks (PIP-15), has its row's menu and scope, asks
// nobody in turn, and writes at most what its row allows and the run has left. Nothing that it writes is shown to the person.
// The keys of its steps begin with the id of the call that asks, so that a run that is taken over finds them again.
#pragma once

#include "agents/frame.h"
#include "agents/run_agent.h"
#include "tools/ports.h"

namespace agents {

class Asking final : public tools::Delegates {
public:
    // Of one loop of `frame`'s agent; both outlive it.
    Asking(Frame& frame, const AgentTask& task) : frame_(frame), task_(task) {}
    // What it found, or as far as it came; Error{not_found} of a call that names no agent.
    net::Task<base::Result<tools::ToolOutput>> ask(base::Json arguments, tools::ToolContext& context) override;

private:
    Frame& frame_;
    const AgentTask& task_;
};

// What a call that asked an agent adds to the run's sums, whether it was made now or before the run was taken over.
void add_asked(Sums& sums, const base::Json& facts);

}  // namespace agents
