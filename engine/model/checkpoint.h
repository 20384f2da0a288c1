// A checkpoint in Hugging Face's form as a ModelFile: config.json and, beside it, weights as safetensors, tokenizer.json,
// tokenizer_config.json, generation_config.json, chat_template.jinja and additional_chat_templates/, hf_quant_config.json.
#pragma once

#include "base/json.h"
#include "engine/model/checkpoint_config.h"
#include "engine/model/checkpoint_files.h"
#include "engine/model/model_file.h"
#include "engine/model/quantisation.h"
#include "engine/model/safetensors.h"

namespace engine {

class Checkpoint final : public ModelFile {
public:
    // The folder, its config.json, a .safetensors or the index of several.
    static bool is_one(const std::filesystem::path& path);
    static base::Result<std::unique_ptr<ModelFile>> open(const std::filesystem::path& path);
    // Without weights: what the files beside them say. file_bytes, is_whole, tensors and sizes are not for such a one.
    static base::Result<std::unique_ptr<ModelFile>> describe(const std::filesystem::path& path, CheckpointFiles files);
    const CheckpointFiles& files() const { return files_; }

    const std::filesystem::path& path() const override { return path_; }
    std::uint64_t file_bytes() const override { return weights_->file_bytes(); }
    bool is_whole() const override { return weights_->is_whole(); }
    base::Result<Config> config() const override;
    base::Result<text::Vocabulary> vocabulary() const override;
    base::Result<Sampling> sampling() const override;
    base::Result<ChatTemplates> chat_templates() const override;
    std::unique_ptr<TensorSource> tensors(const Config& config) const override;
    std::vector<Unsaid> unsaid(const Config& config) const override;
    base::Result<Sizes> sizes(const Config& config) const override;
    base::Error error(std::string what, base::Code code) const override;

private:
    explicit Checkpoint(std::filesystem::path path, CheckpointFiles files) : path_(std::move(path)), files_(std::move(files)) {}
    base::Result<void> read_configs();
    base::Result<text::Vocabulary> read_tokenizer(const char* file) const;

    std::filesystem::path path_;
    CheckpointFiles files_;
    std::unique_ptr<Safetensors> weights_;
    base::Json raw_config_, generation_;
    CheckpointConfig checkpoint_;
    Quantisation quantisation_;
};

}  // namespace engine
