// config.json of a checkpoint: its family, and what it says by the keys that GGUF has for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/model/checkpoint_names.h"
#include "engine/model/config_keys.h"

namespace engine {

// What it says by a key of that name of tensors that a layer may have or not; null: nothing.
struct SaidPart {
    const char* key = nullptr;
    bool value = false;
    const char* shown = value ? "true" : "false";
};

struct CheckpointConfig {
    std::string file;                 // that errors name
    const char* architecture = nullptr;
    std::vector<const NameTable*> names;  // of its tensors, the more special table first
    base::Json keys;                  // "llama.block_count": …
    base::Json shown;                 // by the same keys: what config.json calls them
    std::optional<bool> tied;         // whether the output is the embedding
    SaidPart attention_bias, output_bias, ffn_bias, scan_bias, choice_bias, query_norm;
    int drafting = 0;                 // blocks for drafting behind its layers
};

// The text model's part of a wrapper's configuration, an object, comes last; the outermost is first.
std::vector<const base::Json*> text_parts(const base::Json& config);

// How many blocks for drafting it says that there are, in any family's words.
int blocks_for_drafting(const std::vector<const base::Json*>& parts);

// Refuses a configuration whose class gives labels or scores, not text or a vector of one: Qwen3ForSequenceClassification.
base::Result<void> check_class(const base::Json& config, const std::string& file);

// Both the spelling of transformers 4 and that of 5, and text models inside a wrapper.
base::Result<CheckpointConfig> read_checkpoint_config(const base::Json& config, const std::string& file);

class CheckpointKeys final : public KeyValues {
public:
    explicit CheckpointKeys(const CheckpointConfig& config) : config_(config) {}
    bool has(const std::string& key) const override { return config_.keys.contains(key); }
    bool is_array(const std::string& key) const override { return has(key) && config_.keys.at(key).is_array(); }
    base::Result<std::optional<std::string>> text(const std::string& key) const override;
    base::Result<std::optional<std::int64_t>> integer(const std::string& key) const override;
    base::Result<std::optional<double>> real(const std::string& key) const override;
    base::Result<std::optional<bool>> boolean(const std::string& key) const override;
    base::Result<std::optional<std::vector<std::int64_t>>> integers(const std::string& key) const override;
    std::optional<std::vector<bool>> flags(const std::string& key) const override;
    std::string shown(const std::string& key) const override;
    bool has_experts(int layer) const override;
    base::Result<int> vocabulary(int hidden) const override;
    base::Error error(std::string what, base::Code code) const override;

private:
    base::Error wrong(const std::string& key, const char* expected) const;
    const CheckpointConfig& config_;
};

}  // namespace engine
