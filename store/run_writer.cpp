#include "store/run_writer.h"

namespace store {

net::Task<base::StepId> RunWriter::begin(StepIntent intent) {
    intent.run = run_;
    intent.epoch = epoch_;
    const auto write = [&](Tx& tx) { return write_intent(tx, intent); };
    co_return co_await commit(write);
}

net::Task<void> RunWriter::end(StepIntent intent, base::StepId step, std::string state, base::Json outcome) {
    intent.run = run_;
    intent.epoch = epoch_;
    const bool waits = intent.effect == "pure";
    auto write = [intent = std::move(intent), step, state = std::move(state), outcome = std::move(outcome)](Tx& tx) {
        write_outcome(tx, intent, step, state, outcome);
    };
    if (waits)
        defer(std::move(write));
    else
        co_await commit(write);
}

net::Task<void> RunWriter::finish(std::string final_state, std::string error, base::Json usage, base::Json turn) {
    turn_.reset();
    const auto write = [&](Tx& tx) { finish_run(tx, run_, epoch_, final_state, error, usage, turn); };
    co_await commit(write);
}

}  // namespace store
