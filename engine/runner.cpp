#include "engine/runner.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>

#include "engine/model/expert_cache.h"
#include "engine/model/weight_image.h"
#include "engine/steady_seconds.h"

namespace engine {
namespace {

// One a sequence, one for all_rows, then the kept and the spare ones.
std::size_t state_count(const RunnerShape& shape) { return std::size_t(shape.sequences + 1 + shape.kept_states + shape.spare_states); }

}  // namespace

std::uint64_t kv_bytes_per_token(const Config& config, KvFormat format) {
    std::uint64_t bytes = 0;  // of a block
    for (int i = 0; i < config.layers; ++i)
        if (const LayerConfig& l = config.layer[std::size_t(i)]; l.kv_layer == i) bytes += (config.family->latent ? 1ull : 2ull) * std::uint64_t(l.kv_heads) * kv_head_bytes(format, l.head_dim);
    return bytes / kKvBlock;
}

std::string kv_sum(const Config& config, KvFormat format) {
    std::map<std::pair<int, int>, int> layers;  // by heads and their dimensions
    for (int i = 0; i < config.layers; ++i)
        if (const LayerConfig& l = config.layer[std::size_t(i)]; l.kv_layer == i && l.kv_heads > 0) ++layers[{l.kv_heads, l.head_dim}];
    const std::size_t value = kv_value_bytes(format), scale = kv_head_bytes(format, 0) / kKvBlock;
    std::string out;
    for (const auto& [shape, n] : layers)
        out += (out.empty() ? "" : " + ") + std::to_string(n) + (n == 1 ? " layer × " : " layers × ") + std::to_string(shape.first) + (shape.first == 1 ? " head × " : " heads × ") +
               (scale > 0 ? "(" + std::to_string(shape.second) + " + " + std::to_string(scale) + " of scale)" : std::to_string(shape.second)) +
               (config.family->latent ? " (latent, keys and values in one)" : " × 2 (keys, values)") + " × " + std::to_string(value) + (value == 1 ? " byte" : " bytes");
    return out;
}

std::vector<KvLayer> kv_layers(const Config& config, int blocks, KvFormat format, std::uint8_t* memory) {
    std::vector<KvLayer> out;
    for (int i = 0; i < config.layers; ++i) {
        const LayerConfig& l = config.layer[std::size_t(i)];
        if (l.kv_layer != i) {
            out.push_back(out[std::size_t(l.kv_layer)]);
            continue;
        }
        const std::size_t one = std::size_t(blocks) * std::size_t(l.kv_heads) * kv_head_bytes(format, l.head_dim);
        const std::size_t to_values = config.family->latent ? 0 : one;  // there a value is the first columns of its key
        out.push_back({memory, memory + to_values, format, l.kv_heads, l.head_dim});
        memory += to_values + one;
    }
    return out;
}

std::uint64_t runner_scratch(const Config& config, const RunnerShape& shape, int threads) {
    return forward_scratch(config, shape.rows, threads) +
           (std::uint64_t(shape.sequences + shape.drafts) * std::uint64_t(config.vocabulary) + state_count(shape) * config.state_values) * sizeof(float);
}

// Its activations use the model's scratch, where that is larger; states are kept of the rows of a step, of those that the head reads, and
// of a row for each sequence.
std::uint64_t head_scratch(const Config& head, const RunnerShape& shape, int threads) {
    return draft_scratch(head, shape.rows, threads) + std::uint64_t(2 * shape.rows + 2 * shape.sequences) * std::uint64_t(head.hidden) * sizeof(float);
}

base::Result<std::unique_ptr<Runner>> Runner::create(std::unique_ptr<Model> model, std::shared_ptr<Pool> pool,
                                                     const RunnerShape& shape, std::unique_ptr<DraftHead> head) {
    std::unique_ptr<Runner> out(new Runner);
    const Config& c = model->config;
    const std::size_t tokens = std::size_t(shape.blocks) * kKvBlock;
    const std::size_t own_kv = tokens * kv_bytes_per_token(c, shape.kv), head_kv = head ? tokens * kv_bytes_per_token(head->decoder.config, shape.kv) : 0;
    auto kv = HugeMemory::allocate(own_kv + head_kv, "the KV cache");
    if (!kv) return std::move(kv).error();
    std::size_t activations = forward_scratch(c, shape.rows, pool->threads());
    if (head) activations = std::max(activations, draft_scratch(head->decoder.config, shape.rows, pool->threads()));
    auto scratch = HugeMemory::allocate(activations, "activations");
    if (!scratch) return std::move(scratch).error();
    auto states = HugeMemory::allocate(state_count(shape) * c.state_values * sizeof(float), "the states of sequences");
    if (!states) return std::move(states).error();
    out->state_memory_ = *std::move(states);
    out->kv_memory_ = *std::move(kv);
    out->scratch_memory_ = *std::move(scratch);
    out->kv_ = kv_layers(c, shape.blocks, shape.kv, out->kv_memory_.data());
    if (head) {
        out->kv_.push_back(kv_layers(head->decoder.config, shape.blocks, shape.kv, out->kv_memory_.data() + own_kv)[0]);
        out->states_.resize(std::size_t(shape.rows) * std::size_t(c.hidden));
        out->head_ = std::move(head);
    }
    out->logits_.resize(std::size_t(shape.sequences + shape.drafts) * std::size_t(c.vocabulary));
    out->tokens_.resize(std::size_t(shape.rows));
    out->positions_.resize(std::size_t(shape.rows));
    out->logit_rows_.resize(std::size_t(std::max(shape.rows, shape.sequences + shape.drafts)));
    out->sequences_.resize(std::size_t(shape.sequences));
    out->adapters_.resize(std::size_t(shape.sequences));
    out->shape_ = shape;
    out->model_ = std::move(model);
    out->pool_ = std::move(pool);
    return out;
}

void Runner::run(int n, int n_sequences, int n_logits, float* logits, float* states, bool adapted, OpClock* clock) {
    Scratch scratch(scratch_memory_.data(), scratch_memory_.size());
    Exec exec{pool_.get(), &scratch, clock};
    const double began = steady_seconds();
    forward(*model_, {tokens_.data(), positions_.data(), n, sequences_.data(), n_sequences, logit_rows_.data(), n_logits, states, nullptr, adapted ? adapters_.data() : nullptr},
            kv_, logits, exec);
    if (model_->experts && n == 1) model_->experts->stepped(steady_seconds() - began);
}

Runner::Arranged Runner::arrange(std::span<const Part> parts) {
    Arranged out;
    if (parts.size() > sequences_.size()) throw std::logic_error("a step has more parts than planned");
    for (std::size_t p = 0; p < parts.size(); ++p) {
        const Part& part = parts[p];
        adapters_[p] = part.adapter;
        out.adapted = out.adapted || part.adapter;
        if (out.rows + part.rows > shape_.rows) throw std::logic_error("a step has more rows than planned");
        if (out.logits + part.logits > shape_.sequences + shape_.drafts) throw std::logic_error("a step wants more logits than planned");
        sequences_[p] = {out.rows, part.rows, part.context, part.blocks, nullptr, part.logits > 1};
        for (int r = 0; r < part.rows; ++r, ++out.rows) {
            tokens_[out.rows] = part.tokens[r];
            positions_[out.rows] = part.context + r;
        }
        for (int r = out.rows - part.logits; r < out.rows; ++r) logit_rows_[out.logits++] = r;
    }
    return out;
}

void Runner::step(std::span<const Part> parts) {
    const Arranged step = arrange(parts);
    for (std::size_t p = 0; p < parts.size(); ++p) sequences_[p].state = state(parts[p].slot, parts[p].context);
    run(step.rows, int(parts.size()), step.logits, logits_.data(), head_ ? states_.data() : nullptr, step.adapted);
}

void Runner::head_step(std::span<const Part> parts, float* states) {
    const Arranged step = arrange(parts);
    Scratch scratch(scratch_memory_.data(), scratch_memory_.size());
    Exec exec{pool_.get(), &scratch, nullptr};
    draft(*head_, {tokens_.data(), positions_.data(), step.rows, sequences_.data(), int(parts.size()), logit_rows_.data(), step.logits, states},
          {states, step.rows, model_->config.hidden}, kv_.back(), logits_.data(), exec);
}

float* Runner::state(int slot, int context) {
    if (model_->config.state_values == 0) return nullptr;
    if (context == 0) std::fill_n(state(slot), model_->config.state_values, 0.0f);
    return state(slot);
}

float* Runner::state(int slot) { return reinterpret_cast<float*>(state_memory_.data()) + std::size_t(slot) * model_->config.state_values; }

void Runner::keep_state(int slot, int kept) { std::copy_n(state(slot), model_->config.state_values, state(shape_.sequences + 1 + kept)); }

void Runner::resume_state(int kept, int slot) { std::copy_n(state(shape_.sequences + 1 + kept), model_->config.state_values, state(slot)); }

std::span<float> Runner::logits(int i) {
    const auto v = std::size_t(model_->config.vocabulary);
    return {logits_.data() + std::size_t(i) * v, v};
}

template <class F>
void Runner::each_stretch(int rows, F&& each) const {
    for (std::size_t i = 0; i < kv_.size(); ++i) {
        if (i < model_->config.layer.size() && model_->config.layer[i].kv_layer != int(i)) continue;  // behind them is the head's
        const KvLayer& kv = kv_[i];
        const std::size_t head = kv_head_bytes(kv.format, kv.head_dim), block = head * std::size_t(kv.kv_heads);
        const std::size_t dimension = kv_dimension_bytes(kv.format), values = dimension * std::size_t(kv.head_dim);
        for (void* memory : {kv.k, kv.v}) {
            std::uint8_t* at = static_cast<std::uint8_t*>(memory);
            for (const std::uint8_t* const end = at + block; at < end; at += head) {
                if (rows == kKvBlock) {
                    each(at, block, head);
                    continue;
                }
                for (std::size_t c = 0; c < values; c += dimension) each(at + c, block, kv_value_bytes(kv.format) * std::size_t(rows));
                if (head > values) each(at + values, block, sizeof(float) * std::size_t(rows));
            }
            if (kv.k == kv.v) break;
        }
    }
}

void Runner::copy_kv(std::int32_t from, std::int32_t to, int rows) {
    each_stretch(rows, [&](std::uint8_t* at, std::size_t block, std::size_t bytes) { std::memcpy(at + std::size_t(to) * block, at + std::size_t(from) * block, bytes); });
}

std::size_t Runner::kv_bytes(int rows) const {
    std::size_t out = 0;
    each_stretch(rows, [&](const std::uint8_t*, std::size_t, std::size_t bytes) { out += bytes; });
    return out;
}

void Runner::copy_out(std::int32_t block, int rows, std::string& to) {
    to.reserve(kv_bytes(rows));
    each_stretch(rows, [&](const std::uint8_t* at, std::size_t each, std::size_t bytes) { to.append(reinterpret_cast<const char*>(at + std::size_t(block) * each), bytes); });
}

void Runner::put_in(std::int32_t block, int rows, const std::string& from) {
    if (from.size() != kv_bytes(rows)) throw std::logic_error("a block of keys and values is not of this model");
    std::size_t at = 0;
    each_stretch(rows, [&](std::uint8_t* to, std::size_t each, std::size_t bytes) {
        std::memcpy(to + std::size_t(block) * each, from.data() + at, bytes);
        at += bytes;
    });
}

std::string Runner::kept_state(int kept) { return {reinterpret_cast<const char*>(state(shape_.sequences + 1 + kept)), state_bytes()}; }

void Runner::set_kept_state(int kept, const std::string& from) {
    if (from.size() != state_bytes()) throw std::logic_error("a recurrent state is not of this model");
    std::memcpy(state(shape_.sequences + 1 + kept), from.data(), from.size());
}

std::span<const std::uint8_t> Runner::weights() const {
    if (model_->packed.size() > 0) return {model_->packed.data(), model_->packed.size()};
    if (const WeightImage* image = model_->file->image()) return image->bytes;
    const Weight& w = model_->output;
    return {w.data, row_bytes(w.format, std::size_t(w.cols)) * std::size_t(w.rows)};
}

std::vector<float> Runner::all_rows(Of what, std::span<const std::int32_t> tokens, const std::int32_t* blocks) {
    const auto width = std::size_t(what == Of::states ? model_->config.hidden : model_->config.vocabulary);
    std::vector<float> out(tokens.size() * width);
    for (std::size_t at = 0; at < tokens.size(); at += std::size_t(shape_.rows)) {
        const int n = int(std::min(tokens.size() - at, std::size_t(shape_.rows)));
        sequences_[0] = {0, n, int(at), blocks, state(shape_.sequences, int(at))};
        for (int r = 0; r < n; ++r) {
            tokens_[r] = tokens[at + r];
            positions_[r] = int(at) + r;
            logit_rows_[r] = r;
        }
        float* const rows = out.data() + at * width;
        if (what == Of::states) run(n, 1, 0, nullptr, rows);
        else run(n, 1, n, rows);
    }
    return out;
}

}  // namespace engine
