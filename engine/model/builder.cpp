#include "engine/model/builder.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>

namespace engine {
namespace {

constexpr std::size_t kAlignment = 64;  // of a matrix in memory of our own

class Builder {
public:
    Builder(TensorSource& source, const Config& config, const Ops& ops, Placing placing) : source_(source), c_(config), ops_(ops), placing_(placing) {}

    base::Result<ModelLayout> walk(Model& m) {
        model_ = &m;
        matrix("token_embd.weight", c_.vocabulary, c_.hidden, m.embedding, Keep::plain);
        // lfm2 names it by where it stood in an older form.
        m.output_norm = vector(has("output_norm.weight") || !has("token_embd_norm.weight") ? "output_norm.weight" : "token_embd_norm.weight", c_.hidden, m);
        const bool tied = !has("output.weight");
        matrix(tied ? "token_embd.weight" : "output.weight", c_.vocabulary, c_.hidden, m.output, Keep::packed);
        if (tied) {
            const std::uint64_t twice = std::uint64_t(c_.vocabulary) * std::uint64_t(c_.hidden);
            out_.parameters -= twice;
            out_.active_parameters -= twice;
        }
        if (c_.per_layer_width > 0) {
            const int all = c_.layers * c_.per_layer_width;
            matrix("per_layer_token_embd.weight", c_.vocabulary, all, m.own_embedding, Keep::plain);
            matrix("per_layer_model_proj.weight", all, c_.hidden, m.own_projection);
            m.own_norm = vector("per_layer_proj_norm.weight", c_.per_layer_width, m);
        }
        m.layers.resize(std::size_t(c_.layers));
        for (int i = 0; i < c_.layers && !error_; ++i) layer(i, i, m);
        if (!error_) check_layers();
        if (error_) return *error_;
        for (const RopeConfig& rope : c_.ropes) frequencies(rope, m);
        if (error_) return *error_;
        if (auto used = source_.finish(); !used) return std::move(used).error();
        return std::move(out_);
    }

    base::Result<ModelLayout> walk(DraftHead& head, int block) {
        Model& m = head.decoder;
        model_ = &m;
        const std::string p = "blk." + std::to_string(block) + ".nextn.";
        matrix(p + "eh_proj.weight", c_.hidden, 2 * c_.hidden, head.joint);
        head.embedding_norm = vector(p + "enorm.weight", c_.hidden, m);
        head.state_norm = vector(p + "hnorm.weight", c_.hidden, m);
        m.output_norm = vector(p + "shared_head_norm.weight", c_.hidden, m);
        m.layers.resize(1);
        if (!error_) layer(0, block, m);
        if (error_) return *error_;
        if (auto used = source_.finish_head(); !used) return std::move(used).error();
        return std::move(out_);
    }

private:
    enum class Keep { plain, packed };

    void fail(base::Error e) {
        if (!error_) error_ = std::move(e);
    }

    bool has(const std::string& name) const { return source_.has(name); }

    std::optional<Stored> find(const std::string& name, int rows, int cols, int count = 1) {
        auto found = source_.matrices(name, rows, cols, count);
        if (found) return *std::move(found);
        fail(std::move(found).error());
        return std::nullopt;
    }

    // Bytes that one of its matrices takes in memory of our own, 0 where it is used as it lies in the file.
    std::size_t own_bytes(const Stored& stored, Keep keep) const {
        const std::size_t packed = keep == Keep::packed ? ops_.packed_bytes(stored.format, stored.rows, stored.cols) : 0;
        if (packed > 0) return packed;
        return placing_ == Placing::in_file && stored.lies_whole() ? 0 : (stored.bytes() + kAlignment - 1) / kAlignment * kAlignment;
    }

    // Places a stack's matrices, `stride` bytes apart in our own memory from `at` on: an expert's matrices lie in one piece.
    void place(Stored stored, Weight& out, Keep keep, std::size_t at, std::size_t stride) {
        const bool packed = keep == Keep::packed && ops_.packed_bytes(stored.format, stored.rows, stored.cols) > 0;
        out = {stored.format, packed ? Layout::panel16 : Layout::plain, stored.rows, stored.cols};
        if (!stored.scales.empty()) out.scales = kept(std::move(stored.scales));
        if (!stored.order.empty()) out.order = model_->arrays.keep(*ops_.device, std::move(stored.order));
        if (own_bytes(stored, keep) == 0) {
            out.data = stored.in_place[0];
            out.stride = stored.count() > 1 ? std::size_t(stored.in_place[1] - stored.in_place[0]) : stored.bytes();
            out_.bytes.mapped += stored.bytes() * std::size_t(stored.count());
            return;
        }
        out.stride = stride;
        for (int e = 0; e < stored.count(); ++e) out_.packings.push_back({out_.stored.size(), e, packed, at + std::size_t(e) * stride});
        out_.stored.push_back(std::move(stored));
        out_.placed.push_back({&out, at});
    }

