#include "engine/model/encoder.h"

#include <algorithm>

#include "engine/model/encoder_file.h"

namespace engine {
namespace {

std::string text(const std::vector<std::uint64_t>& shape) {
    std::string out;
    for (const auto n : shape) out += (out.empty() ? "[" : ", ") + std::to_string(n);
    return out + "]";
}

// Walks the tensors in the order in which they are used. Nothing is copied before all were looked at, so that the plan and
// the load cannot differ.
class Builder {
public:
    Builder(const EncoderFile& file, const Ops& ops, Encoder& out) : file_(file), c_(file.config), ops_(ops), e_(out) {}

    EncoderSize size;
    struct Packing {
        Weight* to;
        StoredTensor from;
        std::size_t offset;
    };
    std::vector<Packing> packings;

    base::Result<void> walk() {
        table("token_embd.weight", c_.vocabulary, e_.tokens);
        table("position_embd.weight", c_.positions, e_.positions);
        table("token_types.weight", c_.token_types, e_.types);
        norm("token_embd_norm", e_.norm);
        e_.layers.resize(std::size_t(c_.layers));
        for (int i = 0; i < c_.layers && !error_; ++i) layer("blk." + std::to_string(i) + ".", e_.layers[std::size_t(i)]);
        if (error_) return *error_;
        return file_.finish(used_);
    }

private:
    void layer(const std::string& p, EncoderLayer& l) {
        const int h = c_.hidden;
        dense(p + "attn_q", h, h, l.q);
        dense(p + "attn_k", h, h, l.k);
        dense(p + "attn_v", h, h, l.v);
        dense(p + "attn_output", h, h, l.o);
        norm(p + "attn_output_norm", l.attention_norm);
        dense(p + "ffn_up", c_.ffn, h, l.up);
        dense(p + "ffn_down", h, c_.ffn, l.down);
        norm(p + "layer_output_norm", l.ffn_norm);
    }

    std::optional<StoredTensor> find(const std::string& name, const std::vector<std::uint64_t>& shape) {
        auto tensor = file_.find(name);
        used_.insert(name);
        if (!tensor && !error_) error_ = file_.error("tensor '" + name + "' is missing");
        if (!tensor) return {};
        if (tensor->shape != shape) {
            if (!error_) error_ = file_.error("tensor '" + name + "' has shape " + text(tensor->shape) + ", expected " + text(shape));
            return {};
        }
        std::uint64_t values = 1;
        for (const auto n : shape) values *= n;
        size.parameters += values;
        return tensor;
    }

    static Weight plain(const StoredTensor& t) {
        return {t.format, Layout::plain, int(t.shape[0]), int(t.shape[1]), t.data.data(), t.data.size()};
    }

    void table(const std::string& name, int rows, Weight& out) {
        const auto tensor = find(name, {std::uint64_t(rows), std::uint64_t(c_.hidden)});
        if (!tensor) return;
        out = plain(*tensor);
        size.bytes.mapped += tensor->data.size();
    }

    void dense(const std::string& name, int rows, int cols, Dense& out) {
        if (const auto tensor = find(name + ".weight", {std::uint64_t(rows), std::uint64_t(cols)})) {
            if (tensor->format == Format::nvfp4 && !error_)  // its matrices have a factor of their own beside them
                error_ = file_.error("tensor '" + name + ".weight' is NVFP4, which this engine does not run in an encoder", base::Code::unsupported);
            out.w = plain(*tensor);
            const std::size_t packed = ops_.packed_bytes(tensor->format, rows, cols);
            if (packed == 0) {
                size.bytes.mapped += tensor->data.size();
            } else {
                packings.push_back({&out.w, *tensor, size.bytes.packed});
                size.bytes.packed += packed;
            }
        }
        out.b = vector(name + ".bias", rows);
    }

    void norm(const std::string& name, Norm& out) {
        out.w = vector(name + ".weight", c_.hidden);
        out.b = vector(name + ".bias", c_.hidden);
    }

    const float* vector(const std::string& name, int n) {
        const auto tensor = find(name, {std::uint64_t(n)});
        if (!tensor) return nullptr;
        std::vector<float> out(static_cast<std::size_t>(n));
        dequantise(tensor->format, tensor->data.data(), out.data(), out.size());
        e_.vectors.push_back(std::move(out));
        return e_.vectors.back().data();
    }

    const EncoderFile& file_;
    const EncoderConfig& c_;
    const Ops& ops_;
    Encoder& e_;
    std::set<std::string> used_;
    std::optional<base::Error> error_;
};

}  // namespace

Encoder::Encoder() = default;
Encoder::~Encoder() = default;

base::Result<EncoderSize> measure_encoder(const EncoderFile& file, const Ops& ops) {
    Encoder unused;
    Builder builder(file, ops, unused);
    if (auto done = builder.walk(); !done) return std::move(done).error();
    return builder.size;
}

base::Result<std::unique_ptr<Encoder>> load_encoder(std::unique_ptr<EncoderFile> file, const Ops& ops, Pool& pool, const std::function<void(double)>& progress) {
    auto out = std::make_unique<Encoder>();
    Builder builder(*file, ops, *out);
    if (auto done = builder.walk(); !done) return std::move(done).error();
    auto memory = HugeMemory::allocate(builder.size.bytes.packed, "the weights");
    if (!memory) return std::move(memory).error();
    out->packed = *std::move(memory);
    const int n = int(builder.packings.size()), batch = std::max(1, n / 50);  // so that progress moves while the pool is busy
    for (int first = 0; first < n; first += batch) {
        auto one = [&](int item, int) {
            const auto& [weight, from, offset] = builder.packings[std::size_t(first + item)];
            std::uint8_t* const to = out->packed.data() + offset;
            ops.pack(*weight, to);
            weight->layout = Layout::panel16;
            weight->data = to;
            file->release(from);  // or the weights would be held twice
        };
        pool.run(std::min(batch, n - first), one);
        if (progress) progress(double(std::min(n, first + batch)) / n);
    }
    out->config = file->config;
    out->file = std::move(file);
    out->ops = &ops;
    out->parameters = builder.size.parameters;
    return out;
}

}  // namespace engine
