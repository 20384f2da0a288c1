// A GGUF as a ModelFile.
#pragma once

#include <string_view>

#include "engine/model/gguf.h"
#include "engine/model/model_file.h"

namespace engine {

// Refuses by name a GGUF that says that it is something else than a model: an adapter, a projector, an importance matrix.
base::Result<void> check_is_model(const Gguf& gguf);
// Whether a tensor is of a part for images or sounds, which a text model does not have.
bool is_of_other_senses(std::string_view name);
base::Result<text::Vocabulary> read_vocabulary(const Gguf& gguf);
base::Result<ChatTemplates> read_chat_templates(const Gguf& gguf);  // tokenizer.chat_template, .chat_templates and what these name

class GgufFile final : public ModelFile {
public:
    static base::Result<std::unique_ptr<ModelFile>> open(const std::filesystem::path& path);
    explicit GgufFile(std::unique_ptr<Gguf> gguf) : gguf_(std::move(gguf)) {}

    const Gguf& gguf() const { return *gguf_; }
    const std::filesystem::path& path() const override { return gguf_->path(); }
    std::uint64_t file_bytes() const override { return gguf_->file_bytes(); }
    bool is_whole() const override { return gguf_->is_whole(); }
    base::Result<Config> config() const override;
    base::Result<text::Vocabulary> vocabulary() const override { return read_vocabulary(*gguf_); }
    base::Result<Sampling> sampling() const override;  // general.sampling.*
    base::Result<ChatTemplates> chat_templates() const override;
    std::unique_ptr<TensorSource> tensors(const Config& config) const override;
    base::Result<Sizes> sizes(const Config& config) const override;
    std::vector<Unsaid> unsaid(const Config& config) const override { return engine::unsaid(*gguf_, config); }
    base::Error error(std::string what, base::Code code) const override { return gguf_->error(std::move(what), code); }

private:
    std::unique_ptr<Gguf> gguf_;
};

}  // namespace engine
