// The files that an encoder lies in, read alike: a GGUF of the architecture "bert", or a folder as sentence-transformers
// writes it (config.json, model.safetensors, modules.json, the pooling's config.json, tokenizer.json or vocab.txt). What they
// say and this engine does not do is refused, never ignored.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/model/encoder.h"
#include "text/tokenizer.h"

namespace engine {

struct StoredTensor {
    Format format = Format::f32;
    std::vector<std::uint64_t> shape;    // slowest first
    std::span<const std::uint8_t> data;  // of any alignment
};

class EncoderFile {
public:
    virtual ~EncoderFile() = default;

    EncoderConfig config;
    text::Vocabulary vocabulary;         // a text's tokens begin with its bos and end with its eos, where it adds them

    // By its name in GGUF: "blk.0.attn_q.weight".
    virtual std::optional<StoredTensor> find(const std::string& name) const = 0;
    // Gives the memory of a tensor back that was copied; its bytes are read anew when touched.
    virtual void release(const StoredTensor& tensor) const = 0;
    // Whether it has weights of layers or embeddings that are none of these.
    virtual base::Result<void> finish(const std::set<std::string>& used) const = 0;
    virtual std::uint64_t bytes() const = 0;
    // An error that begins with the file's name.
    virtual base::Error error(std::string what, base::Code code = base::Code::corrupt) const = 0;
};

// Whether the path is of an encoder. False too for what cannot be read: whoever loads it says why.
bool is_encoder(const std::filesystem::path& path);
base::Result<std::unique_ptr<EncoderFile>> open_encoder(const std::filesystem::path& path);

// encoder_gguf.cpp
bool is_encoder_gguf(const std::filesystem::path& path);
base::Result<std::unique_ptr<EncoderFile>> open_encoder_gguf(const std::filesystem::path& path);
// encoder_folder.cpp
bool is_encoder_folder(const std::filesystem::path& folder);
base::Result<std::unique_ptr<EncoderFile>> open_encoder_folder(const std::filesystem::path& folder);

}  // namespace engine
