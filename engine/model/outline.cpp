#include "engine/model/outline.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "engine/model/checkpoint.h"
#include "engine/model/checkpoint_tensors.h"
#include "engine/model/converted_file.h"
#include "engine/model/draft_blocks.h"
#include "engine/model/file_type.h"
#include "engine/model/gguf_file.h"
#include "engine/model/linear.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using base::Json;

// The first row of which a part stands in the name tells the kind.
struct KindRow {
    const char* part;
    const char* kind;
};
constexpr KindRow kKinds[] = {
    {"mtp.", "drafting"}, {"nextn", "drafting"},
    {"visual.", "vision"}, {"vision", "vision"}, {"multi_modal_projector", "vision"},
    {"audio", "audio"}, {"talker.", "speech"}, {"code2wav.", "speech"},
    {"ffn_gate_inp", "routers"}, {".router.", "routers"}, {"exp_probs_b", "routers"}, {".gate.e_score", "routers"}, {"mlp.gate.", "routers"},
    {"block_sparse_moe.gate.", "routers"}, {"shared_expert_gate", "routers"},
    {"_shexp", "shared experts"}, {"shared_expert", "shared experts"}, {"shared_mlp", "shared experts"},
    {"_exps", "experts"}, {".experts.", "experts"}, {"block_sparse_moe", "experts"}, {".moe.", "experts"},
    {"norm", "norms"}, {"LayerNorm", "norms"}, {"rope_freqs", "positions"}, {"inv_freq", "positions"},
    {"embd", "embeddings"}, {"embed", "embeddings"}, {"token_types", "embeddings"}, {"per_layer", "embeddings"}, {"inp_gate", "embeddings"}, {".proj.weight", "embeddings"}, {"layer_output_scale", "norms"}, {"layer_scalar", "norms"}, {"lm_head", "output"}, {"pooler", "output"},
    {"ssm_", "recurrent"}, {"linear_attn", "recurrent"}, {"shortconv", "recurrent"}, {".conv.", "recurrent"}, {"mamba", "recurrent"},
    {"ffn", "feed-forward"}, {"mlp", "feed-forward"}, {"feed_forward", "feed-forward"}, {"intermediate", "feed-forward"},
    {"attn", "attention"}, {"attention", "attention"},
};

// The last parts of the names of what is no weight of a quantised module, and of which it is made.
constexpr std::string_view kScales[] = {"weight_scale", "weight_scale_inv", "weight_scale_2", "weight_global_scale", "input_scale", "input_global_scale", "scales",
                                        "qzeros", "weight_zero_point", "g_idx", "weight_g_idx", "weight_shape",
                                        "k_scale", "v_scale", "kv_scale", "q_scale", "prob_scale", "prob_output_scale", "output_scale"};

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

// "blk.3." or "model.layers.3."; empty where a tensor is of no layer.
std::string layer_of(std::string_view name) {
    for (const std::string_view mark : {"blk.", "layers."}) {
        const std::size_t at = name.find(mark);
        if (at == name.npos) continue;
        const std::size_t end = name.find('.', at + mark.size());
        if (end != name.npos) return std::string(name.substr(0, end + 1));
    }
    return {};
}

struct Entry {
    std::string name, format;
    std::uint64_t values = 0, bytes = 0;
    bool drafts = false;  // a block of the head for drafting, whatever it is named
};

std::vector<TensorShare> shares(const std::vector<Entry>& entries) {
    std::set<std::string> recurrent;
    for (const Entry& e : entries)
        if (kind_of_tensor(e.name, false) == "recurrent" && !layer_of(e.name).empty()) recurrent.insert(layer_of(e.name));
    std::map<std::pair<std::string, std::string>, TensorShare> found;
    for (const Entry& e : entries) {
        const std::string kind(e.drafts ? "drafting" : kind_of_tensor(e.name, recurrent.contains(layer_of(e.name))));
        TensorShare& share = found[{kind, e.format}];
        share.kind = kind, share.format = e.format;
        ++share.tensors;
        share.values += e.values, share.bytes += e.bytes;
    }
    std::vector<TensorShare> out;
    for (auto& [key, share] : found) out.push_back(std::move(share));
    std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
    return out;
}

