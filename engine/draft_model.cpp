#include "engine/draft_model.h"

#include <algorithm>

#include "engine/kv_rows.h"

namespace engine {
namespace {

constexpr int kLeft = kMostDraft + 1;  // rows of a sequence that the first pass computes, at most

}  // namespace

DraftModel::DraftModel(std::unique_ptr<Runner> runner, int vocabulary, double share)
    : Drafter(*runner, vocabulary, share), own_(std::move(runner)), blocks_(own_->shape().blocks, kKvBlock), held_(std::size_t(own_->shape().sequences)) {
    for (Held& held : held_) held.table.reserve(std::size_t(own_->shape().blocks));
}

// Of the tokens so many are in the cache; the last one is computed anew, for its logits.
int DraftModel::right(const Held& held, std::span<const text::TokenId> tokens) {
    int out = held.entered;
    for (int i = 0; i < held.guesses && out + 1 < int(tokens.size()) && tokens[std::size_t(out)] == held.guessed[std::size_t(i)]; ++i) ++out;
    return std::min(out, int(tokens.size()) - 1);
}

int DraftModel::behind(int slot, std::span<const text::TokenId> tokens) const { return int(tokens.size()) - right(held_[std::size_t(slot)], tokens); }

void DraftModel::begin(int slot, BlockKey root, std::span<const text::TokenId> prompt) {
    Held& held = held_[std::size_t(slot)];
    const auto found = blocks_.hold_prefix(root, prompt.first(prompt.size() - 1), held.table);
    held.chain = found.chain;
    held.entered = hold_tail(blocks_, *own_, found, held.table);
}

void DraftModel::end(int slot) {
    Held& held = held_[std::size_t(slot)];
    blocks_.release(held.table);
    held.table.clear();
    held.entered = held.guesses = 0;
}

// What lies far behind is read a step's rows at a time, so that nobody waits long for it.
bool DraftModel::prepare(Wanted& w) {
    Held& held = held_[std::size_t(w.slot)];
    const int known = right(held, w.tokens);
    if (known > held.entered) enter_rows(blocks_, held.table, held.chain, w.tokens, held.entered, known);
    held.entered = std::max(held.entered, known);
    held.guesses = 0;
    const int rest = int(w.tokens.size()) - held.entered;
    if (rest > kLeft) read(held, w, std::min(rest - 1, own_->shape().rows));
    return int(w.tokens.size()) - held.entered <= kLeft;
}

void DraftModel::read(Held& held, const Wanted& w, int rows) {
    hold_rows(blocks_, held.table, held.entered + rows);
    const Runner::Part part{w.tokens.data() + held.entered, rows, held.entered, held.table.data(), 0, w.slot};
    own_->step({&part, 1});
    enter_rows(blocks_, held.table, held.chain, w.tokens, held.entered, held.entered + rows);
    held.entered += rows;
}

int DraftModel::compute(std::span<Wanted* const> wanted, int i) {
    parts_.clear();
    int rows = 0;
    for (Wanted* const w : wanted) {
        Held& held = held_[std::size_t(w->slot)];
        const int all = int(w->tokens.size()), known = std::min(held.entered, all - 1);
        hold_rows(blocks_, held.table, all + i);
        if (i == 0) {
            parts_.push_back({w->tokens.data() + known, all - known, known, held.table.data(), 1, w->slot});
        } else {
            held.guessed[std::size_t(held.guesses++)] = w->guessed[std::size_t(i - 1)];
            parts_.push_back({&w->guessed[std::size_t(i - 1)], 1, all + i - 1, held.table.data(), 1, w->slot});
        }
        rows += parts_.back().rows;
    }
    own_->step(parts_);
    if (i == 0)
        for (Wanted* const w : wanted) {
            Held& held = held_[std::size_t(w->slot)];
            enter_rows(blocks_, held.table, held.chain, w->tokens, held.entered, int(w->tokens.size()));
            held.entered = int(w->tokens.size());
        }
    return rows;
}

}  // namespace engine