    // A matrix or a stack with memory of its own.
    void place(Stored stored, Weight& out, Keep keep = Keep::packed) {
        const std::size_t stride = own_bytes(stored, keep), at = out_.bytes.packed;
        out_.bytes.packed += stride * std::size_t(stored.count());
        place(std::move(stored), out, keep, at, stride);
    }

    const float* kept(std::vector<float> values) {
        return model_->arrays.keep(*ops_.device, std::move(values));
    }

    void matrix(const std::string& name, int rows, int cols, Weight& out, Keep keep = Keep::packed) {
        auto stored = find(name, rows, cols);
        if (!stored) return;
        count(*stored, 1, keep == Keep::plain ? 0 : 1);
        place(*std::move(stored), out, keep);
    }

    // A tensor of several matrices one below the other.
    void matrices(const std::string& name, int cols, std::initializer_list<std::pair<int, Weight*>> parts) {
        int rows = 0, first = 0;
        for (const auto& part : parts) rows += part.first;
        const auto stored = find(name, rows, cols);
        if (!stored) return;
        count(*stored);
        for (const auto& [n, out] : parts) {
            place(stored->part(first, n), *out);
            first += n;
        }
    }

    const float* vector(const std::string& name, int size, Model& m) { return values(name, {std::uint64_t(size)}, m); }

    std::optional<std::vector<float>> read(const std::string& name, const std::vector<std::uint64_t>& dims) {
        auto found = source_.values(name, dims);
        if (!found) return fail(std::move(found).error()), std::nullopt;
        out_.parameters += found->size();
        out_.active_parameters += found->size();
        out_.active_bytes += found->size() * sizeof(float);
        return *std::move(found);
    }

    const float* values(const std::string& name, const std::vector<std::uint64_t>& dims, Model&) {
        auto found = read(name, dims);
        return found ? kept(*std::move(found)) : nullptr;
    }

    // Of what a family may have or not, one layer has what another has.
    bool has_in_layers(const std::string& name, std::vector<std::uint64_t> dims) {
        const bool there = has(name);
        if (!name.starts_with("blk.")) return there;
        InLayers& all = in_layers_[name.substr(name.find('.', 4))];
        if (there) all.somewhere = true;
        else if (all.without.empty()) all.without = name, all.dims = std::move(dims);
        return there;
    }

    void check_layers() {
        for (const auto& [part, all] : in_layers_)
            if (all.somewhere && !all.without.empty())
                if (auto missing = source_.values(all.without, all.dims); !missing) return fail(std::move(missing).error());
    }

    const float* vector_if_there(const std::string& name, int size, Model& m) { return has_in_layers(name, {std::uint64_t(size)}) ? vector(name, size, m) : nullptr; }

    void ffn(const std::string& prefix, const std::string& suffix, int inner, Ffn& out) {
        matrix(prefix + "ffn_gate" + suffix, inner, c_.hidden, out.gate);
        matrix(prefix + "ffn_up" + suffix, inner, c_.hidden, out.up);
        matrix(prefix + "ffn_down" + suffix, c_.hidden, inner, out.down);
    }

    // Gate, up and down of every expert; some files have gate and up in one tensor, the gate's rows first.
    void expert_stacks(int index, const std::string& prefix, Experts& out) {
        std::vector<std::pair<Stored, Weight*>> stacks;
        const auto add = [&](const std::string& name, int rows, int cols, std::initializer_list<Weight*> parts) {
            const auto stored = find(prefix + name, rows, cols, c_.experts);
            if (!stored) return;
            const double used = double(c_.experts_used) / c_.experts;
            count(*stored, used, used);
            const int one = rows / int(parts.size());
            int first = 0;
            for (Weight* part : parts) {
                stacks.emplace_back(stored->part(first, one), part);
                first += one;
            }
        };
        if (has(prefix + "ffn_gate_up_exps.weight")) {
            add("ffn_gate_up_exps.weight", 2 * c_.expert_ffn, c_.hidden, {&out.gate, &out.up});
        } else {
            add("ffn_gate_exps.weight", c_.expert_ffn, c_.hidden, {&out.gate});
            add("ffn_up_exps.weight", c_.expert_ffn, c_.hidden, {&out.up});
        }
        add("ffn_down_exps.weight", c_.hidden, c_.expert_ffn, {&out.down});
        std::size_t stride = 0, at = out_.bytes.packed;
        const std::size_t first = out_.packings.size();
        for (const auto& [stored, to] : stacks) stride += own_bytes(stored, Keep::packed);
        for (auto& [stored, to] : stacks) {
            const std::size_t own = own_bytes(stored, Keep::packed);
            place(std::move(stored), *to, Keep::packed, at, stride);
            at += own;
        }
        out_.stacks.push_back({index, out_.bytes.packed, stride, first, int(stacks.size())});
        out_.bytes.packed += stride * std::size_t(c_.experts);
    }

