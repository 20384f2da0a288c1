#include "store/run_writer.h"

#include "store/stops.h"

namespace store {
namespace {

constexpr std::chrono::hours kApprovalLifetime{12};

}  // namespace

RunWriter::RunWriter(Db& db, const Identity& who, base::RunId run, std::int64_t epoch, std::vector<Step> journal, base::StopToken left, TraceSink* traces)
    : db_(db), who_(who), run_(run), epoch_(epoch), got_on_(epoch == 1), left_(std::move(left)), traces_(traces) {
    if (epoch == 1) chain_.emplace();
    for (Step& step : journal) {
        std::string key = step.effect_key;
        journal_.emplace(std::move(key), std::move(step));
    }
}

const Step* RunWriter::recorded(const std::string& effect_key) const {
    const auto found = journal_.find(effect_key);
    return found == journal_.end() ? nullptr : &found->second;
}

bool RunWriter::agrees(const Step& recorded, const StepIntent& intent) {
    if (recorded.kind == intent.kind && recorded.name == intent.name && recorded.input == redactor().redacted(intent.input)) return true;  // secrets were taken out of the stored one
    diverged_.push_back(recorded.effect_key);
    return false;
}

std::vector<const Step*> RunWriter::in_doubt() const {
    std::vector<const Step*> out;
    for (const auto& [key, step] : journal_)
        if (step.state == "intent" && step.effect == "at_most_once") out.push_back(&step);
    return out;
}

net::Task<base::StepId> RunWriter::begin(StepIntent intent) {
    if (left_.stopped()) throw RunLeft();
    if (const Step* before = recorded(intent.effect_key)) co_return before->id;
    intent.run = run_;
    intent.epoch = epoch_;
    const auto write = [&](Tx& tx) { return write_intent(tx, intent); };
    co_return co_await commit(write);
}

net::Task<std::optional<base::StepId>> RunWriter::begin_if(StepIntent intent, std::function<bool(Tx&)> still) {
    if (left_.stopped()) throw RunLeft();
    if (const Step* before = recorded(intent.effect_key)) co_return before->id;
    intent.run = run_;
    intent.epoch = epoch_;
    const auto write = [&](Tx& tx) {
        if (!still(tx)) throw Overtaken();
        return write_intent(tx, intent);
    };
    std::optional<base::StepId> begun;
    try {
        begun = co_await commit(write);
    } catch (const Overtaken&) {
    }
    co_return begun;
}

void RunWriter::tell(std::vector<base::Span> written, std::optional<ChainEnd> end) {
    if (telling_) telling_->written();
    if (alone_) chain_ = std::move(end);
    if (!traces_) return;
    for (auto& span : written) traces_->committed(std::move(span));
}

void RunWriter::failed(const DbError& e, Waiting waiting) {
    waiting_.records.clear();  // what the transaction itself would have told
    if (e.condition == kStopAsked) {
        waiting_ = std::move(waiting);
        throw RunStopped();
    }
    // A run that is gone on with makes them again.
    if (traces_ && !interrupts(e)) {
        alone_ = alone_ && waiting.records.empty();
        for (auto& record : waiting.records) traces_->emit(std::move(record));
    }
    throw e;
}

net::Task<base::Result<Approval>> RunWriter::ask(ApprovalRequest request) {
    if (left_.stopped()) throw RunLeft();
    request.run = run_;
    const auto write = [&](Tx& tx) {
        hold_run(tx, run_, epoch_);  // a stop that is asked for meanwhile waits, and finds the run at rest
        refuse_when_stopped(tx, run_);
        auto asked = ask_approval(tx, request, kApprovalLifetime);
        if (asked && asked->state == Approval::State::open) {
            rest_run(tx, run_, epoch_, "waiting_person", "");
            if (telling_) telling_->rests(*asked);
        }
        return asked;
    };
    auto asked = co_await commit(write);
    if (asked && asked->state == Approval::State::open) throw RunRests(*std::move(asked));
    if (asked && asked->state == Approval::State::granted) defer([id = asked->id](Tx& tx) { use_approval(tx, id); });
    co_return asked;
}

void RunWriter::note_end(StepIntent& intent, const std::string& state, const base::Json& outcome) {
    if (left_.stopped() && intent.effect != "at_most_once") throw RunLeft();
    intent.run = run_;
    intent.epoch = epoch_;
    if (!std::exchange(got_on_, true)) defer([run = run_, epoch = epoch_](Tx& tx) { note_progress(tx, run, epoch); });
    if (const auto before = journal_.find(intent.effect_key); before != journal_.end()) {
        before->second.state = state;
        before->second.outcome = outcome;
    }
}

net::Task<void> RunWriter::end(StepIntent intent, base::StepId step, std::string state, base::Json outcome) {
    note_end(intent, state, outcome);
    const bool waits = intent.effect == "pure" || intent.effect == "idempotent";
    auto write = [intent = std::move(intent), step, state = std::move(state), outcome = std::move(outcome)](Tx& tx) {
        write_outcome(tx, intent, step, state, outcome);
        return true;
    };
    if (waits)
        defer(std::move(write));
    else
        co_await commit(write);
}

net::Task<void> RunWriter::end_with(StepIntent intent, base::StepId step, std::string state, base::Json outcome, std::function<void(Tx&)> with_it) {
    note_end(intent, state, outcome);
    const auto write = [&](Tx& tx) {
        with_it(tx);
        write_outcome(tx, intent, step, state, outcome);
        return true;
    };
    co_await commit(write);
}

net::Task<bool> RunWriter::finish(std::string final_state, std::string error, base::Json usage, base::Json turn, std::function<bool(Tx&)> goes_on,
                                  std::function<void(Tx&)> with_it) {
    if (left_.stopped()) throw RunLeft();
    waiting_.turn.reset();
    const auto write = [&](Tx& tx) {
        hold_run(tx, run_, epoch_);  // what is added from now on finds it ended
        if (goes_on && goes_on(tx)) return false;
        if (with_it) with_it(tx);
        if (epoch_ > 1) close_steps(tx, run_, epoch_);
        finish_run(tx, run_, epoch_, final_state, error, usage, turn);
        return true;
    };
    co_return co_await commit(write);
}

}  // namespace store
