// Guesses at tokens to come, from the sources of worker_sources.cpp, and their verification: guessed tokens go through the
// model with the one that is due, each as a row of its own, and each row's logits give the token that follows, by the sampler
// and the grammar as ever. As long as that is the guessed one, the next row was computed from the right tokens. So the text is
// that of one step a token, and draws of the sampler too.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/kv_rows.h"
#include "engine/worker.h"

namespace engine {

// Guesses stand in `tokens` until they are verified. Where none is tried, what a lookup would have given is still looked at.
void Worker::guess() {
    draftable_.clear();
    drafting_.clear();
    int rows = 0, tokens = 0;
    for (int i = 0; i < int(plan_.size()); ++i) {
        Sequence& s = *running_[plan_[std::size_t(i)].sequence];
        s.match = {};
        rows += plan_[std::size_t(i)].rows;
        if (s.computed + plan_[std::size_t(i)].rows != int(s.tokens.size())) continue;
        ++tokens;
        if (!s.guesses || s.computed < s.prompt || (recurrent() && plan_[std::size_t(i)].rows > kMostAgain)) continue;
        if (most_.lookups) s.match = s.lookup.find(s.tokens);
        drafting_.push_back(i);
    }
    int spare = recurrent() ? runner_->shape().spare_states : int(drafting_.size());
    for (const int i : drafting_) {
        Draftable best = best_source(*running_[plan_[std::size_t(i)].sequence], rows, tokens, int(drafting_.size()));
        if (best.most > 0 && spare-- <= 0) best.most = best.least = 0;
        draftable_.push_back(best);
    }
    if (most_.draft_length == 0) choose_drafts(draftable_, rows, tokens, cost_);
    else for (Draftable& d : draftable_) d.chosen = std::clamp(d.most, 0, most_.draft_length);
    int room = std::min(limits_.rows - rows, runner_->shape().drafts);
    for (Draftable& d : draftable_) {
        d.chosen = std::min(d.chosen, room);
        room -= d.chosen;
    }
    write_guesses();
}

void Worker::write_guesses() {
    for (const DraftSource source : {DraftSource::head, DraftSource::model}) compute_guesses(source);
    int spare = 0;
    for (std::size_t i = 0; i < draftable_.size(); ++i) {
        StepPart& part = plan_[std::size_t(drafting_[i])];
        Sequence& s = *running_[part.sequence];
        if (s.source == DraftSource::prompt)
            for (int t = 0; t < draftable_[i].chosen; ++t) s.tokens.push_back(s.tokens[std::size_t(s.match.at + t)]);
        const int n = int(s.tokens.size()) - s.computed - part.rows;
        if (n > 0 && s.grammar) {
            const int allowed = s.grammar->allowed(std::span(s.tokens).last(std::size_t(n)));
            s.tokens.resize(s.tokens.size() - std::size_t(n - allowed));
        }
        s.drafts = int(s.tokens.size()) - s.computed - part.rows;
        part.rows += s.drafts;
        if (s.drafts == 0 || !recurrent()) continue;
        s.saved = runner_->shape().kept_states + spare++;
        s.right = 0;
        s.rows = part.rows;
        runner_->keep_state(s.slot, s.saved);
    }
}

void Worker::compute_guesses(DraftSource source) {
    wanted_.clear();
    wanting_.clear();
    for (std::size_t i = 0; i < draftable_.size(); ++i) {
        const int part = drafting_[i];
        Sequence& s = *running_[plan_[std::size_t(part)].sequence];
        if (s.source != source || draftable_[i].chosen == 0) continue;
        hold_rows(blocks_, s.table, int(s.tokens.size()) + draftable_[i].chosen);
        wanted_.push_back({.slot = s.slot, .tokens = s.tokens, .table = &s.table, .n = draftable_[i].chosen});
        wanting_.push_back(part);
        if (draftable_[i].least > 0) --s.of[std::size_t(source)].trials;
    }
    if (wanted_.empty()) return;
    of(source).step_seconds += drafter(source)->guess(wanted_);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
        auto& tokens = running_[plan_[std::size_t(wanting_[i])].sequence]->tokens;
        tokens.insert(tokens.end(), wanted_[i].guessed.begin(), wanted_[i].guessed.begin() + wanted_[i].n);
    }
}

// `rows` of the step were the sequence's; `logits`: which of the step's logits are of its first row that has them.
void Worker::verify(Sequence& s, int rows, int logits) {
    std::array<TokenId, kMostDraft> guessed{};
    const int drafts = std::exchange(s.drafts, 0);
    std::copy(s.tokens.end() - drafts, s.tokens.end(), guessed.begin());
    s.tokens.resize(s.tokens.size() - std::size_t(drafts));
    s.usage.drafted_tokens += drafts;
    Source& source = of(s.source);
    source.guessed += std::uint64_t(drafts);
    source.step_guessed += drafts;
    go_on(s, rows - drafts);
    for (int i = 0;; ++i) {
        const auto at = std::size_t(s.computed + s.right);
        const bool forced = s.tokens.size() > at;
        if (!forced) decide(s, runner_->logits(logits + i));
        if (s.max_tokens == 0) return;  // finished, and settled with that
        const TokenId came = s.tokens.size() > at ? s.tokens[at] : -1;
        const bool is_right = i < drafts && came == guessed[std::size_t(i)];
        if (!forced) saw(s, i, i < drafts, is_right, came);
        if (!is_right) break;
        ++s.usage.accepted_tokens;
        ++source.accepted;
        ++source.step_accepted;
        go_on(s, 1);
    }
    settle(s);
}

// What came of guess i, and of what a lookup would have given there, whoever guessed.
void Worker::saw(Sequence& s, int i, bool guessed, bool is_right, TokenId came) {
    const auto note = [&](DraftSource source, int length, bool right) {
        s.of[std::size_t(source)].acceptance.saw(length, right);
        of(source).acceptance.saw(length, right);
    };
    if (guessed && s.source != DraftSource::prompt) note(s.source, kComputed + i, is_right);
    if (s.match.length == 0) return;
    const bool right = came == s.tokens[std::size_t(s.match.at + i)];
    note(DraftSource::prompt, s.match.length + i, right);
    if (!right) s.match.length = 0;
}

// Rows turn out to be right. Those of a recurrent model count once its state stands behind them and behind nothing else.
void Worker::go_on(Sequence& s, int rows) {
    if (s.saved >= 0) s.right += rows;
    else computed(s, rows);
}

// The step's end for a recurrent model's sequence: where a guess was wrong its state is as before, and its right rows go through
// the model again with those to come.
void Worker::settle(Sequence& s) {
    if (s.saved < 0) return;
    if (s.right == s.rows) computed(s, s.right);
    else runner_->resume_state(s.saved, s.slot);
    s.saved = -1;
    s.right = 0;
}

// At its end what it has said is computed and kept, for whoever goes on from there.
void Worker::catch_up(Sequence& s) {
    if (s.saved < 0) return;
    if (s.right != s.rows) {
        runner_->resume_state(s.saved, s.slot);
        const Runner::Part part{s.tokens.data() + s.computed, s.right, s.computed, s.table.data(), 0, s.slot, s.adapter};
        runner_->step({&part, 1});
    }
    s.saved = -1;
    computed(s, std::exchange(s.right, 0));
}

}  // namespace engine