void mark_drafting(DraftBlocks blocks, std::vector<Entry>& entries) {
    for (const Entry& e : entries) blocks.see(e.name);
    for (Entry& e : entries) e.drafts = blocks.drafts(e.name);
}

int small(std::int64_t value) { return value > 0 && value <= INT32_MAX ? int(value) : 0; }

void outline_gguf(const fs::path& path, Outline& out) {
    auto gguf = Gguf::open_whole(path);
    const bool whole = gguf.ok();
    if (!whole) gguf = Gguf::open(path, Gguf::Part::head);  // data that is cut
    if (!gguf) gguf = Gguf::open(path, Gguf::Part::keys);   // tensors that this engine does not read
    if (!gguf) return;
    const Gguf& g = **gguf;
    const auto text = [&](const std::string& key) {
        auto found = g.text(key);
        return found && *found ? **found : std::string();
    };
    out.container = "GGUF version " + std::to_string(g.version()) + (g.files() > 1 ? " in " + std::to_string(g.files()) + " files" : "");
    out.bytes = g.file_bytes();
    out.architecture = text("general.architecture");
    out.name = text("general.name");
    out.tokenizer = text("tokenizer.ggml.model");
    if (const std::string pre = text("tokenizer.ggml.pre"); !pre.empty() && out.tokenizer == "gpt2") out.tokenizer += " (" + pre + ")";
    if (const auto templates = read_chat_templates(g)) out.chat_template = templates->text();
    const auto number = [&](const char* key) {
        const std::string full = out.architecture + "." + key;
        if (auto one = g.integer(full); one && *one) return small(**one);
        const auto of_layers = g.integers(full);  // an array: of each layer
        return of_layers && *of_layers && !(*of_layers)->empty() ? small(*std::ranges::max_element(**of_layers)) : 0;
    };
    out.layers = number("block_count");
    out.hidden = number("embedding_length");
    out.heads = number("attention.head_count");
    out.kv_heads = number("attention.head_count_kv");
    out.experts = number("expert_count");
    out.experts_used = number("expert_used_count");
    out.context = number("context_length");
    if (const auto tokens = g.value("tokenizer.ggml.tokens")) out.vocabulary = small(std::int64_t(tokens->count));
    std::vector<Entry> entries;
    for (const GgufTensor& t : g.tensors()) entries.push_back({t.name, info(t.format).name, t.values(), t.bytes()});
    int drafting = std::min(number("nextn_predict_layers"), out.layers);
    for (const Entry& e : entries)  // the names say it where the key does not
        if (const int block = block_of(e.name, "blk."); block >= 0 && names_drafting(e.name)) drafting = std::max(drafting, out.layers - block);
    if (out.layers > 0) mark_drafting(DraftBlocks("blk.", out.layers - drafting, drafting), entries);
    out.tensors = shares(entries);
    if (const auto type = file_type_of(g); type && !entries.empty()) out.contradicted = type->contradicted;
}

// The first of the keys that is a number, of the innermost part that has one.
int number_in(const std::vector<const Json*>& parts, std::initializer_list<const char*> keys) {
    for (auto part = parts.rbegin(); part != parts.rend(); ++part)
        for (const char* key : keys)
            if (const auto it = (*part)->find(key); it != (*part)->end() && it->is_number_integer()) return small(it->get<std::int64_t>());
    return 0;
}

