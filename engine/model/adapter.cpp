#include "engine/model/adapter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>

#include "base/json.h"
#include "engine/device/aligned_bytes.h"
#include "engine/model/blocks.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using base::Code;

base::Error refused(const fs::path& file, const std::string& what, const std::string& remedy = {}) {
    return base::error(Code::unsupported, file.string() + ": " + what, remedy);
}

struct Shape {
    int rank = 0;
    double alpha = 0;
    bool by_root = false;  // alpha / √rank
};

base::Result<Shape> read_config(const fs::path& file) {
    std::ifstream in(file);
    if (!in) return base::error(Code::not_found, "cannot read " + file.string(), "an adapter is a folder with adapter_config.json and adapter_model.safetensors");
    const auto config = base::Json::parse(in, nullptr, false);
    if (!config.is_object()) return base::error(Code::corrupt, file.string() + " is no JSON object");
    const auto text = [&](const char* key, const char* or_else) { return config.contains(key) && config[key].is_string() ? config[key].get<std::string>() : std::string(or_else); };
    if (const auto type = text("peft_type", "LORA"); type != "LORA") return refused(file, "peft_type is '" + type + "', expected LORA");
    for (const char* key : {"use_dora", "fan_in_fan_out", "lora_bias"})
        if (config.contains(key) && config[key] == true) return refused(file, std::string(key) + " is true, which this engine does not follow");
    if (const auto bias = text("bias", "none"); bias != "none") return refused(file, "bias is '" + bias + "', expected none");
    for (const char* key : {"rank_pattern", "alpha_pattern", "modules_to_save", "layer_replication"})
        if (config.contains(key) && !config[key].is_null() && !config[key].empty()) return refused(file, std::string(key) + " is set, which this engine does not follow");
    Shape out;
    if (!config.contains("r") || !config["r"].is_number_integer()) return base::error(Code::corrupt, file.string() + ": r is missing or no integer");
    out.rank = config["r"].get<int>();
    if (out.rank < 1 || out.rank > kMostRank)
        return refused(file, "rank " + std::to_string(out.rank) + ", expected 1 to " + std::to_string(kMostRank), "train or merge the adapter at a rank of at most " + std::to_string(kMostRank));
    if (config.contains("lora_alpha") && !config["lora_alpha"].is_number()) return base::error(Code::corrupt, file.string() + ": lora_alpha is no number");
    out.alpha = config.value("lora_alpha", double(out.rank));
    out.by_root = config.contains("use_rslora") && config["use_rslora"] == true;
    return out;
}

bool is_float(Dtype d) { return d == Dtype::f32 || d == Dtype::f16 || d == Dtype::bf16; }

std::vector<float> floats_of(const SafeTensor& t) {
    const auto format = t.dtype == Dtype::f32 ? Format::f32 : t.dtype == Dtype::f16 ? Format::f16 : Format::bf16;
    std::vector<float> out(t.shape[0] * t.shape[1]);
    dequantise(format, t.data.data(), out.data(), out.size());
    return out;
}

bool are_numbers(const std::vector<float>& values) {
    return std::ranges::all_of(values, [](float x) { return std::isfinite(x); });
}

// "model.layers.12.mlp.up_proj": the layer and what follows it.
std::optional<std::pair<int, std::string>> place_of(std::string_view module) {
    const auto at = module.find("layers.");
    if (at == module.npos) return {};
    module.remove_prefix(at + 7);
    int layer = -1;
    const auto [end, error] = std::from_chars(module.data(), module.data() + module.size(), layer);
    if (error != std::errc() || layer < 0 || end == module.data() + module.size() || *end != '.') return {};
    return std::pair(layer, std::string(end + 1, module.data() + module.size()));
}

const Weight* weight_of(const Model& model, const std::string& module) {
    const auto place = place_of(module);
    if (!place || place->first >= model.config.layers) return nullptr;
    const Layer& l = model.layers[std::size_t(place->first)];
    const std::pair<const char*, const Weight*> known[] = {{"self_attn.q_proj", &l.q},  {"self_attn.k_proj", &l.k},   {"self_attn.v_proj", &l.v},    {"self_attn.o_proj", &l.o},
                                                           {"mlp.gate_proj", &l.ffn.gate}, {"mlp.up_proj", &l.ffn.up}, {"mlp.down_proj", &l.ffn.down}};
    for (const auto& [name, weight] : known)
        if (place->second == name && weight->rows > 0) return weight;
    return nullptr;
}

