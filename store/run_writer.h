// What one run writes down. An outcome that may be lost with the process, since its step would only run
// again, waits for the next write that may not: one transaction less to wait for.
//
// What the trace tells of a step is written with its outcome, so that it is there exactly when that is.
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
#include "store/conversations.h"
#include "store/ledger.h"
#include "store/run_events.h"
#include "store/runs.h"
#include "store/traces.h"

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

// Thrown inside a transaction whose step is not to begin, or to end so, after all: nothing of it is written, and what waited for it goes on waiting.
struct Overtaken : std::runtime_error {
    explicit Overtaken(const std::string& what = "what was decided by has changed") : std::runtime_error(what) {}
};

// For one coroutine at a time. Every write is fenced by the run's epoch. Once `left` stops, nothing is begun any more,
// no outcome of a step that can run again is written, and the run does not end: RunLeft instead.
class RunWriter final : public base::SpanSink {
public:
    // `traces` hears of the spans that are written, and gets what a transaction held that the database refused.
    RunWriter(Db& db, const Identity& who, base::RunId run, std::int64_t epoch, std::vector<Step> journal = {}, base::StopToken left = {}, TraceSink* traces = nullptr);

    const Identity& who() const { return who_; }
    base::RunId run() const { return run_; }
    std::int64_t epoch() const { return epoch_; }
    bool left() const { return left_.stopped(); }
    const base::Redactor& redactor() const { return db_.redactor(); }

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

    // With the next transaction, after what is deferred.
    void emit(base::Span span) override { waiting_.records.push_back(std::move(span)); }
    void emit(TelemetryEvent event) { waiting_.records.push_back(std::move(event)); }
    void emit(ModelCall call) { waiting_.records.push_back(std::move(call)); }
    // With the next transaction, in the order of coming; `write` owns what it writes.
    void defer(std::function<void(Tx&)> write) { waiting_.writes.push_back(std::move(write)); }
    // Before all that is deferred: the lock of the conversation, which comes before the run's (store/threads.h), taken once however often it is asked for.
    void lock_first(base::ConversationId conversation) { waiting_.lock = conversation; }
    // The same; of several Turns the last.
    void defer_turn(base::Json turn) { waiting_.turn = std::move(turn); }

    // When it returns, the intent is committed, and with it all that was deferred; that of a recorded step was so
    // before. Run and epoch of the intent are filled in, as in end().
    net::Task<base::StepId> begin(StepIntent intent);
    // The same where `still`, asked in its transaction, says so; else nothing: what waits goes on waiting.
    net::Task<std::optional<base::StepId>> begin_if(StepIntent intent, std::function<bool(Tx&)> still);
    // A person's word on a call that needs one. Where it is still to come the run rests, committed, and RunRests is thrown; after a stop RunStopped. One
    // that was granted is used up by the step that begins next. Error{conflict}: the call has other arguments than those asked about.
    net::Task<base::Result<Approval>> ask(ApprovalRequest request);
    // The outcome: at once, but of a pure or idempotent step with the next transaction.
    net::Task<void> end(StepIntent intent, base::StepId step, std::string state, base::Json outcome);
    // The same at once, behind what `with_it` writes and emits; where that throws Overtaken, the step has not ended and may do so in another way.
    net::Task<void> end_with(StepIntent intent, base::StepId step, std::string state, base::Json outcome, std::function<void(Tx&)> with_it);
    // The run's end, with the Turn as it is then, and what `with_it` writes. False: it does not end, since `goes_on` has found more
    // to do and written what that needs, in the same transaction; meanwhile nobody can add anything to the run.
    net::Task<bool> finish(std::string final_state, std::string error, base::Json usage, base::Json turn, std::function<bool(Tx&)> goes_on = {},
                           std::function<void(Tx&)> with_it = {});

private:
    // What waits for the next transaction.
    struct Waiting {
        base::ConversationId lock;  // nil: none
        std::vector<std::function<void(Tx&)>> writes;
        std::vector<TraceRecord> records;
        std::optional<base::Json> turn;
    };

    // What waits and `last`, in one transaction. When that fails, what waited is gone with it, unless it failed because of a stop.
    template <class F>
    net::Task<std::invoke_result_t<F&, Tx&>> commit(F& last) {
        Waiting waiting = std::exchange(waiting_, {});
        std::vector<base::Span> spans;
        std::optional<ChainEnd> end = std::exchange(chain_, std::nullopt);  // after a failure it has to be looked up
        auto all = [&](Tx& tx) {
            if (!waiting.lock.is_nil()) lock_conversation(tx, waiting.lock);
            for (const auto& write : waiting.writes) write(tx);
            spans = write_records(tx, run_, waiting.records, end);
            if (waiting.turn) save_turn(tx, run_, epoch_, *waiting.turn);
            auto out = last(tx);
            // What `last` itself has emitted.
            std::vector<TraceRecord> more = std::exchange(waiting_.records, {});
            for (auto& span : write_records(tx, run_, more, end)) spans.push_back(std::move(span));
            for (auto& record : more) waiting.records.push_back(std::move(record));
            if (telling_) telling_->write(tx);
            return out;
        };
        try {
            auto out = co_await db_.run(who_, all);
            if (committed(out)) tell(std::move(spans), std::move(end));
            co_return out;
        } catch (const Overtaken&) {
            waiting_ = std::move(waiting);
            throw;
        } catch (const DbError& e) {
            failed(e, std::move(waiting));
        }
    }
    template <class T>
    static bool committed(const T&) { return true; }
    template <class T>
    static bool committed(const base::Result<T>& result) { return result.ok(); }
    void note_end(StepIntent& intent, const std::string& state, const base::Json& outcome);
    void tell(std::vector<base::Span> written, std::optional<ChainEnd> end);
    [[noreturn]] void failed(const DbError& e, Waiting waiting);

    Db& db_;
    Identity who_;
    base::RunId run_;
    std::int64_t epoch_;
    std::map<std::string, Step> journal_;  // by effect key
    std::vector<std::string> diverged_;
    Waiting waiting_;
    std::optional<ChainEnd> chain_;
    bool alone_ = true;  // nobody else adds to the chain
    bool got_on_ = true;  // since the run was taken over
    base::StopToken left_;
    std::shared_ptr<RunTelling> telling_;
    TraceSink* traces_;
};

}  // namespace store
