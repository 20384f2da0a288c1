#include "engine/model/config.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>

#include "engine/model/config_keys.h"

namespace engine {
namespace {

using base::Code;

constexpr std::int64_t kMostLayers = 4096, kMostWidth = 1 << 20, kMostExperts = 4096;

const Family* find_family(const std::string& name) {
    for (const auto& family : families())
        if (name == family.name) return &family;
    return nullptr;
}

base::Error unknown_architecture(const KeyValues& values, const std::string& name) {
    std::string known;
    for (const auto& family : families()) known += (known.empty() ? "" : ", ") + std::string(family.name);
    return values.error("has the architecture '" + name + "'; this engine runs " + known + ", and bert for embeddings", Code::unsupported);
}

// Divisors of a frequency each. llama3: those whose wave is longer than the original context / low_freq_factor are divided by
// the factor, those of waves shorter than it / high_freq_factor stay, and between them there is a ramp.
std::vector<float> llama3_divisors(ConfigKeys& keys, const RopeConfig& rope, float factor) {
    const double original = keys.real("rope.scaling.original_context_length", 0);
    const double low = keys.real("rope.scaling.low_freq_factor", 1), high = keys.real("rope.scaling.high_freq_factor", 4);
    keys.check(original > 0 && low > 0 && high > low, "llama3's rope scaling wants original_context_length above 0 and high_freq_factor above low_freq_factor");
    std::vector<float> out;
    for (int i = 0; i < rope.dim / 2; ++i) {
        const double wave = 2 * std::numbers::pi * std::pow(double(rope.base), 2.0 * i / rope.dim);
        const double ramp = std::clamp((original / wave - low) / (high - low), 0.0, 1.0);
        out.push_back(float(1 / ((1 - ramp) / factor + ramp)));
    }
    return out;
}

// Linear scaling, which a factor without a type is too, divides positions; yarn changes frequencies and the length of what is rotated; llama3 divides frequencies,
// in GGUF by a tensor (rope_freqs.weight); proportional rotates the first pairs of the head only. Others are refused.
RopeConfig read_rope(ConfigKeys& keys, int head_dim) {
    RopeConfig out;
    out.base = keys.real("rope.freq_base", 10000);
    keys.check(std::isfinite(out.base) && out.base > 1, "rope.freq_base must be a number above 1");
    out.dim = keys.optional("rope.dimension_count", head_dim, 2, kMostWidth);
    keys.check(out.dim % 2 == 0 && out.dim <= head_dim, "rope.dimension_count is " + std::to_string(out.dim) +
                                                            ", expected an even number up to the head size " + std::to_string(head_dim));
    out.divisors_in_file = true;
    const std::string scaling = keys.text("rope.scaling.type");
    const float factor = keys.real("rope.scaling.factor", keys.real("rope.scale_linear", 1));  // the latter of GGUF's first writers
    keys.check(std::isfinite(factor) && factor > 0, "rope.scaling.factor must be above 0");
    if (scaling == "linear" || scaling.empty()) {
        out.scale = factor;
    } else if (scaling == "llama3") {
        out.divisor = llama3_divisors(keys, out, factor);
    } else if (scaling == "proportional") {
        constexpr float kStill = 1e30f;  // leaves nothing of a frequency
        out.divisor.assign(std::size_t(out.dim / 2), kStill);
        std::fill_n(out.divisor.begin(), keys.required("rope.scaling.rotated", 0, out.dim / 2), factor);
    } else if (scaling == "yarn") {
        out.yarn_factor = factor;
        out.yarn_whole = keys.boolean("rope.scaling.truncate", true);
        out.yarn_original = keys.real("rope.scaling.original_context_length", 0);
        out.beta_fast = keys.real("rope.scaling.yarn_beta_fast", 32);
        out.beta_slow = keys.real("rope.scaling.yarn_beta_slow", 1);
        keys.check(out.yarn_original > 0 && out.beta_fast > 0 && out.beta_slow > 0, "yarn wants original_context_length, beta_fast and beta_slow above 0");
        out.magnitude = keys.real("rope.scaling.attn_factor", 1) * (factor > 1 ? 0.1f * std::log(factor) + 1 : 1);
        out.magnitude = keys.real("rope.scaling.magnitude", out.magnitude);
    } else if (scaling != "none") {
        keys.check(false, "has rope scaling of type '" + scaling + "'; this engine runs none, linear, llama3, yarn and proportional");
    }
    return out;
}

// Layers that see a window of positions, where the file says which.
void read_windows(ConfigKeys& keys, Config& c) {
    const std::vector<bool> local = keys.flags_of_layers("attention.sliding_window_pattern", c.layers);
    for (std::size_t i = 0; i < local.size(); ++i)
        if (local[i]) c.layer[i].window = keys.required("attention.sliding_window", 1, INT32_MAX);
}

void read_layers(ConfigKeys& keys, Config& c) {
    c.heads = keys.required("attention.head_count", 1, kMostWidth);
    const int key_length = keys.optional("attention.key_length", 0, 1, 1024);
    keys.check(key_length > 0 || c.hidden % c.heads == 0,
               "embedding_length " + std::to_string(c.hidden) + " is not a multiple of head_count " + std::to_string(c.heads));
    const int head_dim = key_length > 0 ? key_length : c.hidden / c.heads;
    const int value_length = keys.optional("attention.value_length", head_dim, 1, 1024);
    keys.check(value_length == head_dim || c.family->latent, "key and value lengths differ (" + std::to_string(head_dim) + ", " +
                                             std::to_string(value_length) + "); this engine wants them equal");
    const bool others = c.family->other_mixer != Mixer::attention;  // layers without attention have no such heads
    const std::vector<int> kv_heads = keys.of_layers("attention.head_count_kv", c.layers, c.heads, others ? 0 : 1, kMostWidth);
    const std::vector<int> ffn = keys.of_layers("feed_forward_length", c.layers, 0, 0, kMostWidth);
    for (int i = 0; i < c.layers && !keys.error(); ++i) {
        const auto at = std::size_t(i);
        keys.check(kv_heads[at] == 0 || c.heads % kv_heads[at] == 0, "attention.head_count is " + std::to_string(c.heads) +
                                                    ", expected a multiple of head_count_kv " + std::to_string(kv_heads[at]));
        c.layer.push_back({.mixer = kv_heads[at] ? Mixer::attention : c.family->other_mixer, .kv_heads = kv_heads[at], .head_dim = head_dim, .kv_layer = i, .ffn = ffn[at]});
    }
    if (!keys.error()) c.ropes.push_back(read_rope(keys, head_dim));
    if (!keys.error()) read_windows(keys, c);
}

void read_experts(ConfigKeys& keys, Config& c) {
    c.experts = keys.optional("expert_count", 0, 0, kMostExperts);
    if (c.experts == 0) {
        for (const LayerConfig& layer : c.layer) keys.check(layer.ffn > 0, "feed_forward_length is missing or 0");
        return;
    }
    c.experts_used = keys.required("expert_used_count", 1, c.experts);
    c.expert_ffn = keys.optional("expert_feed_forward_length", c.layer[0].ffn, 1, kMostWidth);
    c.normalise_experts = keys.boolean("expert_weights_norm", c.family->normalise_experts);
    c.expert_scale = keys.real("expert_weights_scale", 1);
    if (c.expert_scale == 0) c.expert_scale = 1;  // converters write 0 for "not scaled"
    keys.check(c.expert_ffn > 0, "the experts' feed_forward_length is missing or 0");
    for (int i = 0; i < c.layers; ++i) c.layer[std::size_t(i)].moe = keys.values().has_experts(i);
}

}  // namespace

std::pair<double, double> yarn_ramp(const RopeConfig& rope, bool whole) {
    const auto dimension_of = [&](double turns) {
        return rope.dim * std::log(rope.yarn_original / (turns * 2 * std::numbers::pi)) / (2 * std::log(double(rope.base)));
    };
    double low = dimension_of(rope.beta_fast), high = dimension_of(rope.beta_slow);
    if (whole) low = std::floor(low), high = std::ceil(high);
    low = std::max(low, 0.0), high = std::min(high, rope.dim - 1.0);
    if (high == low) high += 0.001;
    return {low, high};
}

std::size_t RecurrentConfig::state_values(Mixer mixer) const {
    const std::size_t columns = std::size_t(kernel - 1) * std::size_t(width), matrices = std::size_t(heads) * std::size_t(head_dim);
    switch (mixer) {
        case Mixer::attention: return 0;
        case Mixer::short_convolution: return columns;
        case Mixer::selective_scan: return columns + matrices * std::size_t(state_size);
        case Mixer::gated_delta: return columns + matrices * std::size_t(key_dim);
    }
    std::abort();
}

int Config::largest_ffn() const {
    int out = shared_ffn;
    for (const LayerConfig& one : layer) out = std::max(out, one.ffn);
    return out;
}

int Config::largest_heads_width() const {
    int out = 0;
    for (const LayerConfig& one : layer) out = std::max(out, heads * one.head_dim);
    return out;
}

int Config::largest_kv_width() const {
    int out = 0;
    for (const LayerConfig& one : layer) out = std::max(out, one.kv_heads * one.head_dim);
    return out;
}

int Config::largest_kv_heads() const {
    int out = 0;
    for (const LayerConfig& one : layer) out = std::max(out, one.kv_heads);
    return out;
}

namespace {

// What changes the arithmetic of a family: one that asks for the key follows it, another would run as if it were not said.
struct ArithmeticKey {
    const char* key;
    std::initializer_list<double> nothing;  // with these it says nothing; a flag is 0 or 1
};
constexpr double kOff = 0, kOne = 1;
const ArithmeticKey kArithmetic[] = {
    {"attention.clamp_kqv", {kOff}},    {"attention.causal", {kOne}},        {"attention.temperature_scale", {kOff, kOne}}, {"attention.max_alibi_bias", {kOff}},
    {"attn_logit_softcapping", {kOff}}, {"final_logit_softcapping", {kOff}}, {"logit_scale", {kOff, kOne}},                 {"residual_scale", {kOff, kOne}},
    {"embedding_scale", {kOff, kOne}},  {"use_parallel_residual", {kOff}},   {"swin_norm", {kOff}},                        {"expert_gating_func", {kOff, kOne}},
    {"expert_group_count", {kOff, kOne}}, {"expert_group_used_count", {kOff, kOne}},
};

std::optional<double> number_of(const KeyValues& values, const std::string& key) {
    if (auto flag = values.boolean(key); flag && *flag) return **flag ? kOne : kOff;
    auto number = values.real(key);
    return number ? *number : std::nullopt;
}

void refuse_unread(ConfigKeys& keys, const Config& c) {
    for (const ArithmeticKey& row : kArithmetic) {
        if (!keys.unread(row.key)) continue;
        const std::string full = keys.whole(row.key);
        const auto said = number_of(keys.values(), full);
        if (said && std::find(row.nothing.begin(), row.nothing.end(), *said) != row.nothing.end()) continue;
        char shown[32] = "of another type than its own";
        if (said) std::snprintf(shown, sizeof shown, "%g", *said);
        return keys.fail(keys.values().error("key '" + keys.values().shown(full) + "' is " + shown + ", which is not followed in a model of " + c.architecture, Code::unsupported));
    }
}

}  // namespace

base::Result<Config> read_config(const KeyValues& values) {
    auto architecture = values.text("general.architecture");
    if (!architecture) return std::move(architecture).error();
    if (!*architecture) return values.error("key 'general.architecture' is missing: this is not a model");
    Config c;
    c.architecture = **architecture;
    c.family = find_family(c.architecture);
    if (!c.family) return unknown_architecture(values, c.architecture);
    auto named = values.text("general.name");
    if (!named) return std::move(named).error();
    c.name = named->value_or("");

    ConfigKeys keys(values, c.architecture);
    const std::string pairing = keys.text("rope.pairing");
    c.pairing = pairing.empty() ? c.family->pairing : pairing == "adjacent" ? RopePairing::adjacent : RopePairing::neox;
    c.layers = keys.required("block_count", 1, kMostLayers);
    c.hidden = keys.required("embedding_length", 1, kMostWidth);
    c.trained_context = keys.required("context_length", 1, INT32_MAX);
    const int pooling = keys.optional("pooling_type", 0, 0, kRankingType);
    if (pooling == kRankingType) keys.fail(values.error("key '" + keys.whole("pooling_type") + "' is 4: the model ranks texts (a reranker), and gives neither text nor vectors", Code::unsupported));
    c.pooling = pooling_of(pooling);
    c.norm_epsilon = keys.real("attention.layer_norm_rms_epsilon", 1e-5f);
    keys.check(std::isfinite(c.norm_epsilon) && c.norm_epsilon >= 0, "layer_norm_rms_epsilon must be a number from 0");
    if (!keys.error()) read_layers(keys, c);
    if (!keys.error()) read_experts(keys, c);
    if (!keys.error() && keys.has("attention.scale")) c.attention_scale = keys.real("attention.scale", 0);
    keys.check(std::isfinite(c.attention_scale) && c.attention_scale >= 0, "attention.scale must be a number from 0");
    if (!keys.error() && c.family->read) c.family->read(keys, c);
    if (!keys.error()) refuse_unread(keys, c);
    if (keys.error()) return *keys.error();
    for (LayerConfig& layer : c.layer) {
        if (layer.mixer == Mixer::attention) continue;
        layer.kv_heads = 0;
        layer.state = c.state_values;
        c.state_values += c.recurrent.state_values(layer.mixer);
    }

    auto vocabulary = values.vocabulary(c.hidden);
    if (!vocabulary) return std::move(vocabulary).error();
    c.vocabulary = *vocabulary;
    return c;
}

}  // namespace engine
