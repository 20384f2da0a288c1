// A checkpoint's tensors by the names of GGUF.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/model/checkpoint_config.h"
#include "engine/model/config.h"
#include "engine/model/linear.h"
#include "engine/model/quantisation.h"
#include "engine/model/safetensors.h"
#include "engine/model/tensor_source.h"

namespace engine {

// Where the text model begins in a file.
TextPrefix text_prefix_of(const Safetensors& file);

class CheckpointTensors final : public TensorSource {
public:
    // Views of what must outlive it.
    CheckpointTensors(const Safetensors& file, const CheckpointConfig& checkpoint, const Quantisation& quantisation, const Config& config);

    bool has(const std::string& name) const override;
    base::Result<Stored> matrices(const std::string& name, int rows, int cols, int count) override;
    base::Result<std::vector<float>> values(const std::string& name, const std::vector<std::uint64_t>& dims) override;
    base::Result<void> finish() override;
    base::Result<void> finish_head() override;

private:
    // What stands for one of our names: a module, or a whole tensor.
    struct Found {
        std::string name;                // a module's without its ".weight"
        bool whole = false;
        Step step = Step::as_is;
        bool of_experts = false;         // E in it is the expert
        std::string tensor() const { return whole ? name : name + ".weight"; }
        std::string of_expert(int expert) const;
    };
    // The first of the tables' rows whose tensors are there, else the first row, else what no file has.
    Found find(const std::string& name) const;
    bool is_there(const Found& found) const;
    bool in_blocks(const Found& found) const;
    std::string theirs(const char* pattern, const std::string& layer) const;
    base::Error unused(const SafeTensor& tensor) const;
    base::Result<void> check_parts() const;
    bool is_of_mlx(const std::string& name, const SafeTensor& tensor) const;
    bool is_of_shared_keys(std::string_view name) const;

    const SafeTensor* use(const std::string& name);
    base::Result<Format> float_format(const SafeTensor& tensor) const;
    base::Result<Linear> linear(const std::string& module, int rows, int cols);
    base::Result<const SafeTensor*> tensor(const std::string& name, const std::vector<std::uint64_t>& dims);

    base::Result<Stored> modules(const Found& found, int rows, int cols, int count);
    base::Result<Stored> fused(const Found& found, int rows, int cols, int count);
    base::Result<Stored> sliced(const Found& found, int rows, int cols, int count);
    bool is_quantised_stack(const Found& found) const;
    base::Result<void> check_plain_stack(const Found& found, const SafeTensor& tensor) const;
    bool is_turned(const Found& found, int rows, int cols) const;
    base::Result<Stored> blocks(const Found& found, int rows, int cols, int count);
    base::Result<Stored> turned(const Found& found, int rows, int cols, int count);
    base::Result<Stored> half(const Found& found, int rows, int cols);
    base::Result<Stored> heads(const Found& found, int rows, int cols, int count);
    base::Result<Stored> delta(const Found& found, int rows, int cols);

    const Safetensors& file_;
    const CheckpointConfig& checkpoint_;
    const Quantisation& quantisation_;
    const Config& config_;
    TextPrefix prefix_;
    std::unordered_set<const SafeTensor*> used_;
    std::deque<SafeTensor> slices_;      // of stacks of experts, whose addresses stay
};

}  // namespace engine
