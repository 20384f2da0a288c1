#include "engine/model/config.h"

#include <cmath>

namespace engine {
namespace {

using base::Code;

constexpr std::int64_t kMostLayers = 4096, kMostWidth = 1 << 20, kMostExperts = 4096;

// Reads keys below "ARCHITECTURE." and remembers the first error, so that read_config reads as a list.
class Keys {
public:
    Keys(const Gguf& gguf, std::string prefix) : gguf_(gguf), prefix_(std::move(prefix) + ".") {}

    int required(const char* key, std::int64_t least, std::int64_t most) { return integer(key, least, most, nullptr); }
    int optional(const char* key, int otherwise, std::int64_t least, std::int64_t most) {
        return integer(key, least, most, &otherwise);
    }

    float real(const char* key, float otherwise) {
        auto value = gguf_.real(prefix_ + key);
        if (!value) return fail(std::move(value).error()), otherwise;
        return *value ? float(**value) : otherwise;
    }

    bool boolean(const char* key, bool otherwise) {
        auto value = gguf_.boolean(prefix_ + key);
        if (!value) return fail(std::move(value).error()), otherwise;
        return value->value_or(otherwise);
    }

    std::string text(const char* key) {
        auto value = gguf_.text(prefix_ + key);
        if (!value) return fail(std::move(value).error()), std::string();
        return value->value_or("");
    }

    void fail(base::Error e) {
        if (!error_) error_ = std::move(e);
    }
    void check(bool fine, const std::string& what) {
        if (!fine) fail(gguf_.error(what));
    }
    const std::optional<base::Error>& error() const { return error_; }

private:
    int integer(const char* key, std::int64_t least, std::int64_t most, const int* otherwise) {
        const std::string full = prefix_ + key;
        auto value = gguf_.integer(full);
        if (!value) return fail(std::move(value).error()), int(least);
        if (!*value) {
            if (!otherwise) fail(gguf_.error("key '" + full + "' is missing"));
            return otherwise ? *otherwise : int(least);
        }
        if (**value < least || **value > most) {
            fail(gguf_.error("key '" + full + "' is " + std::to_string(**value) + ", expected " + std::to_string(least) +
                             " to " + std::to_string(most)));
            return int(least);
        }
        return int(**value);
    }

