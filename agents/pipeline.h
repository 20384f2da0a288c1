// The household assistant: one message through the phases. The table says what there is, the
// driver does the same for every row: deadline, span, telemetry, stored Turn.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agents/frame.h"
#include "agents/turn.h"

namespace agents {

// What the prompts of a turn begin with: system, history; the last message is the request.
struct Layout {
    std::vector<router::Message> shared;   // of the phases that answer, and of an answer without a call
    std::vector<router::Message> calling;  // of those that call tools: with the worked examples that a small model needs for it,
                                           // and would tell of as if they were true
    router::ToolMenu tools;
    ToolDiscipline discipline = ToolDiscipline::free;
    bool grammars = false;  // the model's replies can be held to rules
};

struct PhaseRow;

struct PhaseContext {
    Frame& frame;
    const Layout& layout;
    const PhaseRow& row;
    base::SpanId span;      // the phase's: parent of its steps
    base::StopToken stop;   // with the phase's deadline
};

using PhaseFunction = net::Task<base::Result<Phase>> (*)(Turn& turn, PhaseContext& context);

struct PhaseRow {
    Phase phase;
    PhaseFunction run;
    std::chrono::milliseconds deadline;
    double temperature;
    int max_tokens;         // of one reply
    const char* prompt;     // its instruction; empty: none
};

const std::vector<PhaseRow>& phase_table();

// Runs `turn` from its cursor to done. What goes wrong is in turn.state and turn.error.
net::Task<void> run_pipeline(Frame& frame, const Layout& layout, Turn& turn);

// Where a turn goes next: pure.
Phase after_arbiter(const Turn& turn);
Phase after_intake(const Turn& turn);
Phase after_retrieve(const Turn& turn);
Phase after_copilot(const Turn& turn);

// Tells the person, in the language of the request, that the time was used up before the answer was whole.
void say_cut(const Frame& frame, Turn& turn);

// How many facts a class of turn recalls.
int recall_window(router::ExecutionClass execution);   // of facts
int section_window(router::ExecutionClass execution);  // of documents
int segment_window(router::ExecutionClass execution);  // of what was said, beside what the prompt holds

// The alias that serves a phase.
std::string alias_of(const Options& options, Phase phase);

}  // namespace agents
