#include "engine/head_drafter.h"

#include <algorithm>

namespace engine {
namespace {

double share_of_head(const Runner& runner) {
    const double model = double(runner.model().bytes_per_token);
    return model > 0 ? double(runner.head()->decoder.bytes_per_token) / model : 1;
}

}  // namespace

HeadDrafter::HeadDrafter(Runner& runner, int vocabulary)
    : Drafter(runner, vocabulary, share_of_head(runner)),
      width_(std::size_t(runner.model().config.hidden)),
      held_(std::size_t(runner.shape().sequences)),
      kept_(held_.size() * width_),
      rows_(std::size_t(runner.shape().rows) * width_) {}

int HeadDrafter::behind(int slot, std::span<const text::TokenId> tokens) const {
    const Held& held = held_[std::size_t(slot)];
    return held.kept && held.next == int(tokens.size()) - 2 ? 1 : -1;
}

// The last row is left to the guess, which wants its logits.
void HeadDrafter::follow(std::span<const Followed> sequences) {
    parts_.clear();
    used_ = 0;
    for (const Followed& s : sequences) {
        Held& held = held_[std::size_t(s.slot)];
        const int known = int(s.tokens.size()) - 1, end = std::min(s.context + s.rows, known);  // rows with a right token behind them
        const bool decodes = end == known;
        if (end <= held.next) continue;
        const bool goes_on = held.kept && held.next == s.context - 1;  // the last step's guess did not read that row
        read(s, goes_on ? held.next : std::max(held.next, s.context), decodes ? end - 1 : end);
        held = {decodes ? end - 1 : end, decodes};
        if (decodes) std::copy_n(runner_.states(s.first + end - 1 - s.context), width_, kept(s.slot));
    }
    flush();
}

void HeadDrafter::read(const Followed& s, int from, int end) {
    while (from < end) {
        if (used_ == runner_.shape().rows) flush();
        const int rows = std::min(end - from, runner_.shape().rows - used_);
        const int before = std::clamp(s.context - from, 0, rows);
        std::copy_n(kept(s.slot), std::size_t(before) * width_, row(used_));
        if (rows > before) std::copy_n(runner_.states(s.first + from + before - s.context), std::size_t(rows - before) * width_, row(used_ + before));
        parts_.push_back({s.tokens.data() + from + 1, rows, from, s.table, 0, s.slot});
        used_ += rows;
        from += rows;
    }
}

void HeadDrafter::flush() {
    if (used_ > 0) runner_.head_step(parts_, rows_.data());
    parts_.clear();
    used_ = 0;
}

int HeadDrafter::compute(std::span<Wanted* const> wanted, int i) {
    parts_.clear();
    int n = 0;
    for (Wanted* const w : wanted) {
        const int position = int(w->tokens.size()) - 2 + i;
        const text::TokenId* const token = i == 0 ? &w->tokens.back() : &w->guessed[std::size_t(i - 1)];
        // Rows only move down: none is written over before it is read.
        if (i == 0) std::copy_n(kept(w->slot), width_, row(n));
        else if (w->row != n) std::copy_n(row(w->row), width_, row(n));
        parts_.push_back({token, 1, position, w->table->data(), 1, w->slot});
        if (i == 0) held_[std::size_t(w->slot)] = {position + 1, false};
        ++n;
    }
    runner_.head_step(parts_, rows_.data());
    return n;
}

}  // namespace engine
