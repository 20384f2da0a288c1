// What checkpoints call the tensors that GGUF has names for, and the steps from one form to the other. A table a family.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace engine {

enum class Step {
    as_is,
    plus_one,           // norms whose weight is stored less one
    minus_exp,          // A_log: its value is -exp(stored)
    first_half, second_half,      // rows of a matrix that holds two
    even_outputs, odd_outputs,    // gpt_oss's gate and up: stored (experts, inputs, outputs), taking turns
    transposed,                   // (experts, inputs, outputs), unless the shape says otherwise
    head_keys, head_values,       // MLA's kv_b: each head's keys, then its values; keys are wanted transposed
    delta_qkv, delta_gate         // qwen3_next's in_proj_qkvz: of each key head its query, key, values and gates
};

// `ours` and `theirs` name modules, which have a .weight and may have a .bias, or whole tensors. N is the layer; where `theirs`
// has an E, it is one module an expert. `theirs` is what follows the model's prefix ("model."), or that of the output after ^;
// blocks behind the last layer, which draft, follow "mtp." and are counted from 0 there.
struct NameRow {
    const char* ours;
    const char* theirs;
    Step step = Step::as_is;
};
using NameTable = std::span<const NameRow>;

extern const NameTable kLlamaNames, kExpertNames, kMixtralNames, kMinimaxNames, kOlmo2Names, kDeepseekNames, kGraniteNames, kGraniteHybridNames,
    kGraniteDenseNames, kGemma3Names, kGemma4Names, kGptOssNames, kLfm2Names, kQwen3NextNames, kQwen3VlNames;

// Where the text model begins: before its layers and before its head.
struct TextPrefix {
    const char *layers, *head;
};
std::span<const TextPrefix> text_prefixes();

// Tensors of a checkpoint that a text model without drafting does not have: towers of other senses, blocks for drafting.
// `name` is whole.
bool left_out(std::string_view name);

}  // namespace engine
