#include "engine/model/gguf_file.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <unordered_set>
#include <utility>

#include "engine/model/draft_blocks.h"
#include "engine/model/file_type.h"
#include "engine/model/gguf_keys.h"

namespace engine {
namespace {

// Trailing dimensions of 1 say nothing.
std::vector<std::uint64_t> without_ones(std::vector<std::uint64_t> dims) {
    while (dims.size() > 1 && dims.back() == 1) dims.pop_back();
    return dims;
}

class GgufTensors final : public TensorSource {
public:
    GgufTensors(const Gguf& gguf, const Config& config) : gguf_(gguf), config_(config) {}

    // What NVFP4 keeps beside its blocks is the matrix's own and no tensor by itself.
    bool has(const std::string& name) const override { return gguf_.tensor(name) && !is_factor(name); }

    base::Result<Stored> matrices(const std::string& name, int rows, int cols, int count) override {
        std::vector<std::uint64_t> dims{std::uint64_t(cols), std::uint64_t(rows)};
        if (count > 1) dims.push_back(std::uint64_t(count));
        auto tensor = find(name, dims);
        if (!tensor) return std::move(tensor).error();
        Stored out;
        out.name = name;
        out.format = (*tensor)->format;
        out.rows = rows, out.cols = cols;
        const std::span<const std::uint8_t> data = (*tensor)->data;
        const std::size_t bytes = out.bytes();
        for (int e = 0; e < count; ++e) out.in_place.push_back(data.data() + std::size_t(e) * bytes);
        out.mapping = gguf_.mapping_of(**tensor);
        out.release = [data, bytes](int e) { MappedFile::release(data.subspan(std::size_t(e) * bytes, bytes)); };
        const std::string beside = name.substr(0, name.rfind('.')) + ".scale";
        if (is_factor(beside)) {
            auto scales = values(beside, {std::uint64_t(count)});
            if (!scales) return std::move(scales).error();
            out.scales = *std::move(scales);
        } else if (gguf_.tensor(beside) && !beside.ends_with("ffn_gate_inp.scale") && !beside.ends_with("ffn_down_exps.scale")) {
            return gguf_.error("tensor '" + beside + "' goes with NVFP4, '" + name + "' is " + info(out.format).name, base::Code::unsupported);
        }
        return out;
    }

    base::Result<std::vector<float>> values(const std::string& name, const std::vector<std::uint64_t>& dims) override {
        auto tensor = find(name, dims);
        if (!tensor) return std::move(tensor).error();
        std::vector<float> out(static_cast<std::size_t>((*tensor)->values()));
        dequantise((*tensor)->format, (*tensor)->data.data(), out.data(), out.size());
        return out;
    }

    base::Result<void> finish() override {
        const std::string key = config_.architecture + ".block_count";
        const auto counted = gguf_.integer(key);
        if (!counted) return counted.error();
        DraftBlocks blocks("blk.", config_.layers, int(counted->value_or(config_.layers)) - config_.layers);
        for (const GgufTensor& tensor : gguf_.tensors()) blocks.see(tensor.name);
        for (const GgufTensor& tensor : gguf_.tensors()) {
            if (const auto stray = blocks.stray(tensor.name, key)) return gguf_.error(tensor, *stray);
            if (!blocks.drafts(tensor.name) && !may_be_unused(tensor)) return unused(tensor);
        }
        return {};
    }

private:
    base::Error unused(const GgufTensor& tensor) const { return gguf_.error(tensor, "is used by nothing in a model of " + config_.architecture, base::Code::unsupported); }

    // What nothing uses must be known to change nothing.
    bool may_be_unused(const GgufTensor& tensor) const {
        if (used_.contains(&tensor) || is_of_other_senses(tensor.name)) return true;
        const int block = block_of(tensor.name, "blk.");
        if (block < 0) return false;
        const std::string prefix = tensor.name.substr(0, tensor.name.find('.', 4) + 1), part = tensor.name.substr(prefix.size());
        if (part.starts_with("attn_rot_embd.")) return true;  // angles, which the keys say
        if (part == "attn_kv_b.weight") return used(prefix + "attn_k_b.weight") && used(prefix + "attn_v_b.weight");  // both in one
        if (part.ends_with(".input_scale")) return is_factor(prefix + part.substr(0, part.rfind('.')) + ".scale");  // of activations, which are not rounded to it
        if (block >= config_.layers || config_.layer[std::size_t(block)].kv_layer == block) return false;
        for (const char* own : {"attn_k.", "attn_v.", "attn_k_norm.", "attn_v_norm."})  // of a layer that reads another's
            if (part.starts_with(own)) return true;
        return false;
    }
    bool used(const std::string& name) const { return used_.contains(gguf_.tensor(name)); }

