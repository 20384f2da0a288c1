#include "engine/model/weights.h"

#include <algorithm>

#include "engine/model/builder.h"

namespace engine {

base::Result<WeightBytes> measure_model(const Gguf& gguf, const Config& config, const Ops& ops) {
    Model model;
    auto layout = lay_out(gguf, config, ops, model);
    if (!layout) return std::move(layout).error();
    return layout->bytes;
}

base::Result<std::unique_ptr<Model>> load_model(std::unique_ptr<Gguf> gguf, Config config, const Ops& ops, Pool& pool,
                                                const std::function<void(double)>& progress) {
    auto model = std::make_unique<Model>();
    auto layout = lay_out(*gguf, config, ops, *model);
    if (!layout) return std::move(layout).error();
    auto memory = HugeMemory::allocate(layout->bytes.packed, "the weights");
    if (!memory) return std::move(memory).error();
    model->packed = *std::move(memory);
    for (const auto& [weight, offset] : layout->placed) weight->data = model->packed.data() + offset;

    // Batches, so that progress moves while the pool is kept busy.
    const int batch = std::max(1, int(layout->packings.size()) / 50);
    for (int first = 0; first < int(layout->packings.size()); first += batch) {
        const int n = std::min(batch, int(layout->packings.size()) - first);
        auto one = [&](int item, int) {
            const auto& packing = layout->packings[std::size_t(first + item)];
            ops.pack(packing.plain, model->packed.data() + packing.offset);
            gguf->mapping().release({packing.plain.data, packing.plain.stride});  // or the weights would be held twice
        };
        pool.run(n, one);
        if (progress) progress(double(first + n) / double(layout->packings.size()));
    }
    model->config = std::move(config);
    model->file = std::move(gguf);
    model->ops = &ops;
    model->parameters = layout->parameters;
    model->active_parameters = layout->active_parameters;
    model->bytes_per_token = layout->active_bytes;
    return model;
}

}  // namespace engine
