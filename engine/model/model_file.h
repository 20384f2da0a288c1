// A model where it lies, whatever container holds it: its shape, its vocabulary, its tensors.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/model/chat_templates.h"
#include "engine/model/config.h"
#include "engine/model/tensor_source.h"
#include "engine/model/unsaid.h"
#include "engine/request.h"
#include "text/tokenizer.h"

namespace engine {

// What people call it: E2M1 is how this engine has the NVFP4 of safetensors.
const char* shown_name(Format format);

struct WeightImage;

class ModelFile {
public:
    // A GGUF; a converted file; or a checkpoint in Hugging Face's form, by its folder, its config.json, its .safetensors or their index.
    static base::Result<std::unique_ptr<ModelFile>> open(const std::filesystem::path& path);
    virtual ~ModelFile() = default;

    virtual const std::filesystem::path& path() const = 0;
    virtual std::uint64_t file_bytes() const = 0;
    // That nothing was cut from its files since they were opened: who touches a mapping where its file ends no more, dies of it.
    virtual bool is_whole() const = 0;
    virtual base::Result<Config> config() const = 0;
    virtual base::Result<text::Vocabulary> vocabulary() const = 0;
    virtual base::Result<Sampling> sampling() const = 0;  // fields that the file does not name stay at `Sampling{}`
    virtual base::Result<ChatTemplates> chat_templates() const = 0;
    // Views of this file, which must outlive it and what it gave.
    virtual std::unique_ptr<TensorSource> tensors(const Config& config) const = 0;
    // What a description adds up; only of what is stored, not of what is used.
    struct Sizes {
        std::string format;                         // "Q4_K_M", "BF16"
        std::uint64_t parameters = 0, active_parameters = 0, bytes_per_token = 0;
    };
    virtual base::Result<Sizes> sizes(const Config& config) const = 0;
    // Of a converted file: its weights, which are mapped. Else null.
    virtual const WeightImage* image() const { return nullptr; }
    virtual std::vector<Unsaid> unsaid(const Config&) const { return {}; }
    // An error that begins with the file's name.
    virtual base::Error error(std::string what, base::Code code = base::Code::corrupt) const = 0;
};

}  // namespace engine
