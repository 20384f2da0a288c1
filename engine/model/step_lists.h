// What a step reads beside activations, weights and caches: tokens, positions, which rows, whose. Written by the CPU, and brought to
// the target's memory at once.
#pragma once

#include <vector>

#include "engine/device/device.h"
#include "engine/model/forward.h"

namespace engine {

class StepLists {
public:
    struct Room {
        int rows = 0, parts = 0, logits = 0, blocks = 0;  // blocks: that the cache has
    };
    // Tokens at positions context … context+rows-1 of a sequence whose keys and values lie in `blocks`.
    struct Part {
        const std::int32_t* tokens = nullptr;
        int rows = 0, context = 0;
        const std::int32_t* blocks = nullptr;
        int logits = 0;                  // of how many rows they are wanted, the last ones
        float* state = nullptr;          // of its recurrent layers, in the target's memory
        const Adapter* adapter = nullptr;
        bool one_by_one = false;         // see SequenceRows
    };
    StepLists() = default;
    static base::Result<StepLists> create(const Config& config, Device& device, const Room& room);

    void clear();
    // A step of more than there is room for is a planning error of ours: it throws std::logic_error. Nothing allocates.
    void add(const Part& part);
    int logits() const { return logits_; }  // of how many rows they are wanted
    // Valid until the lists change or are moved. `all_rows`: the last layer computes every row, whose states are wanted.
    Batch batch(bool all_rows);

private:
    std::int32_t* host(std::size_t at) const { return reinterpret_cast<std::int32_t*>(memory_.host()) + at; }
    const std::int32_t* device(std::size_t at) const { return reinterpret_cast<const std::int32_t*>(memory_.device()) + at; }
    const std::int32_t* table(const Part& part);

    Room room_;
    bool may_leave_rows_ = false, apart_ = false;
    BothMemory memory_;              // tokens, positions, positions of the rows whose logits are wanted, those rows, tables of blocks
    std::size_t positions_ = 0, wanted_positions_ = 0, wanted_rows_ = 0, tables_ = 0;
    int rows_ = 0, logits_ = 0;
    std::size_t used_ = 0;           // of all
    bool adapted_ = false;
    std::vector<SequenceRows> sequences_, wanted_sequences_;
    std::vector<const Adapter*> adapters_, wanted_adapters_;
    Batch wanted_;
};

}  // namespace engine