    void experts(int index, const std::string& p, Experts& out, Model& m) {
        matrix(p + "ffn_gate_inp.weight", c_.experts, c_.hidden, out.router);
        const Family& family = *c_.family;
        if (family.expert_biases) out.router_bias = vector_if_there(p + "ffn_gate_inp.bias", c_.experts, m);
        if (family.choice_bias) out.choice_bias = vector_if_there(p + "exp_probs_b.bias", c_.experts, m);
        if (family.scales) out.scale = vector_if_there(p + "ffn_down_exps.scale", c_.experts, m);
        if (family.scales && has_in_layers(p + "ffn_gate_inp.scale", {std::uint64_t(c_.hidden)})) {
            if (auto found = read(p + "ffn_gate_inp.scale", {std::uint64_t(c_.hidden)})) {
                for (float& value : *found) value /= std::sqrt(float(c_.hidden));
                out.router_norm = kept(*std::move(found));
            }
        }
        expert_stacks(index, p, out);
        const std::uint64_t n = std::uint64_t(c_.experts), inner = std::uint64_t(c_.expert_ffn), h = std::uint64_t(c_.hidden);
        if (family.expert_biases && has_in_layers(p + "ffn_gate_exps.bias", {inner, n})) {
            out.gate_bias = values(p + "ffn_gate_exps.bias", {inner, n}, m);
            out.up_bias = values(p + "ffn_up_exps.bias", {inner, n}, m);
            out.down_bias = values(p + "ffn_down_exps.bias", {h, n}, m);
        }
        if (c_.shared_ffn == 0) return;
        ffn(p, "_shexp.weight", c_.shared_ffn, out.shared);
        const std::string gate = p + "ffn_gate_inp_shexp.weight";
        if (family.shared_gate && has_in_layers(gate, {std::uint64_t(c_.hidden)})) matrix(gate, 1, c_.hidden, out.shared_gate);
    }

    void attention(const std::string& p, const LayerConfig& shape, bool own_keys, Layer& l, Model& m) {
        const int q = c_.heads * shape.head_dim, kv = shape.kv_heads * shape.head_dim;
        const QkNorm norm = c_.family->qk_norm;
        const bool whole = norm == QkNorm::projection;
        const bool norms = norm == QkNorm::head_if_there ? has_in_layers(p + "attn_q_norm.weight", {std::uint64_t(shape.head_dim)}) : norm != QkNorm::none;
        matrix(p + "attn_q.weight", c_.family->gated_attention ? 2 * q : q, c_.hidden, l.q);
        if (own_keys) {
            matrix(p + "attn_k.weight", kv, c_.hidden, l.k);
            // A file without it says that the values are the keys' projection.
            if (has(p + "attn_v.weight") || !c_.family->keys_as_values) matrix(p + "attn_v.weight", kv, c_.hidden, l.v);
        }
        matrix(p + "attn_output.weight", c_.hidden, q, l.o);
        if (has_in_layers(p + "attn_q.bias", {std::uint64_t(q)}) || c_.family->qkv_bias) {
            l.q_bias = vector(p + "attn_q.bias", q, m);
            l.k_bias = vector(p + "attn_k.bias", kv, m);
            l.v_bias = vector(p + "attn_v.bias", kv, m);
        }
        l.o_bias = vector_if_there(p + "attn_output.bias", c_.hidden, m);
        if (norms) {
            l.q_norm = vector(p + "attn_q_norm.weight", whole ? q : shape.head_dim, m);
            if (own_keys) l.k_norm = vector(p + "attn_k_norm.weight", whole ? kv : shape.head_dim, m);
        }
        if (c_.family->sinks) l.sinks = vector(p + "attn_sinks.weight", c_.heads, m);
        if (c_.family->post_norms) l.attention_post_norm = vector(p + "post_attention_norm.weight", c_.hidden, m);
    }

