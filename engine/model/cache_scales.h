// Scales that a checkpoint has for a KV cache of FP8, and for the queries and scores beside it. The cache here has a form and
// scales of its own, so that they are left out and told; the weights are what they are without them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/model/safetensors.h"
#include "engine/model/unsaid.h"

namespace engine {

class CacheScales {
public:
    // `prefix`: what stands before a layer's number in a name, "model.layers."; `said`: the key by which the configuration
    // quantises the cache, empty where none does.
    CacheScales(std::string prefix, int layers, std::string said) : prefix_(std::move(prefix)), layers_(layers), said_(std::move(said)) {}

    bool is_one(std::string_view tensor) const;
    // Each kind of them once, with N for the layer. `file`: null where the tensors are not at hand.
    std::vector<Unsaid> left_out(const Safetensors* file) const;

private:
    std::string prefix_;
    int layers_;
    std::string said_;
};

}  // namespace engine
