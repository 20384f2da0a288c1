#include "agents/phases/phases.h"

namespace agents::phases {

net::Task<base::Result<Phase>> arbiter(Turn& turn, PhaseContext& context) {
    const auto& shared = context.layout.shared;
    router::AdmissionInput input;
    input.text = turn.request;
    input.history_messages = int(shared.size());
    input.has_client_tools = !context.frame.client_tools.empty();
    router::Admission admission = router::admit(input);
    turn.execution = admission.execution;
    turn.reasons = std::move(admission.reasons);
    if (context.frame.execution) {
        turn.execution = *context.frame.execution;
        turn.reasons.push_back("the client asked for this class");
    }
    turn.outside = admission.outside;
    turn.needs_tools = admission.names_file;
    // Whether a tool that is named and not to be had here is asked for is for intake to say.
    if (!foreign_tools(turn, context).empty()) {
        if (turn.execution == router::ExecutionClass::fast) turn.execution = router::ExecutionClass::normal;
        turn.reasons.push_back("names a tool of another scope");
    }
    turn.goal = turn.request;
    turn.resumes_client = shared.back().role == router::MessageRole::tool;
    if (turn.resumes_client && turn.execution == router::ExecutionClass::fast) turn.execution = router::ExecutionClass::normal;
    co_return after_arbiter(turn);
}

}  // namespace agents::phases