// Where columns are listed, some meet the same input, and each input is met.
int inputs_of(const Weight& w) { return w.order ? 1 + *std::max_element(w.order, w.order + w.cols) : w.cols; }

// GGUF keeps the rows of a head's queries and keys in another order where its rotation pairs neighbours: row i of the first half
// and of the second come one after the other.
std::vector<float> interleaved(const std::vector<float>& rows, int n, int cols, int head_dim) {
    std::vector<float> out(rows.size());
    for (int r = 0; r < n; ++r) {
        const int head = r / head_dim, i = r % head_dim, half = head_dim / 2;
        const int to = head * head_dim + 2 * (i % half) + i / half;
        std::copy_n(rows.begin() + std::ptrdiff_t(r) * cols, cols, out.begin() + std::ptrdiff_t(to) * cols);
    }
    return out;
}

bool turns(const std::string& module) { return module.ends_with("q_proj") || module.ends_with("k_proj"); }

std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

std::size_t place_bytes(const Ops& ops, int rows, int cols) {
    const std::size_t packed = ops.packed_bytes(Format::f32, rows, cols);
    return aligned(packed ? packed : std::size_t(rows) * std::size_t(cols) * sizeof(float));
}

Weight placed(const Ops& ops, const std::vector<float>& values, int rows, int cols, std::uint8_t* to) {
    const std::size_t bytes = values.size() * sizeof(float);
    Weight out{Format::f32, Layout::plain, rows, cols, reinterpret_cast<const std::uint8_t*>(values.data()), bytes};
    if (const std::size_t packed = ops.packed_bytes(Format::f32, rows, cols)) {
        AlignedBytes made(packed);
        ops.pack(out, made.data());
        ops.device->write(to, made.data(), packed);
        out.layout = Layout::panel16;
    } else {
        ops.device->write(to, values.data(), bytes);
    }
    out.data = to;
    out.stride = 0;
    return out;
}

}  // namespace

base::Result<std::unique_ptr<AdapterFile>> AdapterFile::open(const fs::path& folder) {
    auto shape = read_config(folder / "adapter_config.json");
    if (!shape) return std::move(shape).error();
    std::unique_ptr<AdapterFile> out(new AdapterFile);
    out->folder_ = folder;
    auto file = Safetensors::open(folder / "adapter_model.safetensors");
    if (!file) return std::move(file).error();
    out->file_ = *std::move(file);
    std::map<std::string, AdapterModule> modules;
    for (const SafeTensor& t : out->file_->tensors()) {
        const auto a = t.name.find(".lora_A."), b = t.name.find(".lora_B.");
        const auto at = std::min(a, b);
        if (at == t.name.npos || !t.name.ends_with(".weight")) return out->file_->error(t, "is no low-rank matrix of a module", Code::unsupported);
        if (!is_float(t.dtype) || t.shape.size() != 2) return out->file_->error(t, "is " + std::string(info(t.dtype).name) + " " + shape_text(t.shape) + ", expected F32, F16 or BF16 of two dimensions");
        AdapterModule& m = modules[t.name.substr(0, at)];
        m.name = t.name.substr(0, at);
        m.rank = shape->rank;
        m.scale = float(shape->alpha / (shape->by_root ? std::sqrt(double(shape->rank)) : double(shape->rank)));
        (a != t.name.npos ? m.a : m.b) = &t;
    }
    for (auto& [name, m] : modules) {
        if (!m.a || !m.b) return base::error(Code::corrupt, out->file_->path().string() + ": module '" + name + "' has no lora_" + (m.a ? "B" : "A"));
        if (m.a->shape[0] != std::uint64_t(m.rank)) return out->file_->error(*m.a, "is " + shape_text(m.a->shape) + ", expected rank " + std::to_string(m.rank) + " first");
        if (m.b->shape[1] != std::uint64_t(m.rank)) return out->file_->error(*m.b, "is " + shape_text(m.b->shape) + ", expected rank " + std::to_string(m.rank) + " last");
        out->modules_.push_back(std::move(m));
    }
    if (out->modules_.empty()) return base::error(Code::corrupt, out->file_->path().string() + " changes no module");
    return out;
}

