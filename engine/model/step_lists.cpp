#include "engine/model/step_lists.h"

#include <algorithm>
#include <stdexcept>

namespace engine {
namespace {

// Whether the last layer, but for its keys and values, can be computed for some rows alone: other mixers carry a state through all.
bool may_leave_rows(const Config& c) { return c.layer.back().mixer == Mixer::attention && !c.family->latent && c.per_layer_width == 0; }

}  // namespace

base::Result<StepLists> StepLists::create(const Config& config, Device& device, const Room& room) {
    StepLists out;
    out.room_ = room;
    out.may_leave_rows_ = may_leave_rows(config);
    out.apart_ = device.apart();
    const std::size_t rows = std::size_t(room.rows), logits = std::size_t(room.logits);
    out.positions_ = rows;
    out.wanted_positions_ = 2 * rows;
    out.wanted_rows_ = out.wanted_positions_ + logits;
    out.tables_ = out.wanted_rows_ + logits;
    const std::size_t tables = device.apart() ? std::size_t(room.parts) * std::size_t(room.blocks) : 0;
    auto memory = BothMemory::allocate(device, (out.tables_ + tables) * sizeof(std::int32_t), "the lists of a step");
    if (!memory) return std::move(memory).error();
    out.memory_ = *std::move(memory);
    for (auto* const list : {&out.sequences_, &out.wanted_sequences_}) list->reserve(std::size_t(room.parts));
    for (auto* const list : {&out.adapters_, &out.wanted_adapters_}) list->reserve(std::size_t(room.parts));
    out.clear();
    return out;
}

void StepLists::clear() {
    rows_ = logits_ = 0;
    used_ = tables_;
    adapted_ = false;
    sequences_.clear(), wanted_sequences_.clear();
    adapters_.clear(), wanted_adapters_.clear();
}

const std::int32_t* StepLists::table(const Part& part) {
    if (!apart_) return part.blocks;
    const int n = (part.context + part.rows + kKvBlock - 1) / kKvBlock;
    std::copy_n(part.blocks, n, host(used_));
    used_ += std::size_t(n);
    return device(used_ - std::size_t(n));
}

void StepLists::add(const Part& part) {
    if (int(sequences_.size()) == room_.parts) throw std::logic_error("a step has more parts than planned");
    if (rows_ + part.rows > room_.rows) throw std::logic_error("a step has more rows than planned");
    if (logits_ + part.logits > room_.logits) throw std::logic_error("a step wants more logits than planned");
    const SequenceRows all{rows_, part.rows, part.context, table(part), part.state, part.one_by_one};
    sequences_.push_back(all);
    adapters_.push_back(part.adapter);
    adapted_ = adapted_ || part.adapter;
    std::copy_n(part.tokens, part.rows, host(std::size_t(rows_)));
    for (int r = 0; r < part.rows; ++r) host(positions_)[rows_ + r] = part.context + r;
    rows_ += part.rows;
    if (part.logits == 0) return;
    const int first = part.rows - part.logits;
    wanted_sequences_.push_back({logits_, part.logits, part.context + first, all.blocks, part.state, all.one_by_one});
    wanted_adapters_.push_back(part.adapter);
    for (int r = first; r < part.rows; ++r, ++logits_) {
        host(wanted_rows_)[logits_] = all.first_row + r;
        host(wanted_positions_)[logits_] = part.context + r;
    }
}

Batch StepLists::batch(bool all_rows) {
    memory_.to_device(used_ * sizeof(std::int32_t));
    Batch out{.tokens = device(0), .positions = device(positions_), .n = rows_, .sequences = sequences_.data(), .n_sequences = int(sequences_.size()),
              .logit_rows = device(wanted_rows_), .n_logits = logits_, .adapters = adapted_ ? adapters_.data() : nullptr};
    if (all_rows || !may_leave_rows_ || logits_ == rows_) return out;
    wanted_ = {.positions = device(wanted_positions_), .n = logits_, .sequences = wanted_sequences_.data(), .n_sequences = int(wanted_sequences_.size()),
               .n_logits = logits_, .adapters = adapted_ ? wanted_adapters_.data() : nullptr};
    out.wanted = &wanted_;
    return out;
}

}  // namespace engine
