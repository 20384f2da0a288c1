// A model's tensors in the order in which they are used: each checked against the configuration and given its place.
#pragma once

#include <utility>
#include <vector>

#include "engine/model/draft.h"
#include "engine/model/tensor_source.h"
#include "engine/model/weights.h"

namespace engine {

// What is left to do before the weights can be used: `placed` matrices get the packed memory's address plus their offset,
// and `packings` fill it.
struct ModelLayout {
    WeightBytes bytes;
    std::uint64_t active_bytes = 0, parameters = 0, active_parameters = 0;
    std::array<std::uint64_t, kFormatCount> values{};  // of matrices, by their format
    std::uint64_t eight_bits = 0;                   // values of INT4 matrices that hold 8 bits
    int widest = 0;                                 // columns of a matrix that has more than its inputs
    std::vector<Stored> stored;
    struct Packing {
        std::size_t stored;                         // whose
        int matrix;                                 // it is
        bool pack;                                  // else its rows are copied as they are
        std::size_t offset;
    };
    std::vector<Packing> packings;
    std::size_t bytes_of(const Packing& packing, const Ops& ops) const;  // that it takes in memory
    std::vector<std::pair<Weight*, std::size_t>> placed;
    // A layer's experts in the packed memory: expert e is what lies from at + e * stride on, `stride` bytes.
    struct ExpertStack {
        int layer;
        std::size_t at, stride;
        std::size_t packings;                       // of them, where its own begin: all of the first matrix, then of the next
        int matrices;                               // that an expert has
    };
    std::vector<ExpertStack> stacks;
};

// Whether matrices are used where they lie in the file as the kernels want them, or all are copied.
enum class Placing { in_file, copied };

// Fills everything of `model` but the packed memory. It reads no matrix, so that the plan and the load walk alike.
base::Result<ModelLayout> lay_out(TensorSource& source, const Config& config, const Ops& ops, Model& model, Placing placing = Placing::in_file);
// The same of a head for drafting, whose layer the file has as block `block`.
base::Result<ModelLayout> lay_out_head(TensorSource& source, const Config& config, int block, const Ops& ops, DraftHead& head);

// Reads every matrix of a layout into the target's memory and says each where it lies. `progress` is told the share done, 0..1.
base::Result<DeviceMemory> read_matrices(const ModelLayout& layout, const Ops& ops, Pool& pool, const std::function<void(double)>& progress);

// One matrix from its file to where the model has it.
void bring(const ModelLayout& layout, const ModelLayout::Packing& packing, const Ops& ops, std::uint8_t* to);

}  // namespace engine
