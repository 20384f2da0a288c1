// One sequence on a model, its keys and values in float.
#pragma once

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "engine/runner.h"

class OneSequence {
public:
    OneSequence(const std::filesystem::path& file, const engine::Ops& ops) : pool_(2) {
        auto opened = engine::ModelFile::open(file);
        if (!opened) throw std::runtime_error(opened.error().message);
        auto config = (*opened)->config();
        if (!config) throw std::runtime_error(config.error().message);
        auto model = engine::load_model(*std::move(opened), *config, ops, pool_, {});
        if (!model) throw std::runtime_error(model.error().message);
        model_ = *std::move(model);
        const engine::Config& c = model_->config;
        constexpr int kBlocks = 16;
        kv_memory_.resize(kBlocks * engine::kKvBlock * engine::kv_bytes_per_token(c, engine::KvFormat::f32));
        kv_ = engine::kv_layers(c, kBlocks, engine::KvFormat::f32, kv_memory_.data());
        for (int i = 0; i < kBlocks; ++i) blocks_.push_back(kBlocks - 1 - i);
        memory_.resize(engine::forward_scratch(c, 512, pool_.threads()));
        auto lists = engine::StepLists::create(c, engine::cpu_device(), {512, 1, 512, kBlocks});
        if (!lists) throw std::runtime_error(lists.error().message);
        lists_ = *std::move(lists);
    }

    // Appends tokens at position `context`; logits of all of them, and their states after the last norm where wanted.
    std::vector<float> feed(const std::vector<std::int32_t>& tokens, int context, engine::Observer* observer = nullptr, std::vector<float>* states = nullptr) {
        return feed(tokens, context, int(tokens.size()), observer, states);
    }
    // The same with logits of the last rows alone.
    std::vector<float> feed(const std::vector<std::int32_t>& tokens, int context, int rows, engine::Observer* observer = nullptr, std::vector<float>* states = nullptr) {
        if (context == 0) state_.assign(model_->config.state_values, 0);
        std::vector<float> logits(std::size_t(rows) * std::size_t(vocabulary()));
        if (states) states->resize(tokens.size() * std::size_t(model_->config.hidden));
        engine::Scratch scratch(memory_.data(), memory_.size());
        engine::Exec exec{&pool_, &scratch};
        lists_.clear();
        lists_.add({tokens.data(), int(tokens.size()), context, blocks_.data(), rows, state_.data()});
        engine::Batch batch = lists_.batch(states || observer);
        batch.states = states ? states->data() : nullptr;
        batch.observer = observer;
        engine::forward(*model_, batch, kv_, logits.data(), exec);
        return logits;
    }

    std::vector<std::int32_t> greedy(const std::vector<std::int32_t>& prompt, int n) {
        std::vector<float> logits = feed(prompt, 0);
        std::vector<std::int32_t> out;
        for (int at = int(prompt.size()); int(out.size()) < n; ++at) {
            const auto last = logits.end() - vocabulary();
            out.push_back(std::int32_t(std::max_element(last, logits.end()) - last));
            if (int(out.size()) < n) logits = feed({out.back()}, at);
        }
        return out;
    }
    int vocabulary() const { return model_->config.vocabulary; }
    const engine::Model& model() const { return *model_; }
    engine::Pool& pool() { return pool_; }

private:
    engine::Pool pool_;
    std::unique_ptr<engine::Model> model_;
    std::vector<std::uint8_t> kv_memory_;
    std::vector<float> state_;
    std::vector<engine::KvLayer> kv_;
    std::vector<std::int32_t> blocks_;
    std::vector<std::uint8_t> memory_;
    engine::StepLists lists_;
};

inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    double most = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        const double difference = std::abs(double(a[i]) - b[i]);
        if (!(difference <= most)) most = std::isnan(difference) ? INFINITY : difference;
    }
    return most;
}
