#include "engine/model/weights.h"

#include <algorithm>

#include "engine/device/aligned_bytes.h"
#include "engine/model/builder.h"
#include "engine/model/expert_cache.h"
#include "engine/model/key_offset.h"
#include "engine/model/weight_image.h"

namespace engine {
namespace {

// What a model is beside its weights, once they are there.
base::Result<std::unique_ptr<Model>> complete(std::unique_ptr<Model> model, std::unique_ptr<ModelFile> file, Config config, const ModelLayout& layout, const Ops& ops, Pool& pool) {
    model->config = std::move(config);
    model->config.widest = layout.widest;
    model->file = std::move(file);
    model->ops = &ops;
    model->parameters = layout.parameters;
    model->active_parameters = layout.active_parameters;
    model->bytes_per_token = layout.active_bytes;
    find_key_offsets(*model, pool);
    if (auto fits = model->arrays.fits(); !fits) return std::move(fits).error();
    return model;
}

// What a device that is apart works on has to be brought there.
Placing placing_of(const Ops& ops) { return ops.device->apart() ? Placing::copied : Placing::in_file; }

}  // namespace

Model::Model() = default;
Model::~Model() = default;

std::size_t ModelLayout::bytes_of(const Packing& packing, const Ops& ops) const {
    const Stored& matrix = stored[packing.stored];
    return packing.pack ? ops.packed_bytes(matrix.format, matrix.rows, matrix.cols) : matrix.bytes();
}

void bring(const ModelLayout& layout, const ModelLayout::Packing& packing, const Ops& ops, std::uint8_t* to) {
    const Stored& stored = layout.stored[packing.stored];
    if (packing.pack) {
        const std::uint8_t* rows = stored.in_place[std::size_t(packing.matrix)];
        std::vector<std::uint8_t> made;
        if (!rows) {
            made.resize(stored.bytes());
            stored.read(packing.matrix, 0, stored.rows, made.data());
            rows = made.data();
        }
        ops.pack({stored.format, Layout::plain, stored.rows, stored.cols, rows, stored.bytes()}, to);
    } else {
        stored.copy_rows(packing.matrix, 0, stored.rows, to);
    }
    if (stored.release) stored.release(packing.matrix);  // or the weights would be held twice
}

base::Result<DeviceMemory> read_matrices(const ModelLayout& layout, const Ops& ops, Pool& pool, const std::function<void(double)>& progress) {
    Device& device = *ops.device;
    auto memory = device.allocate(layout.bytes.packed, "the weights");
    if (!memory) return memory;
    for (const auto& [weight, offset] : layout.placed) weight->data = memory->data() + offset;

    // Batches, so that progress moves while the pool is kept busy.
    const int batch = std::max(1, int(layout.packings.size()) / 50);
    for (int first = 0; first < int(layout.packings.size()); first += batch) {
        const int n = std::min(batch, int(layout.packings.size()) - first);
        auto one = [&](int item, int) {
            const auto& packing = layout.packings[std::size_t(first + item)];
            std::uint8_t* const to = memory->data() + packing.offset;
            if (!device.apart()) return bring(layout, packing, ops, to);
            // Packed by the CPU, then brought over.
            AlignedBytes made(layout.bytes_of(packing, ops));
            bring(layout, packing, ops, made.data());
            device.write(to, made.data(), made.size());
        };
        pool.run(n, one);
        if (progress) progress(double(first + n) / double(layout.packings.size()));
    }
    return memory;
}

base::Result<Measured> measure_model(const ModelFile& file, const Config& config, const Ops& ops, const std::function<base::Result<void>(const Model&)>& look) {
    Model model;
    const auto source = file.tensors(config);
    auto layout = lay_out(*source, config, ops, model, placing_of(ops));
    if (!layout) return std::move(layout).error();
    model.config = config;
    if (look)
        if (auto fine = look(model); !fine) return std::move(fine).error();
    if (file.image()) {
        if (auto fits = check_image(file, *layout, ops); !fits) return std::move(fits).error();
        layout->bytes = {0, layout->bytes.packed};
    }
    return Measured{layout->bytes, layout->parameters, layout->active_parameters, layout->active_bytes, layout->values, layout->eight_bits, layout->widest};
}

base::Result<std::unique_ptr<Model>> load_model(std::unique_ptr<ModelFile> file, Config config, const Ops& ops, Pool& pool,
                                                const std::function<void(double)>& progress) {
    auto model = std::make_unique<Model>();
    const auto source = file->tensors(config);
    auto layout = lay_out(*source, config, ops, *model, placing_of(ops));
    if (!layout) return std::move(layout).error();
    if (const WeightImage* const image = file->image()) {
        if (auto fits = check_image(*file, *layout, ops); !fits) return std::move(fits).error();
        if (auto read = read_image(*file, pool, progress); !read) return std::move(read).error();
        const std::uint8_t* bytes = image->bytes.data();
        if (Device& device = *ops.device; device.apart()) {
            auto memory = device.allocate(image->bytes.size(), "the weights");
            if (!memory) return std::move(memory).error();
            model->packed = *std::move(memory);
            device.write(model->packed.data(), bytes, image->bytes.size());
            bytes = model->packed.data();
        }
        for (const auto& [weight, offset] : layout->placed) weight->data = bytes + offset;
    } else {
        auto memory = read_matrices(*layout, ops, pool, progress);
        if (!memory) return std::move(memory).error();
        model->packed = *std::move(memory);
    }
    return complete(std::move(model), std::move(file), std::move(config), *layout, ops, pool);
}

base::Result<std::unique_ptr<Model>> load_model(std::unique_ptr<ModelFile> file, Config config, const Ops& ops, Pool& pool, const ExpertPlan& plan, ExpertRecord record,
                                                const std::function<void(double)>& progress) {
    auto model = std::make_unique<Model>();
    auto experts = ExpertFile::open(*file, config, ops, *model);
    if (!experts) return std::move(experts).error();
    const ExpertFile& opened = **experts;
    auto cache = ExpertCache::create(*std::move(experts), plan, std::move(record), *model, pool);
    if (!cache) return std::move(cache).error();
    model->experts = *std::move(cache);
    if (auto filled = model->experts->fill(progress); !filled) return std::move(filled).error();
    return complete(std::move(model), std::move(file), std::move(config), opened.layout(), ops, pool);
}

}  // namespace engine
