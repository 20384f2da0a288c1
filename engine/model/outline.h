// What a model's file says of itself by its container alone, also one that this engine cannot run. Nothing is checked and
// nothing fails: what cannot be read is left out, and whoever loads the file says why.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

// Tensors of one kind that are stored in one format.
struct TensorShare {
    std::string kind, format;      // "experts", "Q4_K"; "INT4" of weights that are packed into wider integers
    std::uint64_t tensors = 0, values = 0, bytes = 0;
};

struct Outline {
    std::string container;         // "GGUF version 3", "safetensors in 2 files"; empty: none that this engine reads
    std::string name, architecture, tokenizer, quantisation;  // as the file calls them
    std::uint64_t bytes = 0;       // of all its files
    int layers = 0, hidden = 0, heads = 0, kv_heads = 0, vocabulary = 0, experts = 0, experts_used = 0, context = 0;  // 0: not said
    std::string chat_template;
    std::string contradicted;      // what the file says of itself and its tensors do not; empty: nothing
    std::vector<TensorShare> tensors;  // as stored, the largest share first
    std::uint64_t values() const;  // the scales and zero points of quantised weights are none
};
Outline read_outline(const std::filesystem::path& path);

// By the name that GGUF or a checkpoint gives it: "attention", "experts", "norms", "scales", "vision", … `recurrent`: its layer has a
// recurrent mixer.
std::string_view kind_of_tensor(std::string_view name, bool recurrent);

}  // namespace engine
