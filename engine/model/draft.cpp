#include "engine/model/draft.h"

#include <algorithm>

#include "engine/model/blocks.h"
#include "engine/model/builder.h"

namespace engine {
namespace {

// Blocks for drafting are named as if they were the model's next layers.
std::string head_prefix(const Config& model) { return "blk." + std::to_string(model.layers) + ".nextn."; }

bool has_head(const TensorSource& source, const Config& model) { return model.family->drafts && source.has(head_prefix(model) + "eh_proj.weight"); }

// The model's shape with one layer that attends as the model's do.
base::Result<Config> head_config(const ModelFile& file, const TensorSource& source, const Config& model) {
    for (const char* own : {"embed_tokens.weight", "shared_head_head.weight"})
        if (source.has(head_prefix(model) + own))
            return file.error("tensor '" + head_prefix(model) + own + "' belongs to the head alone; this engine runs heads that share the model's", base::Code::unsupported);
    const auto attends = std::ranges::find(model.layer, Mixer::attention, &LayerConfig::mixer);
    if (attends == model.layer.end()) return file.error("has a head for drafting, but no layer that attends", base::Code::unsupported);
    Config out = model;
    out.layer = {*attends};
    out.layer[0].kv_layer = 0;
    out.layer[0].moe = model.experts > 0;
    out.layers = 1;
    out.recurrent = {};
    out.state_values = 0;
    return out;
}

// None: the file has no head.
base::Result<std::optional<Config>> find_head(const ModelFile& file, const TensorSource& source, const Config& model) {
    if (!has_head(source, model)) return std::optional<Config>();
    auto config = head_config(file, source, model);
    if (!config) return std::move(config).error();
    return std::optional(*std::move(config));
}

// [norm(embedding) | norm(state)]
Mat joined(const DraftHead& head, const Batch& batch, Mat states, Activations& a, Exec& exec) {
    const Model& m = head.decoder;
    m.ops->embed(a.x, m.embedding, batch.tokens, exec);
    m.ops->rms_norm(a.x, a.x, head.embedding_norm, m.config.norm_epsilon, exec);
    m.ops->rms_norm(a.normed, states, head.state_norm, m.config.norm_epsilon, exec);
    const Mat out = take(*exec.scratch, batch.n, 2 * m.config.hidden);
    write_columns(*m.ops, out, 0, a.x, exec);
    write_columns(*m.ops, out, m.config.hidden, a.normed, exec);
    return out;
}

}  // namespace

base::Result<std::optional<Config>> draft_head_config(const ModelFile& file, const Config& model) {
    return find_head(file, *file.tensors(model), model);
}

base::Result<WeightBytes> measure_draft_head(const ModelFile& file, const Config& model, const Ops& ops) {
    const auto source = file.tensors(model);
    auto config = find_head(file, *source, model);
    if (!config) return std::move(config).error();
    if (!*config) return WeightBytes{};
    DraftHead head;
    auto layout = lay_out_head(*source, **config, model.layers, ops, head);
    if (!layout) return std::move(layout).error();
    return layout->bytes;
}

base::Result<std::unique_ptr<DraftHead>> load_draft_head(const Model& model, Pool& pool) {
    const auto source = model.file->tensors(model.config);
    auto config = find_head(*model.file, *source, model.config);
    if (!config) return std::move(config).error();
    if (!*config) return std::unique_ptr<DraftHead>();
    auto head = std::make_unique<DraftHead>();
    Model& m = head->decoder;
    auto layout = lay_out_head(*source, **config, model.config.layers, *model.ops, *head);
    if (!layout) return std::move(layout).error();
    auto memory = read_matrices(*layout, *model.ops, pool, {});
    if (!memory) return std::move(memory).error();
    m.packed = *std::move(memory);
    m.bytes_per_token = layout->active_bytes + row_bytes(model.output.format, std::size_t(model.output.cols)) * std::size_t(model.output.rows);
    m.config = **std::move(config);
    m.ops = model.ops;
    m.embedding = model.embedding;
    m.output = model.output;
    m.inverse_frequencies = model.inverse_frequencies;
    return head;
}

std::size_t draft_scratch(const Config& c, int rows, int threads) {
    return forward_scratch(c, rows, threads) + std::size_t(rows + 1) * 2 * std::size_t(c.hidden) * 3 * sizeof(float);  // the joined rows, and ops' copies of them
}

void draft(const DraftHead& head, const Batch& batch, Mat states, const KvLayer& kv, float* logits, Exec& exec) {
    const Model& m = head.decoder;
    const Taken taken(*exec.scratch);
    Activations a = activations(m.config, batch, *exec.scratch);
    const MatmulJob joint{&head.joint, a.x, nullptr, false};
    m.ops->matmul(&joint, 1, joined(head, batch, states, a, exec), exec);
    mixer_block(m, 0, batch, kv, a, exec);
    ffn_block(m, 0, a, exec);
    engine::head(m, batch, logits, a, exec);
}

}  // namespace engine