std::string text_in(const Json& object, const char* key) {
    const auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

void outline_config(const Json& config, Outline& out) {
    const std::vector<const Json*> parts = text_parts(config);
    out.architecture = text_in(*parts.back(), "model_type");
    if (out.architecture.empty()) out.architecture = text_in(config, "model_type");
    out.layers = number_in(parts, {"num_hidden_layers", "n_layer", "num_layers"});
    out.hidden = number_in(parts, {"hidden_size", "n_embd", "d_model"});
    out.heads = number_in(parts, {"num_attention_heads", "n_head"});
    out.kv_heads = number_in(parts, {"num_key_value_heads"});
    out.experts = number_in(parts, {"num_experts", "num_local_experts", "n_routed_experts"});
    out.experts_used = number_in(parts, {"num_experts_per_tok", "experts_per_token"});
    out.vocabulary = number_in(parts, {"vocab_size"});
    out.context = number_in(parts, {"max_position_embeddings", "n_positions"});
    for (const char* key : {"quantization_config", "compression_config"})
        for (const Json* part : parts)
            if (const auto it = part->find(key); it != part->end() && it->is_object()) {
                out.quantisation = text_in(*it, "quant_method");
                const std::string form = text_in(*it, "format");
                if (!form.empty() && form != out.quantisation) out.quantisation += (out.quantisation.empty() ? "" : ", ") + form;
            }
}

std::uint64_t product_of_values(const SafeTensor& t) {  // of two integers
    std::int64_t wide[2] = {};
    std::int32_t narrow[2] = {};
    if (t.dtype == Dtype::i64 && t.data.size() == sizeof wide) std::memcpy(wide, t.data.data(), sizeof wide);
    if (t.dtype == Dtype::i32 && t.data.size() == sizeof narrow) std::memcpy(narrow, t.data.data(), sizeof narrow), wide[0] = narrow[0], wide[1] = narrow[1];
    return wide[0] > 0 && wide[1] > 0 && wide[0] <= INT32_MAX && wide[1] <= INT32_MAX ? std::uint64_t(wide[0]) * std::uint64_t(wide[1]) : 0;
}

// Bits of a weight where a stored number holds several; 0: it is one.
int packed_bits(const Safetensors& file, const SafeTensor& t) {
    const std::string_view part = last_part(t.name);
    if (t.dtype == Dtype::u8 && part.ends_with("_blocks")) return 4;
    const LinearTensors module = find_linear(file, t.name.substr(0, t.name.size() - std::min(t.name.size(), part.size() + 1)));
    if (t.dtype == Dtype::u8) return &t == module.weight_packed || (&t == module.weight && module.weight_scale) ? 4 : 0;
    std::uint64_t bits = 0;
    if (&t == module.qweight && module.qzeros && module.scales && !module.scales->shape.empty() && !module.qzeros->shape.empty() && module.scales->shape.back() > 0)
        bits = 32 * module.qzeros->shape.back() / module.scales->shape.back();
    if (&t == module.weight_packed && module.weight_shape)
        if (const std::uint64_t weights = product_of_values(*module.weight_shape); weights > 0) bits = t.data.size() * 8 / weights;
    return bits >= 1 && bits <= 16 ? int(bits) : 0;
}

Entry entry_of(const Safetensors& file, const SafeTensor& t) {
    Entry out{t.name, info(t.dtype).name, t.data.size() / std::uint64_t(info(t.dtype).bytes), t.data.size()};
    if (const int bits = packed_bits(file, t); bits > 0) {
        out.format = (t.dtype == Dtype::u8 ? "FP" : "INT") + std::to_string(bits);
        out.values = t.data.size() * 8 / std::uint64_t(bits);
    }
    return out;
}

void outline_checkpoint(const fs::path& path, Outline& out) {
    std::error_code ignored;
    const fs::path folder = fs::is_directory(path, ignored) ? path : path.has_parent_path() ? path.parent_path() : fs::path(".");
    const CheckpointFiles files = CheckpointFiles::in(folder);
    out.name = fs::weakly_canonical(folder, ignored).filename().string();
    int drafting = 0;
    if (const auto config = files.json("config.json"); config && config->is_object()) {
        outline_config(*config, out);
        drafting = blocks_for_drafting(text_parts(*config));
    }
    if (const auto quant = files.json("hf_quant_config.json"); out.quantisation.empty() && quant && quant->is_object()) {
        const auto it = quant->find("quantization");
        out.quantisation = "modelopt " + text_in(it != quant->end() && it->is_object() ? *it : *quant, "quant_algo");
    }
    if (const auto tokenizer = files.json("tokenizer.json"); tokenizer && tokenizer->is_object())
        if (const auto model = tokenizer->find("model"); model != tokenizer->end() && model->is_object()) out.tokenizer = text_in(*model, "type");
    const bool weights = path.extension() == ".safetensors" || path.string().ends_with(".safetensors.index.json");
    const auto opened = Safetensors::open(weights ? path : folder);
    if (!opened) {
        if (!out.architecture.empty()) out.container = "a checkpoint's folder";
        return;
    }
    const Safetensors& tensors = **opened;
    out.container = "safetensors in " + std::to_string(tensors.files()) + (tensors.files() == 1 ? " file" : " files");
    out.bytes = tensors.file_bytes();
    std::vector<Entry> entries;
    for (const SafeTensor& t : tensors.tensors()) entries.push_back(entry_of(tensors, t));
    if (out.layers > 0) mark_drafting(DraftBlocks(std::string(text_prefix_of(tensors).layers) + "layers.", out.layers, drafting), entries);
    out.tensors = shares(entries);
}

void outline_converted(const fs::path& path, Outline& out) {
    const auto opened = ConvertedFile::open(path);
    if (!opened) return;
    const auto& file = static_cast<const ConvertedFile&>(**opened);
    out.container = "converted for " + file.image()->target;
    std::vector<Entry> entries;
    for (const auto& [name, m] : file.record().matrices) {
        const std::uint64_t rows = std::uint64_t(m.rows) * std::uint64_t(m.count);
        entries.push_back({name, shown_name(m.format), rows * std::uint64_t(m.cols), rows * row_bytes(m.format, std::size_t(m.cols))});
    }
    for (const auto& [name, value] : file.record().values) entries.push_back({name, "F32", value.second.size(), value.second.size() * sizeof(float)});
    out.tensors = shares(entries);
    if (const auto templates = file.chat_templates()) out.chat_template = templates->text();
    const auto config = file.config();
    if (!config) return;
    out.name = config->name, out.architecture = config->architecture;
    out.layers = config->layers, out.hidden = config->hidden, out.heads = config->heads, out.kv_heads = config->largest_kv_heads(), out.vocabulary = config->vocabulary;
    out.experts = config->experts, out.experts_used = config->experts_used, out.context = config->trained_context;
}

}  // namespace

std::string_view kind_of_tensor(std::string_view name, bool recurrent) {
    if (name.starts_with("output.")) return "output";
    if (is_of_other_senses(name)) return name.starts_with("a.") || name.starts_with("mm.a.") ? "audio" : "vision";
    if (const std::string_view last = last_part(name); std::ranges::find(kScales, last) != std::end(kScales) || last.ends_with("_scales")) return "scales";
    for (const KindRow& row : kKinds)
        if (name.find(row.part) != name.npos) {
            const std::string_view kind = row.kind;
            return recurrent && kind == "attention" ? "recurrent" : kind;
        }
    return "others";
}

std::uint64_t Outline::values() const {
    std::uint64_t out = 0;
    for (const TensorShare& share : tensors)
        if (share.kind != "scales") out += share.values;
    return out;
}

Outline read_outline(const fs::path& path) {
    Outline out;
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) out.bytes = fs::file_size(path, ignored);
    if (ConvertedFile::is_one(path)) outline_converted(path, out);
    else if (Checkpoint::is_one(path)) outline_checkpoint(path, out);
    else outline_gguf(path, out);
    return out;
}

}  // namespace engine