    base::Result<const GgufTensor*> find(const std::string& name, const std::vector<std::uint64_t>& dims) {
        const GgufTensor* const tensor = gguf_.tensor(name);
        if (!tensor) return gguf_.error("tensor '" + name + "' is missing");
        used_.insert(tensor);
        if (without_ones(tensor->dims) == without_ones(dims)) return tensor;
        GgufTensor expected;
        expected.dims = dims;
        return gguf_.error(*tensor, "has shape " + tensor->shape() + ", expected " + expected.shape());
    }

    bool is_factor(const std::string& name) const {
        if (!name.ends_with(".scale") || !gguf_.tensor(name)) return false;
        const GgufTensor* const matrix = gguf_.tensor(name.substr(0, name.rfind('.')) + ".weight");
        return matrix && matrix->format == Format::nvfp4;
    }

    const Gguf& gguf_;
    const Config& config_;
    std::unordered_set<const GgufTensor*> used_;
};

// What else a GGUF can be, by general.type or, where its writer left that out, by general.architecture.
struct OtherFile {
    std::initializer_list<const char*> names;
    const char *what, *remedy;
};
const OtherFile kOtherFiles[] = {
    {{"adapter", "controlvector"}, "an adapter, which changes a model and is none itself", "name the GGUF of a model, or one that the adapter was merged into"},
    {{"mmproj", "projector", "clip"}, "a projector, which brings images or sounds into a model and is none itself",
     "name the GGUF of the model that it belongs to, which is published beside it: it reads and writes text without the projector"},
    {{"imatrix"}, "an importance matrix, which quantising reads", "name a GGUF that was quantised by it"},
};

// Whether the blocks that the keys count as heads for drafting are those that the tensors' names say: a head among the layers would
// be run as the last of them, and a layer among the heads be left out.
base::Result<void> check_drafting(const Gguf& gguf, const Config& config) {
    const std::string counts = config.architecture + ".nextn_predict_layers";
    std::set<int> named;
    for (const GgufTensor& tensor : gguf.tensors())
        if (names_drafting(tensor.name)) named.insert(block_of(tensor.name, "blk."));
    const auto counted = gguf.integer(config.architecture + ".block_count");
    for (const GgufTensor& tensor : gguf.tensors()) {
        const int block = block_of(tensor.name, "blk.");
        if (block >= 0 && block < config.layers && names_drafting(tensor.name))
            return gguf.error(tensor, "is of a head for drafting (multi-token prediction), but its block is one of the " + std::to_string(config.layers) + " layers that the model has: key '" + counts +
                                          "' does not count it");
        if (block >= config.layers && counted && block < counted->value_or(0) && !named.contains(block))
            return gguf.error(tensor, "is of a block that key '" + counts + "' counts as a head for drafting (multi-token prediction), and none of the block's tensors is named as one of a head's (nextn)");
    }
    return {};
}

// What the keys say that no layer has. Llama's window is told of instead (see unsaid.h): llama.cpp leaves it out too, and many files have one.
base::Result<void> check_layers(const Gguf& gguf, const Config& config) {
    const auto any = [&](auto has) { return std::ranges::any_of(config.layer, has); };
    const std::string windows = config.architecture + ".attention.sliding_window", experts = config.architecture + ".expert_count";
    const auto window = gguf.integer(windows);
    if (!window) return window.error();
    const bool placed = gguf.value(windows + "_pattern") || any([](const LayerConfig& layer) { return layer.window > 0; }) || config.architecture == "llama";
    if (const auto positions = window->value_or(0); !placed && positions > 0 && positions < config.trained_context)
        return base::error(base::Code::unsupported, gguf.path().string() + ": key '" + windows + "' is " + std::to_string(positions) + ", which is not followed in a model of " + config.architecture,
                           "load the checkpoint's folder of safetensors, which says what layers have the window");
    if (config.experts > 0 && !any([](const LayerConfig& layer) { return layer.moe; }))
        return gguf.error("key '" + experts + "' is " + std::to_string(config.experts) + ", but no layer has experts (ffn_gate_inp.weight)");
    return {};
}

}  // namespace

bool is_of_other_senses(std::string_view name) { return name.starts_with("v.") || name.starts_with("a.") || name.starts_with("mm."); }

base::Result<void> check_is_model(const Gguf& gguf) {
    for (const char* key : {"general.type", "general.architecture"}) {
        const auto said = gguf.text(key);
        if (!said) return said.error();
        if (!*said) continue;
        const std::string shown = " (key '" + std::string(key) + "' is '" + **said + "')";
        const auto named = [&](const OtherFile& other) { return std::ranges::any_of(other.names, [&](const char* name) { return **said == name; }); };
        const auto other = std::ranges::find_if(kOtherFiles, named);
        if (other != std::end(kOtherFiles)) return base::error(base::Code::unsupported, gguf.path().string() + ": is " + other->what + shown, other->remedy);
        if (std::string_view(key) == "general.type" && **said != "model")
            return base::error(base::Code::unsupported, gguf.path().string() + ": is no model" + shown, "name a GGUF whose general.type is 'model', or that has no such key");
    }
    return {};
}

base::Result<ChatTemplates> read_chat_templates(const Gguf& gguf) {
    const std::string key = "tokenizer.chat_template";
    ChatTemplates out;
    auto plain = gguf.text(key);
    if (!plain) return std::move(plain).error();
    out.add("default", plain->value_or(""));
    auto names = gguf.texts(key + "s");
    if (!names) return std::move(names).error();
    std::vector<std::string> all = names->value_or(std::vector<std::string>{});
    constexpr std::size_t most = 100;
    all.resize(std::min(all.size(), most));
    all.push_back("tool_use");  // which some name by its key alone
    for (const std::string& name : all) {
        auto found = gguf.text(key + "." + name);
        if (!found) return std::move(found).error();
        out.add(name, found->value_or(""));
    }
    return out;
}

base::Result<std::unique_ptr<ModelFile>> GgufFile::open(const std::filesystem::path& path) {
    auto gguf = Gguf::open_whole(path);
    if (!gguf) return std::move(gguf).error();
    if (auto model = check_is_model(**gguf); !model) return std::move(model).error();
    return std::unique_ptr<ModelFile>(std::make_unique<GgufFile>(*std::move(gguf)));
}

base::Result<Config> GgufFile::config() const {
    auto config = read_config(GgufKeys(*gguf_));
    if (!config) return config;
    if (auto done = check_drafting(*gguf_, *config); !done) return std::move(done).error();
    if (auto done = check_layers(*gguf_, *config); !done) return std::move(done).error();
    if (config->name.empty()) config->name = path().stem().string();
    return config;
}

std::unique_ptr<TensorSource> GgufFile::tensors(const Config& config) const { return std::make_unique<GgufTensors>(*gguf_, config); }

base::Result<Sampling> GgufFile::sampling() const {
    Sampling out;
    std::optional<base::Error> failed;
    auto real = [&](const char* key, float otherwise) {
        const std::string full = std::string("general.sampling.") + key;
        auto value = gguf_->real(full);
        if (!value) failed = std::move(value).error();
        else if (*value && !std::isfinite(float(**value))) failed = gguf_->error("key '" + full + "' is no finite number");
        return value && *value ? float(**value) : otherwise;
    };
    out.temperature = real("temp", out.temperature);
    out.top_p = real("top_p", out.top_p);
    out.min_p = real("min_p", out.min_p);
    out.repetition_penalty = real("penalty_repeat", out.repetition_penalty);
    const float top_k = real("top_k", float(out.top_k));
    if (!failed && (top_k >= 0x1p31f || top_k != std::floor(top_k)))
        failed = gguf_->error("key 'general.sampling.top_k' is " + std::to_string(top_k) + ", expected a whole number");
    if (failed) return *failed;
    out.top_k = int(std::max(0.0f, top_k));  // below 0: all, as llama.cpp has it
    return out;
}

base::Result<ChatTemplates> GgufFile::chat_templates() const { return read_chat_templates(*gguf_); }

base::Result<ModelFile::Sizes> GgufFile::sizes(const Config& config) const {
    Sizes out;
    auto type = file_type_of(*gguf_);
    if (!type) return std::move(type).error();
    out.format = type->shown;
    std::uint64_t expert_values = 0, expert_bytes = 0, bytes = 0;
    for (const auto& tensor : gguf_->tensors()) {
        if (is_of_other_senses(tensor.name)) continue;
        if (tensor.name.starts_with("blk.") && std::atoi(tensor.name.c_str() + 4) >= config.layers) continue;  // for drafting: beside the model
        out.parameters += tensor.values();
        const bool embedding = tensor.name == "token_embd.weight" && gguf_->tensor("output.weight");
        if (!embedding) bytes += tensor.bytes();
        if (tensor.name.find("_exps.") == std::string::npos) continue;
        expert_values += tensor.values();
        expert_bytes += tensor.bytes();
    }
    const auto unused = [&](std::uint64_t n) {
        return config.experts ? n / std::uint64_t(config.experts) * std::uint64_t(config.experts - config.experts_used) : 0;
    };
    out.active_parameters = out.parameters - unused(expert_values);
    out.bytes_per_token = bytes - unused(expert_bytes);
    return out;
}

}  // namespace engine
