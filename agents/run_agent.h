// The one loop: ask the model, execute all calls that it makes, give it the results, ask again,
// bounded in rounds, tokens and time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/frame.h"

namespace agents {

// The pseudo-tool by which a guided model says that it needs no other. Never dispatched.
inline constexpr const char* kAnswerTool = "answer";

struct AgentTask {
    std::string alias, purpose;
    std::vector<router::Message> prefix;    // system, examples, history, and the request last
    std::vector<router::Message> plain;     // the same with examples of answers alone and no word of calls: what a guided model answers from
                                            // that chose to call none
    router::ToolMenu tools;                 // what the model is shown
    ToolDiscipline discipline = ToolDiscipline::free;
    bool grammars = false;                  // the model's replies can be held to rules
    router::SamplingRequest sampling;
    int max_tokens = 2048;                  // of one reply: what a small model that goes round in circles may waste
    bool answers = true;                    // false: it only gathers; another step writes the answer
    bool aside = false;                     // an agent asked for it: the person reads nothing of the answer
    bool likely_needs_tools = true;         // the request hints at what only tools can tell (router/admission)
    policy::Integrity label = policy::Integrity::trusted;  // of the turn so far
    std::optional<router::ToolCall> call;   // all that is to be done: it is made, and no model is asked
    base::StopToken stop;
    base::SpanId parent;
};

enum class LoopEnd { answered, client_calls, out_of_rounds, out_of_tokens, out_of_context, deadline, cancelled, no_backend, failed };

struct LoopResult {
    LoopEnd end = LoopEnd::failed;
    std::vector<router::Message> work;  // calls and results, in order, without the last answer
    std::string text, reasoning;        // the last reply's, as the person read it
    base::Json facts;                   // of the last call
    std::string told;                   // what the last calls came to, in words of ours; empty: there were none
    std::vector<CheckedClaim> claims;
    std::vector<router::ToolCall> client_calls;
    policy::Integrity label = policy::Integrity::trusted;  // of the turn now
    router::FinishReason finish = router::FinishReason::stop;
    base::Error error{};                // message empty when answered
};

net::Task<LoopResult> run_agent(Frame& frame, AgentTask task);

// The loop's end as a run's final state.
std::string final_state(LoopEnd end);
LoopEnd end_of(const base::Error& error);

// The tools of a scope as the model reads them, the client's after ours, and for a guided model the
// answer tool last.
router::ToolMenu tool_menu(const Frame& frame, ToolDiscipline discipline, const std::string& answer_purpose, const std::string& request);

// Whether the words name one of the person's collections.
bool names_collection(const Frame& frame, const std::string& request);

// Untrusted as soon as a message of the list is.
policy::Integrity label_of(const std::vector<router::Message>& messages);

}  // namespace agents
