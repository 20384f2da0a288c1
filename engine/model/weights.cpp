#include "engine/model/weights.h"

#include <sys/mman.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

namespace engine {
namespace {

constexpr std::size_t kHugePage = 2 << 20;

// Walks the model's tensors in the order in which they are used. With `model` null it only checks
// and counts, so that the plan and the load cannot differ.
class Builder {
public:
    Builder(const Gguf& gguf, const Config& config, const Ops& ops) : gguf_(gguf), c_(config), ops_(ops) {}

    WeightBytes bytes;
    std::uint64_t active_bytes = 0, parameters = 0, active_parameters = 0;
    struct Packing {
        Weight plain;
        std::size_t offset;
        std::size_t size;
    };
    std::vector<Packing> packings;

    base::Result<void> walk(Model& m) {
        matrix("token_embd.weight", c_.vocabulary, c_.hidden, m.embedding, Keep::plain);
        m.output_norm = vector("output_norm.weight", c_.hidden, m);
        const bool tied = !gguf_.tensor("output.weight");
        matrix(tied ? "token_embd.weight" : "output.weight", c_.vocabulary, c_.hidden, m.output, Keep::packed);
        if (tied) parameters -= std::uint64_t(c_.vocabulary) * std::uint64_t(c_.hidden);
        m.layers.resize(std::size_t(c_.layers));
        for (int i = 0; i < c_.layers && !error_; ++i) layer(i, m);
        if (error_) return *error_;
        frequencies(m);
        if (error_) return *error_;
        return {};
    }

private:
    enum class Keep { plain, packed };

    void fail(base::Error e) {
        if (!error_) error_ = std::move(e);
    }

    const GgufTensor* find(const std::string& name, const std::vector<std::uint64_t>& dims) {
        const GgufTensor* tensor = gguf_.tensor(name);
        if (!tensor) {
            fail(gguf_.error("tensor '" + name + "' is missing"));
            return nullptr;
        }
        if (tensor->dims != dims) {
            GgufTensor expected;
            expected.dims = dims;
            fail(gguf_.error("tensor '" + name + "' has shape " + tensor->shape() + ", expected " + expected.shape()));
            return nullptr;
        }
        return tensor;
    }

    // Places matrices one after another: `part` of `parts` interleaved stacks, so that an expert's
    // matrices lie in one piece.
    void place(const GgufTensor& tensor, int rows, int cols, int count, Weight& out, Keep keep, std::size_t at,
               std::size_t stride) {
        const std::size_t plain_bytes = row_bytes(tensor.format, std::size_t(cols)) * std::size_t(rows);
        const Weight plain{tensor.format, Layout::plain, rows, cols, tensor.data.data(), plain_bytes};
        const std::size_t packed = keep == Keep::packed ? ops_.packed_bytes(tensor.format, rows, cols) : 0;
        if (packed == 0) {
            out = plain;
            bytes.mapped += plain_bytes * std::size_t(count);
            return;
        }
        out = {tensor.format, Layout::panel16, rows, cols, nullptr, stride};
        for (int e = 0; e < count; ++e) {
            Weight one = plain;
            one.data = plain.matrix(e);
            packings.push_back({one, at + std::size_t(e) * stride, packed});
        }
        placed.push_back({&out, at});
    }

    void matrix(const std::string& name, int rows, int cols, Weight& out, Keep keep = Keep::packed) {
        const GgufTensor* tensor = find(name, {std::uint64_t(cols), std::uint64_t(rows)});
        if (!tensor) return;
        const std::size_t size = keep == Keep::packed ? ops_.packed_bytes(tensor->format, rows, cols) : 0;
        place(*tensor, rows, cols, 1, out, keep, bytes.packed, size);
        bytes.packed += size;
        count(*tensor, keep == Keep::plain ? 0.0 : 1.0);
    }