    // As (K, width), so that neighbouring channels lie beside each other.
    const float* convolution(const std::string& name) {
        const int kernel = c_.recurrent.kernel, width = c_.recurrent.width;
        const auto by_channel = read(name, {std::uint64_t(kernel), std::uint64_t(width)});
        if (!by_channel) return nullptr;
        std::vector<float> out(by_channel->size());
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = (*by_channel)[i % std::size_t(width) * std::size_t(kernel) + i / std::size_t(width)];
        return kept(std::move(out));
    }

    void recurrent(const std::string& p, Mixer mixer, Recurrent& out, Model& m) {
        const RecurrentConfig& r = c_.recurrent;
        const int h = c_.hidden, inner = r.heads * r.head_dim;
        if (mixer == Mixer::short_convolution) {
            matrices(p + "shortconv.in_proj.weight", h, {{h, &out.in[0]}, {h, &out.in[1]}, {h, &out.in[2]}});
            out.convolution = convolution(p + "shortconv.conv.weight");
            out.convolution_bias = vector_if_there(p + "shortconv.conv.bias", h, m);
            matrix(p + "shortconv.out_proj.weight", h, h, out.out);
            return;
        }
        out.convolution = convolution(p + "ssm_conv1d.weight");
        out.convolution_bias = vector_if_there(p + "ssm_conv1d.bias", r.width, m);
        out.dt_bias = vector(p + "ssm_dt.bias", r.heads, m);
        matrix(p + "ssm_out.weight", h, inner, out.out);
        const std::uint64_t heads = std::uint64_t(r.heads);
        if (mixer == Mixer::selective_scan) {
            matrices(p + "ssm_in.weight", h, {{inner, &out.in[0]}, {r.width, &out.in[1]}, {r.heads, &out.in[2]}});
            out.a = values(p + "ssm_a", {1, heads}, m);
            out.d = values(p + "ssm_d", {1, heads}, m);
            out.norm = values(p + "ssm_norm.weight", {std::uint64_t(inner / r.groups), std::uint64_t(r.groups)}, m);
            return;
        }
        matrix(p + "attn_qkv.weight", r.width, h, out.in[0]);
        matrix(p + "attn_gate.weight", inner, h, out.in[1]);
        out.grouped = has(p + "ssm_ba.weight");
        if (out.grouped) {
            matrix(p + "ssm_ba.weight", 2 * r.heads, h, out.in[2]);
        } else {
            matrix(p + "ssm_beta.weight", r.heads, h, out.in[2]);
            matrix(p + "ssm_alpha.weight", r.heads, h, out.in[3]);
        }
        out.a = values(p + "ssm_a", {heads}, m);
        out.norm = vector(p + "ssm_norm.weight", r.head_dim, m);
    }

    // Matrices of all heads in one tensor.
    void heads(const std::string& name, int rows, int cols, Weight& out) {
        auto stored = find(name, rows, cols, c_.heads);
        if (!stored) return;
        count(*stored);
        place(*std::move(stored), out);
    }

    void latent(const std::string& p, Latent& out, Model& m) {
        const LatentConfig& l = c_.latent;
        const int h = c_.hidden, queries = c_.heads * (l.plain + l.rotated);
        if (l.q_rank > 0) {
            matrix(p + "attn_q_a.weight", l.q_rank, h, out.q_down);
            out.q_norm = vector(p + "attn_q_a_norm.weight", l.q_rank, m);
            matrix(p + "attn_q_b.weight", queries, l.q_rank, out.q);
        } else {
            matrix(p + "attn_q.weight", queries, h, out.q);
        }
        matrix(p + "attn_kv_a_mqa.weight", l.kv_rank + l.rotated, h, out.kv_down);
        out.kv_norm = vector(p + "attn_kv_a_norm.weight", l.kv_rank, m);
        heads(p + "attn_k_b.weight", l.kv_rank, l.plain, out.key);
        heads(p + "attn_v_b.weight", l.value, l.kv_rank, out.value);
        matrix(p + "attn_output.weight", h, c_.heads * l.value, out.o);
    }