    const Gguf& gguf_;
    std::string prefix_;
    std::optional<base::Error> error_;
};

const Family* find_family(const std::string& name) {
    for (const auto& family : families())
        if (name == family.name) return &family;
    return nullptr;
}

base::Error unknown_architecture(const Gguf& gguf, const std::string& name) {
    std::string known;
    for (const auto& family : families()) known += (known.empty() ? "" : ", ") + std::string(family.name);
    return gguf.error("has the architecture '" + name + "'; this engine runs " + known, Code::unsupported);
}

// Linear scaling divides positions; other kinds change frequencies and are refused unless the file
// bakes them as rope_freqs.weight (llama3).
void read_rope(Keys& keys, Config& c) {
    c.rope_base = keys.real("rope.freq_base", 10000);
    keys.check(std::isfinite(c.rope_base) && c.rope_base > 1, "rope.freq_base must be a number above 1");
    c.rope_dim = keys.optional("rope.dimension_count", c.head_dim, 2, kMostWidth);
    keys.check(c.rope_dim % 2 == 0 && c.rope_dim <= c.head_dim,
               "rope.dimension_count is " + std::to_string(c.rope_dim) + ", expected an even number up to the head size " +
                   std::to_string(c.head_dim));
    const std::string scaling = keys.text("rope.scaling.type");
    if (scaling == "linear") {
        c.rope_scale = keys.real("rope.scaling.factor", 1);
        keys.check(std::isfinite(c.rope_scale) && c.rope_scale > 0, "rope.scaling.factor must be above 0");
    } else if (!scaling.empty() && scaling != "none") {
        keys.check(false, "has rope scaling of type '" + scaling + "'; this engine runs none, linear and llama3's table");
    }
}

void read_heads(Keys& keys, Config& c) {
    c.heads = keys.required("attention.head_count", 1, kMostWidth);
    c.kv_heads = keys.optional("attention.head_count_kv", c.heads, 1, kMostWidth);
    keys.check(c.heads % c.kv_heads == 0, "attention.head_count is " + std::to_string(c.heads) +
                                              ", expected a multiple of head_count_kv " + std::to_string(c.kv_heads));
    const int key_length = keys.optional("attention.key_length", 0, 1, 1024);
    keys.check(key_length > 0 || c.hidden % c.heads == 0,
               "embedding_length " + std::to_string(c.hidden) + " is not a multiple of head_count " + std::to_string(c.heads));
    c.head_dim = key_length > 0 ? key_length : c.hidden / c.heads;
    const int value_length = keys.optional("attention.value_length", c.head_dim, 1, 1024);
    keys.check(value_length == c.head_dim, "key and value lengths differ (" + std::to_string(c.head_dim) + ", " +
                                               std::to_string(value_length) + "); this engine wants them equal");
}

void read_experts(Keys& keys, Config& c) {
    c.experts = keys.optional("expert_count", 0, 0, kMostExperts);
    c.ffn = keys.optional("feed_forward_length", 0, 0, kMostWidth);
    if (c.experts == 0) {
        keys.check(c.ffn > 0, "feed_forward_length is missing or 0");
        return;
    }
    c.experts_used = keys.required("expert_used_count", 1, c.experts);
    c.expert_ffn = keys.optional("expert_feed_forward_length", c.ffn, 1, kMostWidth);
    c.normalise_experts = keys.boolean("expert_weights_norm", c.family->normalise_experts);
    c.expert_scale = keys.real("expert_weights_scale", 1);
    if (c.expert_scale == 0) c.expert_scale = 1;  // converters write 0 for "not scaled"
    keys.check(c.expert_ffn > 0, "the experts' feed_forward_length is missing or 0");
}

}  // namespace

const std::vector<Family>& families() {
    static const std::vector<Family> rows = {
        //  name        pairing                  qkv_bias  qk_norm  normalise_experts
        {"llama", RopePairing::adjacent, false, false, true},
        {"qwen2", RopePairing::neox, true, false, false},
        {"qwen3", RopePairing::neox, false, true, false},
        {"qwen3moe", RopePairing::neox, false, true, true},
    };
    return rows;
}

base::Result<Config> read_config(const Gguf& gguf) {
    auto architecture = gguf.text("general.architecture");
    if (!architecture) return std::move(architecture).error();
    if (!*architecture) return gguf.error("key 'general.architecture' is missing: this is not a model");
    Config c;
    c.architecture = **architecture;
    c.family = find_family(c.architecture);
    if (!c.family) return unknown_architecture(gguf, c.architecture);
    auto named = gguf.text("general.name");
    if (!named) return std::move(named).error();
    c.name = named->value_or(gguf.path().stem().string());

    Keys keys(gguf, c.architecture);
    c.layers = keys.required("block_count", 1, kMostLayers);
    c.hidden = keys.required("embedding_length", 1, kMostWidth);
    c.trained_context = keys.optional("context_length", 0, 0, std::int64_t(1) << 32);
    c.norm_epsilon = keys.real("attention.layer_norm_rms_epsilon", 1e-5f);
    keys.check(std::isfinite(c.norm_epsilon) && c.norm_epsilon >= 0, "layer_norm_rms_epsilon must be a number from 0");
    read_heads(keys, c);
    if (!keys.error()) read_rope(keys, c);
    if (!keys.error()) read_experts(keys, c);
    if (keys.error()) return *keys.error();

    const GgufTensor* embedding = gguf.tensor("token_embd.weight");
    if (!embedding) return gguf.error("tensor 'token_embd.weight' is missing");
    if (embedding->dims.size() != 2 || embedding->dims[1] > std::uint64_t(INT32_MAX))
        return gguf.error("tensor 'token_embd.weight' has shape " + embedding->shape() + ", expected [" +
                          std::to_string(c.hidden) + ", vocabulary]");
    c.vocabulary = int(embedding->dims[1]);
    return c;
}

base::Result<Sampling> read_sampling(const Gguf& gguf) {
    Sampling out;
    std::optional<base::Error> failed;
    auto real = [&](const char* key, float& field) {
        auto value = gguf.real(std::string("general.sampling.") + key);
        if (!value) failed = std::move(value).error();
        else if (*value) field = float(**value);
    };
    float top_k = float(out.top_k);
    real("temp", out.temperature);
    real("top_p", out.top_p);
    real("min_p", out.min_p);
    real("penalty_repeat", out.repetition_penalty);
    real("top_k", top_k);
    out.top_k = int(top_k);
    if (failed) return *failed;
    return out;
}

}  // namespace engine
