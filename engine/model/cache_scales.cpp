#include "engine/model/cache_scales.h"

#include <algorithm>
#include <map>

#include "engine/model/draft_blocks.h"

namespace engine {
namespace {

constexpr std::string_view kAttention = "self_attn.";
constexpr std::string_view kModules[] = {"", "attn.", "q_proj.", "k_proj.", "v_proj.", "qkv_proj."};
constexpr std::string_view kScales[] = {"k_scale", "v_scale", "kv_scale", "q_scale", "prob_scale", "prob_output_scale"};
constexpr std::string_view kOfOutputs = "output_scale";  // of a projection: the cache's only where the configuration quantises one

constexpr const char* kTaken = "the cache here has a form and scales of its own, and attention is computed without rounding to these. The weights are as the checkpoint has them";
constexpr const char* kRemedy = "nothing needs to be done: answers differ from those with that cache by its rounding";

}  // namespace

bool CacheScales::is_one(std::string_view tensor) const {
    const int layer = block_of(tensor, prefix_);
    if (layer < 0 || layer >= layers_) return false;
    std::string_view name = tensor.substr(tensor.find('.', prefix_.size()) + 1);
    if (!name.starts_with(kAttention)) return false;
    name.remove_prefix(kAttention.size());
    return std::ranges::any_of(kModules, [&](std::string_view module) {
        if (!name.starts_with(module)) return false;
        const std::string_view scale = name.substr(module.size());
        return std::ranges::find(kScales, scale) != std::end(kScales) || (!said_.empty() && module.ends_with("_proj.") && scale == kOfOutputs);
    });
}

std::vector<Unsaid> CacheScales::left_out(const Safetensors* file) const {
    std::vector<Unsaid> out;
    if (!said_.empty()) out.push_back({said_, std::string("a quantised KV cache is asked for, and left out: ") + kTaken, kRemedy, 0, true});
    std::map<std::string, int> tensors;
    if (file)
        for (const SafeTensor& tensor : file->tensors())
            if (is_one(tensor.name)) ++tensors[prefix_ + "N" + tensor.name.substr(tensor.name.find('.', prefix_.size()))];
    for (const auto& [name, count] : tensors)
        out.push_back({name, "scales for a KV cache of FP8 (" + std::to_string(count) + (count == 1 ? " tensor" : " tensors") + "), left out: " + kTaken, kRemedy, 0, true});
    return out;
}

}  // namespace engine
