// An encoder out of a GGUF of the architecture "bert".
#include <algorithm>
#include <cmath>

#include "engine/model/config.h"
#include "engine/model/draft_blocks.h"
#include "engine/model/encoder_file.h"
#include "engine/model/gguf_file.h"
#include "engine/model/gguf_keys.h"

namespace engine {
namespace {

using base::Code;

constexpr const char* kArchitecture = "bert";
constexpr std::int64_t kMostLayers = 4096, kMostWidth = 1 << 20;

class GgufEncoder final : public EncoderFile {
public:
    explicit GgufEncoder(std::unique_ptr<Gguf> gguf) : gguf_(std::move(gguf)) {}

    std::optional<StoredTensor> find(const std::string& name) const override {
        const GgufTensor* tensor = gguf_->tensor(name);
        if (!tensor) return std::nullopt;
        return StoredTensor{tensor->format, {tensor->dims.rbegin(), tensor->dims.rend()}, tensor->data};
    }
    void release(const StoredTensor& tensor) const override { MappedFile::release(tensor.data); }
    // A head for other tasks lies behind the states, which are all that is taken here.
    base::Result<void> finish(const std::set<std::string>& used) const override {
        for (const GgufTensor& tensor : gguf_->tensors())
            if (!used.contains(tensor.name) && !tensor.name.starts_with("cls.")) return gguf_->error(tensor, "is used by nothing in an encoder", Code::unsupported);
        return {};
    }
    std::uint64_t bytes() const override { return gguf_->file_bytes(); }
    base::Error error(std::string what, Code code) const override { return gguf_->error(std::move(what), code); }
    const Gguf& gguf() const { return *gguf_; }

private:
    std::unique_ptr<Gguf> gguf_;
};

// A file without the key is of a model that says nothing of pooling; sentence-transformers takes the mean then.
Pooling read_pooling(ConfigKeys& keys) {
    const int type = keys.optional("pooling_type", 1, 0, 1 << 20);
    const auto pooling = pooling_of(type);
    if (!pooling) keys.fail(keys.values().error("has the pooling_type " + std::to_string(type) + "; this engine runs 1 (mean), 2 (cls) and 3 (last)", Code::unsupported));
    return pooling.value_or(Pooling::mean);
}

// Rows of a table with H columns; 0 where the file has none.
int rows_of(const Gguf& gguf, const char* table) {
    const GgufTensor* tensor = gguf.tensor(table);
    return tensor && tensor->dims.size() == 2 ? int(std::min<std::uint64_t>(tensor->dims[1], kMostWidth)) : 0;
}

base::Result<void> read(const Gguf& gguf, EncoderConfig& c) {
    auto named = gguf.text("general.name");
    if (!named) return std::move(named).error();
    c.name = named->value_or(gguf.path().stem().string());
    const GgufKeys values(gguf);
    ConfigKeys keys(values, kArchitecture);
    c.layers = keys.required("block_count", 1, kMostLayers);
    c.hidden = keys.required("embedding_length", 1, kMostWidth);
    c.ffn = keys.required("feed_forward_length", 1, kMostWidth);
    c.heads = keys.required("attention.head_count", 1, kMostWidth);
    c.norm_epsilon = keys.real("attention.layer_norm_epsilon", 1e-12f);
    keys.check(std::isfinite(c.norm_epsilon) && c.norm_epsilon >= 0, "layer_norm_epsilon must be a number from 0");
    if (keys.boolean("attention.causal", false)) keys.fail(gguf.error("has causal attention; this engine runs encoders without", Code::unsupported));
    c.vocabulary = rows_of(gguf, "token_embd.weight");
    c.positions = rows_of(gguf, "position_embd.weight");
    c.token_types = rows_of(gguf, "token_types.weight");
    c.context = std::min(c.positions, keys.optional("context_length", c.positions, 1, kMostWidth));
    c.pooling = read_pooling(keys);
    if (!keys.error()) keys.check(c.hidden % c.heads == 0, "embedding_length " + std::to_string(c.hidden) + " is not a multiple of head_count " + std::to_string(c.heads));
    if (keys.error()) return *keys.error();
    DraftBlocks blocks("blk.", c.layers, 0);
    for (const GgufTensor& tensor : gguf.tensors()) blocks.see(tensor.name);
    for (const GgufTensor& tensor : gguf.tensors())
        if (const auto stray = blocks.stray(tensor.name, std::string(kArchitecture) + ".block_count")) return gguf.error(tensor, *stray);
    return {};
}

}  // namespace

bool is_encoder_gguf(const std::filesystem::path& path) {
    const auto gguf = Gguf::open_whole(path);  // any part of one that was split
    if (!gguf) return false;
    const auto architecture = (*gguf)->text("general.architecture");
    return architecture && *architecture == kArchitecture;
}

base::Result<std::unique_ptr<EncoderFile>> open_encoder_gguf(const std::filesystem::path& path) {
    auto gguf = Gguf::open_whole(path);
    if (!gguf) return std::move(gguf).error();
    if (auto model = check_is_model(**gguf); !model) return std::move(model).error();
    auto out = std::make_unique<GgufEncoder>(*std::move(gguf));
    if (auto done = read(out->gguf(), out->config); !done) return std::move(done).error();
    auto vocabulary = read_vocabulary(out->gguf());
    if (!vocabulary) return std::move(vocabulary).error();
    out->vocabulary = *std::move(vocabulary);
    return std::unique_ptr<EncoderFile>(std::move(out));
}

}  // namespace engine
