// Guesses at tokens to come, from what the sequence has said before, and their verification: guessed tokens go through the
// model with the one that is due, each as a row of its own, and each row's logits give the token that follows, by the sampler
// and the grammar as ever. As long as that is the guessed one, the next row was computed from the right tokens. So the text is
// that of one step a token, and draws of the sampler too.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/worker.h"

namespace engine {

// Guesses stand in `tokens` until they are verified. Where none is tried, what would have been is still looked at.
void Worker::guess() {
    draftable_.clear();
    drafting_.clear();
    int rows = 0, tokens = 0, spare = runner_->shape().spare_states;
    for (int i = 0; i < int(plan_.size()); ++i) {
        Sequence& s = *running_[plan_[std::size_t(i)].sequence];
        s.match = {};
        rows += plan_[std::size_t(i)].rows;
        if (s.computed + plan_[std::size_t(i)].rows != int(s.tokens.size())) continue;
        ++tokens;
        if (!s.guesses || s.computed < s.prompt) continue;
        s.match = s.lookup.find(s.tokens);
        const bool has_room = !recurrent() || spare-- > 0;
        if (s.match.length == 0 || !has_room) continue;
        draftable_.push_back({s.match.length, s.max_tokens - s.output() - 1, &s.acceptance, recurrent()});
        drafting_.push_back(i);
    }
    if (most_.draft_length == 0) choose_drafts(draftable_, rows, tokens, acceptance_, cost_);
    else for (Draftable& d : draftable_) d.chosen = std::clamp(d.most, 0, most_.draft_length);
    int room = std::min(limits_.rows - rows, runner_->shape().drafts);
    spare = 0;
    for (std::size_t i = 0; i < draftable_.size(); ++i) {
        StepPart& part = plan_[std::size_t(drafting_[i])];
        Sequence& s = *running_[part.sequence];
        const int n = std::min(draftable_[i].chosen, room);
        for (int t = 0; t < n; ++t) s.tokens.push_back(s.tokens[std::size_t(s.match.at + t)]);
        if (n > 0 && s.grammar) {
            const int allowed = s.grammar->allowed(std::span(s.tokens).last(std::size_t(n)));
            s.tokens.resize(s.tokens.size() - std::size_t(n - allowed));
        }
        s.drafts = int(s.tokens.size()) - s.computed - part.rows;
        part.rows += s.drafts;
        room -= s.drafts;
        if (s.drafts == 0 || !recurrent()) continue;
        s.saved = runner_->shape().kept_states + spare++;
        s.right = 0;
        s.rows = part.rows;
        runner_->keep_state(s.slot, s.saved);
    }
}

// `rows` of the step were the sequence's; `logits`: which of the step's logits are of its first row that has them.
void Worker::verify(Sequence& s, int rows, int logits) {
    std::array<TokenId, kMostDraft> guessed{};
    const int drafts = std::exchange(s.drafts, 0);
    std::copy(s.tokens.end() - drafts, s.tokens.end(), guessed.begin());
    s.tokens.resize(s.tokens.size() - std::size_t(drafts));
    s.usage.drafted_tokens += drafts;
    drafted_ += std::uint64_t(drafts);
    go_on(s, rows - drafts);
    for (int i = 0;; ++i) {
        const auto at = std::size_t(s.computed + s.right);
        const bool forced = s.tokens.size() > at;
        if (!forced) decide(s, runner_->logits(logits + i));
        if (s.max_tokens == 0) return;  // finished, and settled with that
        if (i == drafts && s.match.length == 0) break;
        const bool is_right = s.tokens.size() > at && s.tokens[at] == (i < drafts ? guessed[std::size_t(i)] : s.tokens[std::size_t(s.match.at + i)]);
        if (!forced) {
            s.acceptance.saw(s.match.length + i, is_right);
            acceptance_.saw(s.match.length + i, is_right);
        }
        if (i == drafts || !is_right) break;
        ++s.usage.accepted_tokens;
        ++accepted_;
        go_on(s, 1);
    }
    settle(s);
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