std::uint64_t AdapterFile::bytes() const {
    std::uint64_t sum = 0;
    for (const AdapterModule& m : modules_) sum += (m.a->shape[1] * std::uint64_t(m.rank + 15) + (m.b->shape[0] + 15) * std::uint64_t(m.rank)) * sizeof(float) + 128;
    return sum;
}

base::Result<void> Adapter::check(const AdapterFile& file, const Model& model) {
    for (const AdapterModule& m : file.modules()) {
        const Weight* const w = weight_of(model, m.name);
        if (!w) return file.file().error(*m.a, "changes a module that the model has not, or that takes no adapter here", Code::unsupported);
        if (const int inputs = inputs_of(*w); m.a->shape[1] != std::uint64_t(inputs)) return file.file().error(*m.a, "is " + shape_text(m.a->shape) + ", expected " + std::to_string(inputs) + " inputs");
        if (m.b->shape[0] != std::uint64_t(w->rows)) return file.file().error(*m.b, "is " + shape_text(m.b->shape) + ", expected " + std::to_string(w->rows) + " outputs");
    }
    return {};
}

base::Result<std::unique_ptr<Adapter>> Adapter::load(const AdapterFile& file, const Model& model) {
    std::unique_ptr<Adapter> out(new Adapter);
    const Ops& ops = *model.ops;
    std::size_t bytes = 0;
    for (const AdapterModule& m : file.modules()) {
        const Weight* const w = weight_of(model, m.name);
        bytes += place_bytes(ops, m.rank, int(m.a->shape[1])) + place_bytes(ops, w->rows, m.rank);
        out->rank_ = std::max(out->rank_, m.rank);
    }
    auto memory = ops.device->allocate(bytes, "an adapter");
    if (!memory) return std::move(memory).error();
    out->memory_ = *std::move(memory);
    std::uint8_t* at = out->memory_.data();
    for (const AdapterModule& m : file.modules()) {
        const Weight* const w = weight_of(model, m.name);
        const auto a = floats_of(*m.a);
        auto b = floats_of(*m.b);
        if (!are_numbers(a)) return file.file().error(*m.a, "has values that are no numbers");
        if (!are_numbers(b)) return file.file().error(*m.b, "has values that are no numbers");
        for (float& x : b) x *= m.scale;
        if (turns(m.name) && model.config.pairing == RopePairing::adjacent) b = interleaved(b, w->rows, m.rank, model.config.layer[std::size_t(place_of(m.name)->first)].head_dim);
        const int inputs = int(m.a->shape[1]);
        LowRank pair;
        pair.a = placed(ops, a, m.rank, inputs, at);
        at += place_bytes(ops, m.rank, inputs);
        pair.b = placed(ops, b, w->rows, m.rank, at);
        at += place_bytes(ops, w->rows, m.rank);
        out->changed_.emplace_back(w, pair);
    }
    std::ranges::sort(out->changed_, {}, &std::pair<const Weight*, LowRank>::first);
    return out;
}

const Adapter::LowRank* Adapter::find(const Weight* w) const {
    const auto at = std::ranges::lower_bound(changed_, w, {}, &std::pair<const Weight*, LowRank>::first);
    return at != changed_.end() && at->first == w ? &at->second : nullptr;
}

void adapt(const Model& m, const MatmulJob* jobs, int n_jobs, Mat x, const Batch& batch, Exec& exec) {
    for (int s = 0; s < batch.n_sequences; ++s) {
        const Adapter* const adapter = batch.adapters[s];
        if (!adapter) continue;
        const SequenceRows& rows = batch.sequences[s];
        const Mat in{x.row(rows.first_row), rows.rows, x.cols};
        for (int j = 0; j < n_jobs; ++j) {
            const Adapter::LowRank* const pair = adapter->find(jobs[j].w);
            if (!pair) continue;
            const Taken taken(*exec.scratch);
            const Mat low = take(*exec.scratch, rows.rows, pair->a.rows);
            const MatmulJob down{&pair->a, low, nullptr, false};
            m.ops->matmul(&down, 1, in, exec);
            const MatmulJob up{&pair->b, {jobs[j].out.row(rows.first_row), rows.rows, jobs[j].out.cols}, nullptr, true};
            m.ops->matmul(&up, 1, low, exec);
        }
    }
}

}  // namespace engine