    // `block`: what the file calls it.
    void layer(int index, int block, Model& m) {
        Layer& l = m.layers[std::size_t(index)];
        const LayerConfig& shape = c_.layer[std::size_t(index)];
        const std::string p = "blk." + std::to_string(block) + ".";
        if (c_.family->pre_norms) l.attention_norm = vector(p + "attn_norm.weight", c_.hidden, m);
        if (c_.family->latent) latent(p, l.latent, m);
        else if (shape.mixer == Mixer::attention) attention(p, shape, shape.kv_layer == index, l, m);
        else recurrent(p, shape.mixer, l.recurrent, m);
        // Some converters name the norm before the FFN by its place.
        const bool by_place = !c_.family->post_norms && !has(p + "ffn_norm.weight") && has(p + "post_attention_norm.weight");
        if (c_.family->pre_norms) l.ffn_norm = vector(p + (by_place ? "post_attention_norm.weight" : "ffn_norm.weight"), c_.hidden, m);
        const bool both = shape.moe && has(p + "ffn_gate.weight");
        if (shape.moe) experts(index, p, l.experts, m);
        if (!shape.moe || both) ffn(p, ".weight", shape.ffn, l.ffn);
        if (both) {
            l.dense_post_norm = vector(p + "post_ffw_norm_1.weight", c_.hidden, m);
            l.experts_norm = vector(p + "pre_ffw_norm_2.weight", c_.hidden, m);
            l.experts_post_norm = vector(p + "post_ffw_norm_2.weight", c_.hidden, m);
        }
        if (c_.family->post_norms) l.ffn_post_norm = vector(p + "post_ffw_norm.weight", c_.hidden, m);
        if (c_.per_layer_width > 0) {
            matrix(p + "inp_gate.weight", c_.per_layer_width, c_.hidden, l.own_gate);
            matrix(p + "proj.weight", c_.hidden, c_.per_layer_width, l.own_projection);
            l.own_norm = vector(p + "post_norm.weight", c_.hidden, m);
        }
        if (const std::string name = p + "layer_output_scale.weight"; c_.family->scales && has_in_layers(name, {1}))
            if (const auto scale = read(name, {1})) l.output_scale = (*scale)[0];
    }

    // Divided where the file or its configuration says so (llama3, proportional). Yarn (Peng et al. 2023, §3.2): frequencies
    // that turn less than beta_slow times over the original context are divided by the factor, those that turn more than
    // beta_fast times stay, and between them there is a ramp.
    void frequencies(const RopeConfig& rope, Model& m) {
        const int half = rope.dim / 2;
        std::vector<float> divisor = rope.divisor, out;
        if (rope.divisors_in_file && has("rope_freqs.weight")) {
            auto found = source_.values("rope_freqs.weight", {std::uint64_t(half)});
            if (!found) return fail(std::move(found).error());
            divisor = *std::move(found);
        }
        divisor.resize(std::size_t(half), 1.0f);
        const bool yarn = rope.yarn_factor != 1;
        const auto [low, high] = yarn ? yarn_ramp(rope, rope.yarn_whole) : std::pair{0.0, 1.0};
        for (int i = 0; i < half; ++i) {
            const double f = std::pow(double(rope.base), -2.0 * i / rope.dim) / divisor[std::size_t(i)] / rope.scale;
            const double ramp = yarn ? std::clamp((i - low) / (high - low), 0.0, 1.0) : 0;
            out.push_back(float(f / rope.yarn_factor * ramp + f * (1 - ramp)));
        }
        m.inverse_frequencies.push_back(kept(std::move(out)));
    }

    // `active`: the share of it that a token uses; `read`: that a decode step reads, which looks up one row of embeddings.
    void count(const Stored& stored, double active = 1, double read = 1) {
        const std::uint64_t n = std::uint64_t(stored.count()), values = stored.values();
        if (stored.eight_bits) out_.eight_bits += values;
        if (stored.inputs) out_.widest = std::max(out_.widest, stored.cols);
        out_.parameters += values;
        out_.values[std::size_t(stored.format)] += values;
        out_.active_parameters += std::uint64_t(double(values) * active);
        out_.active_bytes += std::uint64_t(double(n * stored.bytes()) * read);
    }

    TensorSource& source_;
    const Config& c_;
    const Ops& ops_;
    const Placing placing_;
    Model* model_ = nullptr;
    std::optional<base::Error> error_;
    struct InLayers {
        bool somewhere = false;
        std::string without;                        // the first layer's
        std::vector<std::uint64_t> dims;
    };
    std::map<std::string, InLayers> in_layers_;     // by what follows the layer
    ModelLayout out_;
};

}  // namespace

base::Result<ModelLayout> lay_out(TensorSource& source, const Config& config, const Ops& ops, Model& model, Placing placing) {
    return Builder(source, config, ops, placing).walk(model);
}

base::Result<ModelLayout> lay_out_head(TensorSource& source, const Config& config, int block, const Ops& ops, DraftHead& head) {
    return Builder(source, config, ops, Placing::in_file).walk(head, block);
}

}  // namespace engine
