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
    Device& device = *model->ops->device;
    auto kv = device.allocate(own_kv + head_kv, "the KV cache");
    if (!kv) return std::move(kv).error();
    std::size_t activations = forward_scratch(c, shape.rows, pool->threads());
    if (head) activations = std::max(activations, draft_scratch(head->decoder.config, shape.rows, pool->threads()));
    auto scratch = device.allocate(activations, "activations");
    if (!scratch) return std::move(scratch).error();
    auto states = device.allocate(state_count(shape) * c.state_values * sizeof(float), "the states of sequences");
    if (!states) return std::move(states).error();
    const int most_logits = shape.sequences + shape.drafts;
    auto logits = BothMemory::allocate(device, std::size_t(most_logits) * std::size_t(c.vocabulary) * sizeof(float), "logits");
    if (!logits) return std::move(logits).error();
    auto lists = StepLists::create(c, device, {shape.rows, shape.sequences, std::max(shape.rows, most_logits), shape.blocks});
    if (!lists) return std::move(lists).error();
    out->state_memory_ = *std::move(states);
    out->kv_memory_ = *std::move(kv);
    out->scratch_memory_ = *std::move(scratch);
    out->logits_ = *std::move(logits);
    out->lists_ = *std::move(lists);
    out->kv_ = kv_layers(c, shape.blocks, shape.kv, out->kv_memory_.data());
    if (head) {
        out->kv_.push_back(kv_layers(head->decoder.config, shape.blocks, shape.kv, out->kv_memory_.data() + own_kv)[0]);
        out->states_.resize(std::size_t(shape.rows) * std::size_t(c.hidden));
        out->head_ = std::move(head);
    }
    out->shape_ = shape;
    out->model_ = std::move(model);
    out->pool_ = std::move(pool);
    return out;
}

void Runner::run(float* logits, float* states, OpClock* clock) {
    Scratch scratch(scratch_memory_.data(), scratch_memory_.size());
    Exec exec{pool_.get(), &scratch, clock};
    Batch batch = lists_.batch(states);
    batch.states = states;
    const double began = steady_seconds();
    forward(*model_, batch, kv_, logits, exec);
    if (model_->experts && batch.n == 1) model_->experts->stepped(steady_seconds() - began);
}

float* Runner::logits_of_step() const {
    if (lists_.logits() > shape_.sequences + shape_.drafts) throw std::logic_error("a step wants more logits than planned");
    return reinterpret_cast<float*>(logits_.device());
}

void Runner::run_wanted(float* states, OpClock* clock) {
    run(logits_of_step(), states, clock);
    logits_.to_host(std::size_t(lists_.logits()) * std::size_t(model_->config.vocabulary) * sizeof(float));
}

void Runner::step(std::span<const Part> parts) {
    lists_.clear();
    for (const Part& p : parts) lists_.add({p.tokens, p.rows, p.context, p.blocks, p.logits, state(p.slot, p.context), p.adapter, p.logits > 1});
    run_wanted(head_ ? states_.data() : nullptr);
}

void Runner::head_step(std::span<const Part> parts, float* states) {
    lists_.clear();
    for (const Part& p : parts) lists_.add({p.tokens, p.rows, p.context, p.blocks, p.logits, nullptr, nullptr, p.logits > 1});
    Scratch scratch(scratch_memory_.data(), scratch_memory_.size());
    Exec exec{pool_.get(), &scratch, nullptr};
    Batch batch = lists_.batch(true);
    batch.states = states;
    draft(*head_, batch, {states, batch.n, model_->config.hidden}, kv_.back(), logits_of_step(), exec);
}

float* Runner::state(int slot, int context) {
    if (model_->config.state_values == 0) return nullptr;
    if (context == 0) model_->ops->device->clear(state(slot), state_bytes());
    return state(slot);
}

float* Runner::state(int slot) const { return reinterpret_cast<float*>(state_memory_.data()) + std::size_t(slot) * model_->config.state_values; }

void Runner::keep_state(int slot, int kept) { model_->ops->device->copy(state(shape_.sequences + 1 + kept), state(slot), state_bytes()); }

void Runner::resume_state(int kept, int slot) { model_->ops->device->copy(state(slot), state(shape_.sequences + 1 + kept), state_bytes()); }

std::span<float> Runner::logits(int i) {
    const auto v = std::size_t(model_->config.vocabulary);
    return {reinterpret_cast<float*>(logits_.host()) + std::size_t(i) * v, v};
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
    each_stretch(rows, [&](std::uint8_t* at, std::size_t block, std::size_t bytes) { model_->ops->device->copy(at + std::size_t(to) * block, at + std::size_t(from) * block, bytes); });
}

std::size_t Runner::kv_bytes(int rows) const {
    std::size_t out = 0;
    each_stretch(rows, [&](const std::uint8_t*, std::size_t, std::size_t bytes) { out += bytes; });
    return out;
}

void Runner::copy_out(std::int32_t block, int rows, std::string& to) {
    std::size_t end = to.size();
    to.resize(end + kv_bytes(rows));
    each_stretch(rows, [&](const std::uint8_t* at, std::size_t each, std::size_t bytes) {
        model_->ops->device->read(to.data() + end, at + std::size_t(block) * each, bytes);
        end += bytes;
    });
}

void Runner::put_in(std::int32_t block, int rows, const std::string& from) {
    if (from.size() != kv_bytes(rows)) throw std::logic_error("a block of keys and values is not of this model");
    std::size_t at = 0;
    each_stretch(rows, [&](std::uint8_t* to, std::size_t each, std::size_t bytes) {
        model_->ops->device->write(to + std::size_t(block) * each, from.data() + at, bytes);
        at += bytes;
    });
}

std::string Runner::kept_state(int kept) {
    std::string out(state_bytes(), '\0');
    model_->ops->device->read(out.data(), state(shape_.sequences + 1 + kept), out.size());
    return out;
}

void Runner::set_kept_state(int kept, const std::string& from) {
    if (from.size() != state_bytes()) throw std::logic_error("a recurrent state is not of this model");
    model_->ops->device->write(state(shape_.sequences + 1 + kept), from.data(), from.size());
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
    Device& device = *model_->ops->device;
    DeviceMemory there;  // what a step gives, where that is not at once in `out`
    if (device.apart()) {
        auto memory = device.allocate(std::size_t(shape_.rows) * width * sizeof(float), "the rows of a text");
        if (!memory) throw std::runtime_error(memory.error().message);
        there = *std::move(memory);
    }
    for (std::size_t at = 0; at < tokens.size(); at += std::size_t(shape_.rows)) {
        const int n = int(std::min(tokens.size() - at, std::size_t(shape_.rows)));
        lists_.clear();
        lists_.add({tokens.data() + at, n, int(at), blocks, what == Of::logits ? n : 0, state(shape_.sequences, int(at))});
        float* const rows = out.data() + at * width;
        float* const to = device.apart() ? reinterpret_cast<float*>(there.data()) : rows;
        if (what == Of::states) run(nullptr, to);
        else run(to);
        if (device.apart()) device.read(rows, to, std::size_t(n) * width * sizeof(float));
    }
    return out;
}

}  // namespace engine
