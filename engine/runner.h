// The only one that touches the model: memory of keys and values, scratch and the compute pool.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/measure.h"
#include "engine/model/draft.h"
#include "engine/model/step_lists.h"
#include "engine/model/weights.h"

namespace engine {

struct RunnerShape {
    int rows = 512;       // tokens of one step
    int sequences = 8;    // parts of one step
    int blocks = 0;       // of the KV cache
    KvFormat kv = KvFormat::f32;
    int kept_states = 0;   // of a recurrent model, beside those of the running sequences
    int spare_states = 0;  // beside these, behind them
    int drafts = 0;        // rows of one step, beside one a sequence, whose logits may be wanted
};

// Bytes of one token's keys and values over all layers.
std::uint64_t kv_bytes_per_token(const Config& config, KvFormat format);
// How that comes about, layers of one shape together: "24 layers × 2 heads × 64 × 2 (keys, values) × 2 bytes".
std::string kv_sum(const Config& config, KvFormat format);
// Where they lie in `memory` of blocks * kKvBlock times so many bytes: one entry a layer.
std::vector<KvLayer> kv_layers(const Config& config, int blocks, KvFormat format, std::uint8_t* memory);
// Bytes of activations, logits and the states of recurrent layers for that shape.
std::uint64_t runner_scratch(const Config& config, const RunnerShape& shape, int threads);
// What a head for drafting takes beside that.
std::uint64_t head_scratch(const Config& head, const RunnerShape& shape, int threads);

class Runner {
public:
    // `head`: of the model, null where none guesses.
    static base::Result<std::unique_ptr<Runner>> create(std::unique_ptr<Model> model, std::shared_ptr<Pool> pool,
                                                        const RunnerShape& shape, std::unique_ptr<DraftHead> head = {});

    // Tokens at positions context … context+rows-1 of a sequence whose KV lies in `blocks`.
    struct Part {
        const std::int32_t* tokens = nullptr;
        int rows = 0, context = 0;
        const std::int32_t* blocks = nullptr;
        int logits = 0;             // of how many rows they are wanted, the last ones
        int slot = 0;               // of a recurrent model's states, below `sequences`
        const Adapter* adapter = nullptr;
    };
    // Allocates nothing. Afterwards logits(i) belongs to the i-th row that they were wanted of.
    void step(std::span<const Part> parts);
    std::span<float> logits(int i);

    // Of the model's head for drafting, whose keys and values lie in the model's blocks. The last step's states, (rows, H), row by
    // row after the last norm; and a pass of the head: each part's rows with the tokens behind theirs and the states in `states`,
    // which get the head's own, (rows, H).
    const DraftHead* head() const { return head_.get(); }
    const float* states(int row) const { return states_.data() + std::size_t(row) * std::size_t(model_->config.hidden); }
    void head_step(std::span<const Part> parts, float* states);

    // A slot's state into one of `kept_states`, and back.
    void keep_state(int slot, int kept);
    void resume_state(int kept, int slot);

    // For what is kept elsewhere: the first `rows` tokens of a block as bytes, in all layers, and a kept state.
    std::size_t kv_bytes(int rows) const;
    void copy_out(std::int32_t block, int rows, std::string& to);
    void put_in(std::int32_t block, int rows, const std::string& from);
    std::size_t state_bytes() const { return model_->config.state_values * sizeof(float); }
    std::string kept_state(int kept);
    void set_kept_state(int kept, const std::string& from);
    std::span<const std::uint8_t> weights() const;  // where they lie that a step reads, or most of them; in the target's memory

    // Keys and values of the first `rows` tokens of a block to another one, in all layers.
    void copy_kv(std::int32_t from, std::int32_t to, int rows);

    // Of every row of a sequence its logits, (n, V), or its states after the last norm, (n, H).
    enum class Of { logits, states };
    std::vector<float> all_rows(Of what, std::span<const std::int32_t> tokens, const std::int32_t* blocks);

    // For benches. `blocks`: enough for each sequence of the shape, one sequence's after another's; what they hold is lost,
    // as are the states of running sequences.
    StepTimes time_steps(const StepShape& shape, int steps, std::span<const std::int32_t> blocks, bool exact);
    Rates rates();
    // Before the first step: what a token takes where all its weights are in memory, for the forecast of a cache of experts.
    void rate_experts();

    const Model& model() const { return *model_; }
    const RunnerShape& shape() const { return shape_; }

    Pool& pool() { return *pool_; }

private:
    Runner() = default;
    double read_rate();  // bytes of weights a second, where they lie
    // What the lists hold, to logits and, where wanted, states in the target's memory.
    void run(float* logits, float* states = nullptr, OpClock* clock = nullptr);
    void run_wanted(float* states, OpClock* clock = nullptr);  // to logits()
    float* logits_of_step() const;  // where those of the lists' step go, in the target's memory
    template <class F>
    void each_stretch(int rows, F&& each) const;  // of memory that holds them: each(where in block 0, from one block to the next, how many bytes)
    // A slot's state, zero for a sequence that begins; null where no layer is recurrent.
    float* state(int slot, int context);
    float* state(int slot) const;  // the kept ones come after those of the sequences and of all_rows

    std::unique_ptr<Model> model_;
    std::unique_ptr<DraftHead> head_;
    std::shared_ptr<Pool> pool_;
    RunnerShape shape_;
    DeviceMemory kv_memory_, scratch_memory_, state_memory_;
    std::vector<KvLayer> kv_;
    BothMemory logits_;
    std::vector<float> states_;  // (rows, H), where there is a head
    StepLists lists_;
};

}  // namespace engine
