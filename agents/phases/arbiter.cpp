#include "agents/depth.h"
#include "agents/phases/phases.h"
#include "agents/provenance.h"
#include "agents/run_agent.h"

namespace agents::phases {
namespace {

std::string joined(const std::vector<std::string>& reasons) {
    std::string out;
    for (const std::string& reason : reasons) out += (out.empty() ? "" : "; ") + reason;
    return out;
}

router::ExecutionClass least_class(const std::string& effort) {
    return effort == "heavy" ? router::ExecutionClass::heavy : effort == "normal" ? router::ExecutionClass::normal : router::ExecutionClass::fast;
}

}  // namespace

net::Task<base::Result<Phase>> arbiter(Turn& turn, PhaseContext& context) {
    const auto& shared = context.layout.shared;
    router::AdmissionInput input;
    input.text = turn.request;
    input.history_messages = int(shared.size());
    input.has_client_tools = !context.frame.client_tools.empty();
    router::Admission admission = router::admit(input);
    turn.reasons = std::move(admission.reasons);
    set_class(turn, "admission", admission.execution, joined(turn.reasons));
    if (context.frame.execution) {
        constexpr const char* asked = "the client asked for this class";
        set_class(turn, "client", *context.frame.execution, asked);
        turn.reasons.push_back(asked);
    }
    turn.outside = admission.outside;
    turn.needs_tools = admission.names_file;
    if (const auto least = least_class(context.frame.effort); least > turn.execution)
        set_class(turn, "setting", least, "the person's effort is " + context.frame.effort);
    if (names_collection(context.frame, turn.request)) {
        turn.outside = turn.needs_tools = true;
        turn.reasons.push_back("names a collection");
        if (turn.execution == router::ExecutionClass::fast) set_class(turn, "admission", router::ExecutionClass::normal, turn.reasons.back());
    }
    // Whether a tool that is named and not to be had here is asked for is for intake to say.
    if (!foreign_tools(turn, context).empty()) {
        turn.reasons.push_back("names a tool of another scope");
        if (turn.execution == router::ExecutionClass::fast) set_class(turn, "admission", router::ExecutionClass::normal, turn.reasons.back());
    }
    turn.errand = plain_errand(turn, context);
    if (turn.errand) {
        turn.reasons.push_back("asks for one thing in plain words");
        if (turn.execution == router::ExecutionClass::fast) set_class(turn, "admission", router::ExecutionClass::normal, turn.reasons.back());
    }
    if (asks_where_from(turn.request)) set_class(turn, "admission", router::ExecutionClass::fast, "asks where the last answer was from, which is written down");
    turn.goal = turn.request;
    turn.resumes_client = shared.back().role == router::MessageRole::tool;
    if (turn.resumes_client && turn.execution == router::ExecutionClass::fast)
        set_class(turn, "admission", router::ExecutionClass::normal, "brings results of the client's tools");
    if (turn.resumes_client) choose_depth(turn, context.frame);  // it passes no intake, which else does
    co_return after_arbiter(turn);
}

}  // namespace agents::phases
