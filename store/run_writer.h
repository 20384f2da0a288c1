// What one run writes down. An outcome that may be lost with the process, since its step would only run
// again, waits for the next write that may not: one transaction less to wait for.
//
// Of a run that was taken over it also knows the journal: its steps as they were then. Whoever runs the same
// code again asks for each step whether it is recorded, before it is begun.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/stop.h"
#include "store/approvals.h"
#include "store/ledger.h"
#include "store/run_events.h"
#include "store/runs.h"

namespace store {

// Thrown when a run is left as it is, to be gone on with from its journal.
struct RunLeft : std::runtime_error {
    RunLeft() : std::runtime_error("the run was left, to be taken up again") {}
};

// Thrown when a run comes to rest: it waits for a person's word on `approval`, and goes on from its journal when that is there.
struct RunRests : std::runtime_error {
    explicit RunRests(Approval asked) : std::runtime_error("the run waits for a person's word"), approval(std::move(asked)) {}
    Approval approval;
};

// Thrown where a step would begin after a stop was asked for, by whomever and in whichever process.
struct RunStopped : std::runtime_error {
    RunStopped() : std::runtime_error("the run was stopped") {}
};

// For one coroutine at a time. Every write is fenced by the run's epoch. Once `left` stops, nothing is begun any more,
// no outcome of a step that can run again is written, and the run does not end: RunLeft instead.
class RunWriter {
public:
    RunWriter(Db& db, const Identity& who, base::RunId run, std::int64_t epoch, std::vector<Step> journal = {}, base::StopToken left = {});

    const Identity& who() const { return who_; }
    base::RunId run() const { return run_; }
    std::int64_t epoch() const { return epoch_; }

    // The step as the journal has it; null when it was not begun.
    const Step* recorded(const std::string& effect_key) const;
    // Whether the recorded step is what would be done now. Where it is not, the step counts as it is recorded, and
    // its key is kept in diverged().
    bool agrees(const Step& recorded, const StepIntent& intent);
    const std::vector<std::string>& diverged() const { return diverged_; }
    // What the run tells is written with whatever is written.
    void tell_by(std::shared_ptr<RunTelling> telling) { telling_ = std::move(telling); }
    // The recorded steps that may take effect only once and have no outcome, also not from this writer.
    std::vector<const Step*> in_doubt() const;

    // With the next transaction, in the order of coming; `write` owns what it writes.
    void defer(std::function<void(Tx&)> write) { deferred_.push_back(std::move(write)); }
    // The same; of several Turns the last.
    void defer_turn(base::Json turn) { turn_ = std::move(turn); }

    // When it returns, the intent is committed, and with it all that was deferred; that of a recorded step was so
    // before. Run and epoch of the intent are filled in, as in end().
    net::Task<base::StepId> begin(StepIntent intent);
    // A person's word on a call that needs one. Where it is still to come the run rests, committed, and RunRests is thrown. One
    // that was granted is used up by the step that begins next. Error{conflict}: the call has other arguments than those asked about.
    net::Task<base::Result<Approval>> ask(ApprovalRequest request);
    // The outcome: at once, but of a pure step with the next transaction.
    net::Task<void> end(StepIntent intent, base::StepId step, std::string state, base::Json outcome);
    // The run's end, with the Turn as it is then, and what `with_it` writes. False: it does not end, since `goes_on` has found more
    // to do and written what that needs, in the same transaction; meanwhile nobody can add anything to the run.
    net::Task<bool> finish(std::string final_state, std::string error, base::Json usage, base::Json turn, std::function<bool(Tx&)> goes_on = {},
                           std::function<void(Tx&)> with_it = {});

private:
    // What was deferred and `last`, in one transaction. When that fails, what was deferred is gone with it.
    template <class F>
    net::Task<std::invoke_result_t<F&, Tx&>> commit(F& last) {
        const auto deferred = std::exchange(deferred_, {});
        const auto turn = std::exchange(turn_, {});
        auto all = [&](Tx& tx) {
            for (const auto& write : deferred) write(tx);
            if (turn) save_turn(tx, run_, epoch_, *turn);
            auto out = last(tx);
            if (telling_) telling_->write(tx);
            return out;
        };
        auto out = co_await db_.run(who_, all);
        if (telling_ && committed(out)) telling_->written();
        co_return out;
    }
    template <class T>
    static bool committed(const T&) { return true; }
    template <class T>
    static bool committed(const base::Result<T>& result) { return result.ok(); }

    Db& db_;
    Identity who_;
    base::RunId run_;
    std::int64_t epoch_;
    std::map<std::string, Step> journal_;  // by effect key
    std::vector<std::string> diverged_;
    std::vector<std::function<void(Tx&)>> deferred_;
    std::optional<base::Json> turn_;
    bool got_on_ = true;  // since the run was taken over
    base::StopToken left_;
    std::shared_ptr<RunTelling> telling_;
};

}  // namespace store
