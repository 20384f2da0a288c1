// Threads that a run has spawned. Each has one run, with a budget out of its parent's; what came of it is an input of the parent's run
// (store/run_inputs), of no better origin than a tool's result. A run that ends well waits for its children, and none outlives it.
#pragma once

#include "agents/frame.h"
#include "agents/threads.h"
#include "store/run_inputs.h"

namespace agents {

// Whether the run may spawn any at all: else it is not offered the tool.
bool may_spawn(const Frame& frame);
// What the run may still give.
Allowance left_of(const Frame& frame);
// For tools::Ports: grants an order out of that.
std::function<base::Result<tools::SpawnedThread>(tools::ThreadOrder)> spawner_of(Frame& frame, tools::Ports& ports);
// Of a call that has spawned, now or as the journal tells.
void count_spawned(Sums& sums, const tools::CallOutcome& outcome);
// Of a child's report that is read, now or as the journal tells.
void count_report(Sums& sums, const store::RunInput& report);

// Returns when something can be read, or no child is left, or the run is told to end; then the Turn says so. Children whose run was
// given up are reported.
net::Task<void> await_children(Frame& frame, Turn& turn);
// Ends those that are left, in a transaction of its own.
net::Task<void> end_children(Frame& frame);
// Of a child, in the transaction that ends its run: its thread ends, and its parent hears what came of it.
void report_end(store::Tx& tx, Frame& frame, const Turn& turn);

// What a child's report is to its parent.
std::string report_of(base::ConversationId thread, const std::string& task, const std::string& state, const std::string& error, const std::string& answer);

}  // namespace agents
