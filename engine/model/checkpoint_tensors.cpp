#include "engine/model/checkpoint_tensors.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "engine/model/cache_scales.h"
#include "engine/model/draft_blocks.h"

namespace engine {
namespace {

using base::Code;
using Kind = Linear::Kind;

std::vector<std::uint64_t> without_ones(std::vector<std::uint64_t> dims) {
    std::erase(dims, 1u);
    return dims;
}

// Tensors of a module that was read as `kind`, by the last part of their names.
std::vector<const char*> parts_of(Kind kind) {
    switch (kind) {
        case Kind::plain: return {"weight"};
        case Kind::fp8: return {"weight", "input_scale"};
        case Kind::packed: return {"weight_packed", "weight_scale", "weight_zero_point", "weight_shape", "weight_g_idx"};
        case Kind::bytes: return {"weight", "weight_scale", "weight_zero_point", "weight_g_idx", "input_scale"};
        case Kind::gptq: return {"qweight", "scales", "qzeros", "g_idx"};
        case Kind::awq: return {"qweight", "scales", "qzeros"};
        case Kind::nvfp4: return {"weight_scale", "input_scale", "input_global_scale"};
        case Kind::mxfp4: return {"weight_packed", "weight_scale"};
    }
    return {};
}

const std::string kDraftPrefix = "mtp.";

// Whether two tensors hold the same, by some pieces of them: an output that was trained apart from the embedding differs everywhere.
bool alike(const SafeTensor& a, const SafeTensor& b) {
    if (a.dtype != b.dtype || a.shape != b.shape) return false;
    constexpr std::size_t kPieces = 16, kMost = 4096;
    const std::size_t bytes = std::min(kMost, a.data.size()), stride = (a.data.size() - bytes) / (kPieces - 1);
    for (std::size_t i = 0; i < kPieces; ++i)
        if (!std::ranges::equal(a.data.subspan(i * stride, bytes), b.data.subspan(i * stride, bytes))) return false;
    return true;
}

bool is_turned_step(Step step) { return step == Step::even_outputs || step == Step::odd_outputs || step == Step::transposed; }

}  // namespace

TextPrefix text_prefix_of(const Safetensors& file) {
    for (const TextPrefix& prefix : text_prefixes())
        if (file.tensor(std::string(prefix.layers) + "embed_tokens.weight")) return prefix;
    return text_prefixes().front();
}

CheckpointTensors::CheckpointTensors(const Safetensors& file, const CheckpointConfig& checkpoint, const Quantisation& quantisation, const Config& config)
    : file_(file), checkpoint_(checkpoint), quantisation_(quantisation), config_(config), prefix_(text_prefix_of(file)) {}

std::string CheckpointTensors::theirs(const char* pattern, const std::string& layer) const {
    const int behind = std::atoi(layer.c_str()) - config_.layers;  // the last layer: there drafting begins
    if (*pattern == '^') return prefix_.head + std::string(pattern + 1);
    std::string out = (behind >= 0 ? kDraftPrefix : prefix_.layers) + std::string(pattern);
    if (const std::size_t at = out.find(".N."); at != out.npos) out.replace(at + 1, 1, behind >= 0 ? std::to_string(behind) : layer);
    return out;
}

bool CheckpointTensors::is_there(const Found& found) const {
    const std::string name = found.of_expert(0);
    if (found.whole) return file_.tensor(name) || (is_turned_step(found.step) && in_blocks(found)) || file_.tensor(name + ".weight_packed");
    const LinearTensors t = find_linear(file_, name);
    return t.weight || t.weight_packed || t.qweight;
}

// A part of MXFP4's two: which is missing shows when they are read.
bool CheckpointTensors::in_blocks(const Found& found) const { return file_.tensor(found.name + "_blocks") || file_.tensor(found.name + "_scales"); }

CheckpointTensors::Found CheckpointTensors::find(const std::string& name) const {
    std::string pattern = name, layer;
    if (name.starts_with("blk.")) {
        const std::size_t end = name.find('.', 4);
        layer = name.substr(4, end - 4);
        pattern = "blk.N" + name.substr(end);
    }
    const std::size_t dot = pattern.rfind('.');
    const std::string module = pattern.substr(0, dot), part = pattern.substr(dot);
    std::optional<Found> first;
    for (const NameTable* table : checkpoint_.names)
        for (const NameRow& row : *table) {
            Found found;
            if (pattern == row.ours) {
                found = {theirs(row.theirs, layer), true, row.step};
            } else if (module == row.ours && (part == ".weight" || part == ".bias")) {
                found = {theirs(row.theirs, layer), false, row.step};
                if (part == ".bias") found.name += part, found.whole = true;
            } else {
                continue;
            }
            found.of_experts = found.name.find(".E.") != found.name.npos;
            if (is_there(found)) return found;
            if (!first) first = found;
        }
    return first ? *first : Found{name, true};
}

bool CheckpointTensors::has(const std::string& name) const {
    if (name == "output.weight" && checkpoint_.tied) return !*checkpoint_.tied;
    return is_there(find(name));
}

const SafeTensor* CheckpointTensors::use(const std::string& name) {
    const SafeTensor* const tensor = file_.tensor(name);
    if (tensor) used_.insert(tensor);
    return tensor;
}

base::Result<const SafeTensor*> CheckpointTensors::tensor(const std::string& name, const std::vector<std::uint64_t>& dims) {
    const SafeTensor* const tensor = use(name);
    if (!tensor) return base::error(Code::corrupt, file_.path().string() + ": tensor '" + name + "' is missing", kFetchAgain);
    std::vector<std::uint64_t> expected(dims.rbegin(), dims.rend());
    std::uint64_t values = 1, stored = 1;
    for (const std::uint64_t dim : dims) values *= dim;
    for (const std::uint64_t dim : tensor->shape) stored *= dim;  // checked for overflow when read
    const bool flat = without_ones(tensor->shape).size() <= 1 && values == stored;
    if (flat || without_ones(tensor->shape) == without_ones(expected)) return tensor;
    return file_.error(*tensor, "has shape " + shape_text(tensor->shape) + ", expected " + shape_text(expected));
}

base::Result<Format> CheckpointTensors::float_format(const SafeTensor& tensor) const {
    switch (tensor.dtype) {
        case Dtype::f32: return Format::f32;
        case Dtype::f16: return Format::f16;
        case Dtype::bf16: return Format::bf16;
        default: return file_.error(tensor, std::string("has dtype ") + info(tensor.dtype).name + ", expected F32, F16 or BF16", Code::unsupported);
    }
}

std::string CheckpointTensors::Found::of_expert(int expert) const {
    std::string out = name;
    if (const std::size_t at = out.find(".E."); at != out.npos) out.replace(at + 1, 1, std::to_string(expert));
    return out;
}

base::Result<Linear> CheckpointTensors::linear(const std::string& module, int rows, int cols) {
    auto found = check_linear(file_, module, rows, cols, quantisation_.scheme(module));
    if (!found) return found;
    for (const char* part : parts_of(found->kind)) use(module + "." + part);
    for (const SafeTensor* tensor : {found->codes, found->scales, found->zeros})
        if (tensor) used_.insert(tensor);
    if (found->kind == Kind::nvfp4) use(module + (found->codes->name.ends_with("_packed") ? ".weight_global_scale" : ".weight_scale_2"));
    if (const auto wrong = quantisation_.contradiction(module, found->kind)) return file_.error(*found->codes, *wrong);
    return found;
}

base::Result<std::vector<float>> CheckpointTensors::values(const std::string& name, const std::vector<std::uint64_t>& dims) {
    const Found found = find(name);
    const bool second = found.step == Step::even_outputs || found.step == Step::odd_outputs;
    std::vector<std::uint64_t> stored = dims;
    if (second) stored[0] *= 2;
    auto tensor = this->tensor(found.tensor(), stored);
    if (!tensor) return std::move(tensor).error();
    if (is_of_mlx(name, **tensor)) {
        base::Error error = file_.error(**tensor, "has shape " + shape_text((*tensor)->shape) + ": a conversion for MLX, whose norms are stored by another rule than those of transformers", Code::unsupported);
        error.remedy = "fetch the folder of the model's publisher, or a GGUF";
        return error;
    }
    const auto format = float_format(**tensor);
    if (!format) return format.error();
    std::vector<float> out((*tensor)->data.size() / std::size_t(engine::info(*format).bytes));
    dequantise(*format, (*tensor)->data.data(), out.data(), out.size());
    if (found.step == Step::plus_one)
        for (float& value : out) value += 1;
    if (found.step == Step::minus_exp)
        for (float& value : out) value = -std::exp(value);
    if (second) {
        for (std::size_t i = 0; i < out.size() / 2; ++i) out[i] = out[2 * i + (found.step == Step::odd_outputs)];
        out.resize(out.size() / 2);
    }
    return out;
}

// MLX's converter adds 1 to the norms of models with the gated delta rule, and turns the convolutions, by which it knows them again.
bool CheckpointTensors::is_of_mlx(const std::string& name, const SafeTensor& tensor) const {
    return config_.family->other_mixer == Mixer::gated_delta && name.ends_with("ssm_conv1d.weight") && tensor.shape.size() == 3 && tensor.shape[1] > 1 && tensor.shape[2] == 1;
}

// Whether layers have the biases and norms that the configuration says, and no others: what it leaves unsaid, transformers leaves out.
base::Result<void> CheckpointTensors::check_parts() const {
    const bool always = config_.family->qkv_bias;
    const auto attends = [](const LayerConfig& layer) { return layer.mixer == Mixer::attention; };
    const struct {
        const char* part;
        const SaidPart& said;
        bool (*is_of)(const LayerConfig&);
        const char* otherwise = nullptr;  // the key, where a configuration without it means false
        bool wanted = true, always = false;  // where it says true; whatever it says
    } rows[] = {{"attn_q.bias", checkpoint_.attention_bias, attends, "attention_bias", true, always},
                {"attn_output.bias", checkpoint_.output_bias, attends, "attention_bias", false},
                {"attn_q_norm.weight", checkpoint_.query_norm, attends, "use_qk_norm", true, config_.family->qk_norm != QkNorm::head_if_there},
                {"ffn_down.bias", checkpoint_.ffn_bias, [](const LayerConfig& layer) { return !layer.moe; }},
                {"ssm_conv1d.bias", checkpoint_.scan_bias, [](const LayerConfig& layer) { return layer.mixer == Mixer::selective_scan; }},
                {"exp_probs_b.bias", checkpoint_.choice_bias, [](const LayerConfig& layer) { return layer.moe; }}};
    for (const auto& [part, said, is_of, otherwise, wanted, always_there] : rows)
        for (int i = 0; (said.key || otherwise) && i < config_.layers; ++i) {
            if (!is_of(config_.layer[std::size_t(i)])) continue;
            const std::string name = find("blk." + std::to_string(i) + "." + part).tensor();
            const SafeTensor* const tensor = file_.tensor(name);
            if (said.value && wanted && !tensor) return base::error(Code::corrupt, checkpoint_.file + ": key '" + said.key + "' is " + said.shown + ", but there is no tensor '" + name + "'", kFetchAgain);
            if (said.value || always_there || !tensor) continue;
            return file_.error(*tensor, "is there, but key '" + std::string(said.key ? said.key : otherwise) + "' of " + checkpoint_.file + (said.key ? " is false" : " is not there, which means false"));
        }
    return {};
}

base::Result<void> CheckpointTensors::finish() {
    if (auto done = check_parts(); !done) return done;
    DraftBlocks blocks(std::string(prefix_.layers) + "layers.", config_.layers, checkpoint_.drafting);
    const CacheScales scales(std::string(prefix_.layers) + "layers.", config_.layers, quantisation_.cache_key());
    for (const SafeTensor& tensor : file_.tensors()) blocks.see(tensor.name);
    for (const SafeTensor& tensor : file_.tensors()) {
        if (used_.count(&tensor) || left_out(tensor.name) || scales.is_one(tensor.name) || blocks.drafts(tensor.name) || is_of_shared_keys(tensor.name)) continue;
        if (const auto stray = blocks.stray(tensor.name, "num_hidden_layers of " + checkpoint_.file)) return file_.error(tensor, *stray);
        if (tensor.name != std::string(prefix_.head) + "lm_head.weight" || !checkpoint_.tied.value_or(false)) return unused(tensor);
        const SafeTensor* const embedding = file_.tensor(std::string(prefix_.layers) + "embed_tokens.weight");
        if (embedding && alike(tensor, *embedding)) continue;
        base::Error error = file_.error(tensor, "is not the embedding, but key 'tie_word_embeddings' of " + checkpoint_.file + " says that the output is", Code::unsupported);
        error.remedy = "set tie_word_embeddings to false there if the model was trained with an output of its own";
        return error;
    }
    return {};
}

// A layer that reads another's keys and values has none; some checkpoints keep what it was trained with.
bool CheckpointTensors::is_of_shared_keys(std::string_view name) const {
    const std::string layers = std::string(prefix_.layers) + "layers.";
    const int block = block_of(name, layers);
    if (block < 0 || block >= config_.layers || config_.layer[std::size_t(block)].kv_layer == block) return false;
    const std::string_view part = name.substr(name.find('.', layers.size()));
    return std::ranges::any_of(std::initializer_list<std::string_view>{".self_attn.k_proj.", ".self_attn.v_proj.", ".self_attn.k_norm.", ".self_attn.v_norm."},
                               [&](std::string_view module) { return part.starts_with(module); });
}

base::Result<void> CheckpointTensors::finish_head() {
    for (const SafeTensor& tensor : file_.tensors())
        if (tensor.name.starts_with(kDraftPrefix) && !used_.count(&tensor)) return unused(tensor);
    return {};
}

base::Error CheckpointTensors::unused(const SafeTensor& tensor) const {
    return file_.error(tensor, std::string("is used by nothing in a model of ") + checkpoint_.architecture, Code::unsupported);
}

}  // namespace engine