    void experts(const std::string& prefix, Layer& l) {
        struct Stack {
            const char* name;
            int rows, cols;
            Weight* out;
        };
        const Stack stacks[] = {{"ffn_gate_exps.weight", c_.expert_ffn, c_.hidden, &l.gate_experts},
                                {"ffn_up_exps.weight", c_.expert_ffn, c_.hidden, &l.up_experts},
                                {"ffn_down_exps.weight", c_.hidden, c_.expert_ffn, &l.down_experts}};
        const GgufTensor* tensors[3];
        std::size_t sizes[3], stride = 0;
        for (int i = 0; i < 3; ++i) {
            const Stack& s = stacks[i];
            tensors[i] = find(prefix + s.name, {std::uint64_t(s.cols), std::uint64_t(s.rows), std::uint64_t(c_.experts)});
            if (!tensors[i]) return;
            sizes[i] = ops_.packed_bytes(tensors[i]->format, s.rows, s.cols);
            stride += sizes[i];
        }
        std::size_t at = bytes.packed;
        for (int i = 0; i < 3; ++i) {
            place(*tensors[i], stacks[i].rows, stacks[i].cols, c_.experts, *stacks[i].out, Keep::packed, at, stride);
            at += sizes[i];
            count(*tensors[i], double(c_.experts_used) / c_.experts);
        }
        bytes.packed += stride * std::size_t(c_.experts);
    }

    const float* vector(const std::string& name, int size, Model& m) {
        const GgufTensor* tensor = find(name, {std::uint64_t(size)});
        if (!tensor) return nullptr;
        std::vector<float> values(static_cast<std::size_t>(size));
        dequantise(tensor->format, tensor->data.data(), values.data(), values.size());
        count(*tensor, 1);
        m.vectors.push_back(std::move(values));
        return m.vectors.back().data();
    }

    void layer(int index, Model& m) {
        Layer& l = m.layers[std::size_t(index)];
        const std::string p = "blk." + std::to_string(index) + ".";
        const int q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
        l.attention_norm = vector(p + "attn_norm.weight", c_.hidden, m);
        matrix(p + "attn_q.weight", q, c_.hidden, l.q);
        matrix(p + "attn_k.weight", kv, c_.hidden, l.k);
        matrix(p + "attn_v.weight", kv, c_.hidden, l.v);
        matrix(p + "attn_output.weight", c_.hidden, q, l.o);
        if (c_.family->qkv_bias || gguf_.tensor(p + "attn_q.bias")) {
            l.q_bias = vector(p + "attn_q.bias", q, m);
            l.k_bias = vector(p + "attn_k.bias", kv, m);
            l.v_bias = vector(p + "attn_v.bias", kv, m);
        }
        if (c_.family->qk_norm) {
            l.q_norm = vector(p + "attn_q_norm.weight", c_.head_dim, m);
            l.k_norm = vector(p + "attn_k_norm.weight", c_.head_dim, m);
        }
        l.ffn_norm = vector(p + "ffn_norm.weight", c_.hidden, m);
        l.moe = c_.experts > 0 && (gguf_.tensor(p + "ffn_gate_inp.weight") || !gguf_.tensor(p + "ffn_gate.weight"));
        if (l.moe) {
            matrix(p + "ffn_gate_inp.weight", c_.experts, c_.hidden, l.router);
            experts(p, l);
        } else {
            matrix(p + "ffn_gate.weight", c_.ffn, c_.hidden, l.gate);
            matrix(p + "ffn_up.weight", c_.ffn, c_.hidden, l.up);
            matrix(p + "ffn_down.weight", c_.hidden, c_.ffn, l.down);
        }
    }

    // llama3's scaling is baked into the file as a divisor of each frequency.
    void frequencies(Model& m) {
        const int half = c_.rope_dim / 2;
        std::vector<float> divisor(std::size_t(half), 1.0f);
        if (gguf_.tensor("rope_freqs.weight")) {
            const GgufTensor* tensor = find("rope_freqs.weight", {std::uint64_t(half)});
            if (!tensor) return;
            dequantise(tensor->format, tensor->data.data(), divisor.data(), divisor.size());
        }
        for (int i = 0; i < half; ++i) {
            const double f = std::pow(double(c_.rope_base), -2.0 * i / c_.rope_dim);
            m.inverse_frequencies.push_back(float(f / divisor[std::size_t(i)] / c_.rope_scale));
        }
    }

