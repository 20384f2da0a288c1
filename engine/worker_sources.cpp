// The sources of guesses: which of them a sequence is best guessed from, what they are told after a step, and what they have come to.
#include <algorithm>

#include "engine/steady_seconds.h"
#include "engine/worker.h"

namespace engine {
namespace {

constexpr int kIdleTimes = 16;      // times that guesses of a source would not have paid, after which its sequence has none
constexpr double kWorthMemory = 24; // such times that the source's worth is of
constexpr double kOffBelow = 0.25;  // its worth below which it is off
constexpr int kTryAgain = 16;       // sequences of which one tries a source that is off
constexpr int kTrials = 8;          // guesses, one at a time

}  // namespace

Drafter* Worker::drafter(DraftSource source) const {
    switch (source) {
        case DraftSource::prompt: break;
        case DraftSource::head: return head_drafter_.get();
        case DraftSource::model: return draft_model_.get();
    }
    return nullptr;
}

// What is off stays off in most sequences: a guess that is not made costs nothing, but what it would come to is not seen either.
void Worker::begin_guessing(Sequence& s, BlockKey root) {
    for (const DraftSource source : kDraftSources) {
        Drafter* const drafts = drafter(source);
        if (!drafts || !s.guesses) continue;
        auto& own = s.of[std::size_t(source)];
        if (of(source).off && ++of(source).barred % kTryAgain != 0) {
            own.idle = kIdleTimes;
            continue;
        }
        own.trials = of(source).off ? kTrials : 0;
        drafts->begin(s.slot, root, std::span(s.tokens).first(std::size_t(s.prompt)));
    }
}

std::optional<Draftable> Worker::draftable(const Sequence& s, DraftSource source, int together) const {
    const auto& own = s.of[std::size_t(source)];
    Draftable out{.most = s.max_tokens - s.output() - 1, .own = &own.acceptance, .all = &sources_[std::size_t(source)].acceptance, .replays = recurrent()};
    if (source == DraftSource::prompt) {
        if (s.match.length == 0) return std::nullopt;
        out.length = s.match.length;
        return out;
    }
    const Drafter* const drafts = drafter(source);
    if (!drafts || own.idle >= kIdleTimes) return std::nullopt;
    const int behind = drafts->behind(s.slot, s.tokens);
    if (behind < 0) return std::nullopt;
    const auto cost = drafts->cost(behind, together, s.max_tokens - s.output(), cost_);
    out.length = kComputed;
    out.most = std::min(out.most, drafts->room(int(s.tokens.size())));
    out.once = cost.once;
    out.each = cost.each;
    return out;
}

Draftable Worker::best_source(Sequence& s, int rows, int tokens, int together) {
    Draftable best;
    double best_rate = 0;
    s.source = DraftSource::prompt;
    for (const DraftSource source : kDraftSources) {
        auto one = draftable(s, source, together);
        if (!one || one->most <= 0) continue;
        const double rate = choose_drafts({&*one, 1}, rows, tokens, cost_);
        if (drafter(source) && most_.draft_length == 0 && rate > 0) learn(s, source, *one, rows, tokens);
        const bool tries = one->least > 0 && best.chosen == 0;
        if (best.most > 0 && (most_.draft_length > 0 || (rate <= best_rate && !tries))) continue;
        best = *one, best_rate = rate, s.source = source;
    }
    return best;
}

// One that does not pay is tried nevertheless while trials are left, if only it would pay were it always right.
void Worker::learn(Sequence& s, DraftSource source, Draftable& chosen, int rows, int tokens) {
    static const Acceptance certain = Acceptance::certain();
    auto& own = s.of[std::size_t(source)];
    Source& all = of(source);
    const bool pays = chosen.chosen > 0;
    all.worth += ((pays ? 1.0 : 0.0) - all.worth) / kWorthMemory;
    all.off = all.worth < kOffBelow;
    if (own.trials > 0 && !pays) {
        Draftable sure = chosen;
        sure.own = &certain;
        choose_drafts({&sure, 1}, rows, tokens, cost_);
        if (sure.chosen > 0) chosen.least = 1;
        else own.trials = 0;
    }
    own.idle = pays || chosen.least > 0 ? 0 : own.idle + 1;
}

// The head reads what the step has computed, as long as it may guess.
void Worker::follow() {
    if (!head_drafter_) return;
    followed_.clear();
    int first = 0;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        const auto& s = running_[plan_[i].sequence];
        if (s && s->guesses && s->of[std::size_t(DraftSource::head)].idle < kIdleTimes)
            followed_.push_back({s->slot, s->tokens, s->table.data(), parts_[i].context, parts_[i].rows, first});
        first += parts_[i].rows;
    }
    const double began = steady_seconds();
    head_drafter_->follow(followed_);
    of(DraftSource::head).step_seconds += steady_seconds() - began;
}

// `rows`: of the step, of `tokens` sequences; `decoded`: and no prompt or forced text went with it.
void Worker::account(int rows, int tokens, bool decoded, double seconds) {
    int guessed = 0;
    for (Source& source : sources_) {
        guessed += source.step_guessed;
        seconds -= source.step_seconds;
    }
    // What the step would have taken without guesses, for as many tokens as it has sequences.
    const double plain = decoded && cost_.knows(tokens) ? cost_.of(rows - guessed) : 0, more = plain > 0 ? seconds - plain : 0;
    for (Source& source : sources_) {
        const double share = guessed > 0 ? double(source.step_guessed) / guessed : 0;
        source.saved = source.saved + source.step_accepted * plain / std::max(1, tokens) - share * more - source.step_seconds;
        source.step_guessed = source.step_accepted = 0;
        source.step_seconds = 0;
    }
    if (decoded) cost_.took(rows, seconds);
}

DraftCounts Worker::draft_counts() const {
    DraftCounts out;
    for (const DraftSource source : kDraftSources) {
        const Source& from = sources_[std::size_t(source)];
        const bool there = source == DraftSource::prompt ? most_.lookups && runner_->shape().drafts > 0 : drafter(source) != nullptr;
        out[std::size_t(source)] = {there, from.off, from.guessed, from.accepted, from.saved};
    }
    return out;
}

}  // namespace engine
