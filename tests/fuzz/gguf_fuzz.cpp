// A GGUF file up to the plan of its load: every tensor lies in the file, what is accepted is consistent, and an
// error names the file.
#include "engine/engine.h"
#include "engine/inspect.h"
#include "engine/model/gguf_file.h"
#include "fuzz.h"

namespace {

using fuzz::require;

void check_error(const base::Error& error, const std::string& path) {
    require(error.message.find(path) != std::string::npos || error.code == base::Code::resource_exhausted, "an error names the file: " + error.message);
}

void check_tensors(const engine::Gguf& gguf) {
    const auto file = gguf.mapping().bytes();
    std::uint64_t sum = 0;
    unsigned touched = 0;
    for (const engine::GgufTensor& tensor : gguf.tensors()) {
        require(gguf.tensor(tensor.name) == &tensor, "a tensor is found by its name");
        const auto& format = engine::info(tensor.format);
        require(tensor.values() % std::uint64_t(format.values) == 0 && tensor.values() / std::uint64_t(format.values) * std::uint64_t(format.bytes) == tensor.data.size(),
                "a tensor has the bytes of its shape");
        if (tensor.data.empty()) continue;
        require(tensor.data.data() >= file.data() && tensor.data.data() + tensor.data.size() <= file.data() + file.size(), "a tensor lies in the file");
        touched += tensor.data.front() + tensor.data.back();
        sum += tensor.data.size();
    }
    require(sum <= file.size() && touched <= 510u * gguf.tensors().size(), "tensors do not overlap");
}

void check_head(const engine::ModelFile& file) {
    const auto head = engine::read_head(file);
    if (!head) return check_error(head.error(), file.path().string());
    const engine::Config& c = head->config;
    require(c.layers > 0 && c.layer.size() == std::size_t(c.layers), "there is a row for each layer");
    require(c.hidden > 0 && c.heads > 0 && c.trained_context >= 0 && c.vocabulary >= int(head->vocabulary.tokens.size()), "widths are positive");
    for (const engine::LayerConfig& layer : c.layer) {
        require(layer.rope >= -1 && layer.rope < int(c.ropes.size()), "a layer's rope is there");
        require(layer.kv_layer >= 0 && layer.kv_layer < c.layers, "keys and values come from a layer");
        require(layer.mixer != engine::Mixer::attention || layer.head_dim > 0, "a head has a width");
        require(layer.kv_heads == 0 || c.heads % layer.kv_heads == 0, "heads share keys and values evenly");
        require(layer.window >= 0 && layer.ffn >= 0, "no size of a layer is negative");
    }
    require(c.experts_used <= c.experts && c.expert_groups_used <= c.expert_groups, "no more experts are used than there are");
    const auto info = engine::describe(file, c, head->vocabulary);
    if (!info) return check_error(info.error(), file.path().string());
    require(info->active_parameters <= info->parameters && info->weight_bytes_per_token <= info->file_bytes, "no more is used than there is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::File file("model.gguf");
    file.write(fuzz::text_of(data, size));
    auto gguf = engine::Gguf::open(file.path());
    if (!gguf) {
        check_error(gguf.error(), file.path());
        return 0;
    }
    check_tensors(**gguf);
    check_head(engine::GgufFile(*std::move(gguf)));
    const auto plan = engine::Engine::plan({.path = file.path(), .threads = 1, .memory_limit = std::uint64_t(1) << 30});
    if (!plan) {
        check_error(plan.error(), file.path());
        return 0;
    }
    require(plan->weights + plan->scratch + plan->kv == plan->total && plan->total <= plan->limit, "a plan keeps to its limit");
    require(plan->context > 0 && std::uint64_t(plan->context) <= plan->kv_tokens, "a context fits into its pool");
    return 0;
}