    void count(const GgufTensor& tensor, double active) {
        parameters += tensor.values();
        active_parameters += std::uint64_t(double(tensor.values()) * active);
        active_bytes += std::uint64_t(double(tensor.data.size()) * active);
    }

    const Gguf& gguf_;
    const Config& c_;
    const Ops& ops_;
    std::optional<base::Error> error_;

public:
    std::vector<std::pair<Weight*, std::size_t>> placed;  // matrices that await the packed memory, by offset
};

}  // namespace

base::Result<HugeMemory> HugeMemory::allocate(std::size_t bytes, const std::string& purpose) {
    HugeMemory out;
    if (bytes == 0) return out;
    out.size_ = bytes;
    out.mapped_ = bytes + kHugePage;
    out.mapping_ = mmap(nullptr, out.mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (out.mapping_ == MAP_FAILED) {
        out.mapping_ = nullptr;
        return base::error(base::Code::resource_exhausted,
                           "cannot get " + std::to_string(bytes >> 20) + " MiB for " + purpose + ": " + std::strerror(errno));
    }
    const auto address = reinterpret_cast<std::uintptr_t>(out.mapping_);
    out.data_ = reinterpret_cast<std::uint8_t*>((address + kHugePage - 1) / kHugePage * kHugePage);
    madvise(out.data_, bytes, MADV_HUGEPAGE);  // a wish: small pages work too
    return out;
}

HugeMemory::HugeMemory(HugeMemory&& other) noexcept { *this = std::move(other); }

HugeMemory& HugeMemory::operator=(HugeMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapping_, other.mapping_);
    std::swap(mapped_, other.mapped_);
    return *this;
}

HugeMemory::~HugeMemory() {
    if (mapping_) munmap(mapping_, mapped_);
}

base::Result<WeightBytes> measure_model(const Gguf& gguf, const Config& config, const Ops& ops) {
    Model model;
    Builder builder(gguf, config, ops);
    if (auto done = builder.walk(model); !done) return std::move(done).error();
    return builder.bytes;
}

base::Result<std::unique_ptr<Model>> load_model(std::unique_ptr<Gguf> gguf, Config config, const Ops& ops, Pool& pool,
                                                const std::function<void(double)>& progress) {
    auto model = std::make_unique<Model>();
    Builder builder(*gguf, config, ops);
    if (auto done = builder.walk(*model); !done) return std::move(done).error();
    auto memory = HugeMemory::allocate(builder.bytes.packed, "the weights");
    if (!memory) return std::move(memory).error();
    model->packed = *std::move(memory);
    for (const auto& [weight, offset] : builder.placed) weight->data = model->packed.data() + offset;

    // Batches, so that progress moves while the pool is kept busy.
    const int batch = std::max(1, int(builder.packings.size()) / 50);
    for (int first = 0; first < int(builder.packings.size()); first += batch) {
        const int n = std::min(batch, int(builder.packings.size()) - first);
        auto one = [&](int item, int) {
            const auto& packing = builder.packings[std::size_t(first + item)];
            ops.pack(packing.plain, model->packed.data() + packing.offset);
            gguf->mapping().release({packing.plain.data, packing.plain.stride});  // or the weights would be held twice
        };
        pool.run(n, one);
        if (progress) progress(double(first + n) / double(builder.packings.size()));
    }
    model->config = std::move(config);
    model->file = std::move(gguf);
    model->ops = &ops;
    model->parameters = builder.parameters;
    model->active_parameters = builder.active_parameters;
    model->bytes_per_token = builder.active_bytes;
    return model;
}

}  // namespace engine
