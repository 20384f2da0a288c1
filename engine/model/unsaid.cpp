#include "engine/model/unsaid.h"

#include <algorithm>
#include <cctype>

#include "engine/model/config.h"
#include "engine/model/gguf.h"

namespace engine {
namespace {

const char* const kLoadFolder = "load the checkpoint's folder of safetensors";

// What a row looks at.
struct File {
    const Gguf& gguf;
    const Config& c;
    bool has(const std::string& key) const { return gguf.value(c.architecture + "." + key); }
    bool has_tensor(const std::string& end) const {
        return std::ranges::any_of(gguf.tensors(), [&](const GgufTensor& tensor) { return tensor.name.ends_with(end); });
    }
    // Whether one of its names has that word.
    bool is_called(const std::string& word) const {
        for (const char* key : {"general.name", "general.basename", "general.base_model.0.name"}) {
            const auto found = gguf.text(key);
            std::string name = found && *found ? **found : "";
            std::ranges::transform(name, name.begin(), [](unsigned char letter) { return char(std::tolower(letter)); });
            if (name.find(word) != name.npos) return true;
        }
        return false;
    }
};

// Mistral's models with a window have the angles of the first Llama; later ones have others, and no window.
constexpr int kMistralWindow = 4096;
bool may_be_mistral(const File& f) {
    const bool of_7b = f.c.layers == 32 && f.c.hidden == 4096 && f.c.layer[0].ffn == 14336;
    return f.c.experts == 0 && f.c.ropes[0].base == 10000 && (of_7b || f.is_called("mistral")) && !f.has("attention.sliding_window_pattern");
}

// A window that no layer is said to have.
bool has_unplaced_window(const File& f) {
    const auto window = f.gguf.integer(f.c.architecture + ".attention.sliding_window");
    return window && *window && **window > 0 && **window < f.c.trained_context && !f.has("attention.sliding_window_pattern") && !may_be_mistral(f);
}

// gpt-oss as published does not round the ends of yarn's ramp, which every GGUF of it leaves out.
bool may_not_round(const File& f) {
    const RopeConfig& rope = f.c.ropes[0];
    return rope.yarn_factor != 1 && !f.has("rope.scaling.truncate") && yarn_ramp(rope, true) != yarn_ramp(rope, false);
}

bool is_llama3_without_divisors(const File& f) {
    constexpr float kBaseOfLlama3 = 500000;
    constexpr int kContextOfLlama30 = 8192;
    return f.c.ropes[0].base == kBaseOfLlama3 && f.c.trained_context > kContextOfLlama30 && !f.has("rope.scaling.type") && !f.has_tensor("rope_freqs.weight");
}

// Gemma 3 of 270M, 1B, 4B, 12B and 27B.
bool is_published_gemma3(const File& f) { return std::ranges::count(std::vector{18, 26, 34, 48, 62}, f.c.layers) > 0; }
bool is_large_gemma3(const File& f) { return is_published_gemma3(f) && f.c.layers >= 34; }

bool is_published_olmoe(const File& f) { return f.c.layers == 16 && f.c.hidden == 2048 && f.c.experts == 64; }

struct Row {
    const char* architecture;
    const char* key;           // below the architecture, or a tensor
    bool (*applies)(const File&);
    const char* taken;
    const char* remedy = kLoadFolder;
    int beyond = 0;            // Unsaid::beyond
};

const Row kRows[] = {
    {"llama", "attention.sliding_window", may_be_mistral,
     "GGUF has no window for Mistral: every layer is taken to see all positions. Mistral 7B v0.1 and what was made from it see 4096, and answer differently beyond them",
     "load the checkpoint's folder of safetensors, or a context of at most 4096 tokens", kMistralWindow},
    {"llama", "attention.sliding_window_pattern", has_unplaced_window,
     "the file has a window (attention.sliding_window) and does not say which layers see no further: every layer is taken to see all positions, as llama.cpp has it. A model that was "
     "trained with the window answers differently beyond it",
     "load the checkpoint's folder of safetensors, or a context of at most the window"},
    {"llama", "rope_freqs.weight", is_llama3_without_divisors,
     "it looks like a Llama 3.1 or later, converted before its scaled angles were: they are taken as they are for 8192 tokens",
     "fetch a newer conversion, or load the checkpoint's folder of safetensors"},
    {"gpt-oss", "rope.scaling.truncate", may_not_round,
     "GGUF has no such key: yarn's ramp is taken to begin and end at whole dimensions, as llama.cpp has it. OpenAI's checkpoints say that it does not, and every angle differs a little"},
    {"gemma3", "attention.scale", [](const File& f) { return !f.has("attention.scale") && !is_published_gemma3(f); },
     "GGUF has no query_pre_attn_scalar: it is taken to be the size of a head, and this is no size of Gemma 3 whose checkpoint is known to say so"},
    {"gemma3", "attention.sliding_window_pattern", [](const File& f) { return !f.has("attention.sliding_window_pattern") && !is_published_gemma3(f); },
     "every sixth layer is taken to see all positions, and this is no size of Gemma 3 whose checkpoint is known to say so"},
    {"gemma3", "rope.scaling.type", [](const File& f) { return is_large_gemma3(f) && !f.has("rope.scaling.type") && f.c.ropes[0].scale == 1; },
     "positions are taken as they are. Gemma 3 of 4B, 12B and 27B divides them by 8 in layers that see all of them",
     "fetch a newer conversion, or load the checkpoint's folder of safetensors"},
    {"olmoe", "attention.layer_norm_rms_epsilon", [](const File& f) { return f.c.norm_epsilon == 1e-5f && !is_published_olmoe(f); },
     "converters write 1e-05 whatever the checkpoint says, and drop its clip_qkv: both are taken to be OLMoE's own, and this is no size of it"},
    {"deepseek2", "expert_gating_func", [](const File& f) { return f.c.experts > 0 && !f.has("expert_gating_func") && !f.has_tensor("exp_probs_b.bias"); },
     "experts are taken to be scored by a sigmoid, as in DeepSeek-V3; an older conversion of DeepSeek-V2, which has a softmax, leaves the key out too"},
    {"deepseek2", "rope.scaling.yarn_log_multiplier", [](const File& f) { return f.c.ropes[0].yarn_factor != 1 && !f.has("rope.scaling.yarn_log_multiplier"); },
     "yarn is taken not to sharpen attention (mscale_all_dim 0); DeepSeek-V3's checkpoint says 1",
     "fetch a newer conversion, or load the checkpoint's folder of safetensors"},
};

}  // namespace

std::vector<Unsaid> unsaid(const Gguf& gguf, const Config& config) {
    std::vector<Unsaid> out;
    const File file{gguf, config};
    for (const Row& row : kRows) {
        if (config.architecture != row.architecture || !row.applies(file)) continue;
        const std::string prefix = std::string(row.key).ends_with(".weight") ? "" : config.architecture + ".";
        out.push_back({prefix + row.key, row.taken, row.remedy, row.beyond});
    }
    return out;
}

}  // namespace engine
