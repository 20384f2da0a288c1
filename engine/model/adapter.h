// Low-rank adapters (LoRA, Hu et al. 2021): W x becomes W x + (alpha / r) B (A x) for the rows of a sequence that asks for one.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/forward.h"
#include "engine/model/safetensors.h"

namespace engine {

inline constexpr int kMostRank = 32;

// A module that an adapter changes, as its file has it.
struct AdapterModule {
    std::string name;              // "model.layers.3.self_attn.q_proj"
    const SafeTensor *a = nullptr, *b = nullptr;  // (rank, inputs), (outputs, rank)
    int rank = 0;
    float scale = 1;               // alpha / rank
};

// A folder as PEFT writes it, checked but for the model's own shapes: adapter_config.json and adapter_model.safetensors.
class AdapterFile {
public:
    static base::Result<std::unique_ptr<AdapterFile>> open(const std::filesystem::path& folder);
    const std::vector<AdapterModule>& modules() const { return modules_; }
    std::uint64_t bytes() const;   // that its matrices take once loaded, at most
    const Safetensors& file() const { return *file_; }
    const std::filesystem::path& folder() const { return folder_; }

private:
    AdapterFile() = default;
    std::filesystem::path folder_;
    std::unique_ptr<Safetensors> file_;
    std::vector<AdapterModule> modules_;
};

class Adapter {
public:
    // Refuses what the model has not or has in other shapes, naming it; the model's weights need not be there yet.
    static base::Result<void> check(const AdapterFile& file, const Model& model);
    // Of what was checked. `model` must outlive it.
    static base::Result<std::unique_ptr<Adapter>> load(const AdapterFile& file, const Model& model);

    struct LowRank {
        Weight a, b;               // (rank, inputs), (outputs, rank) with the scale in it
    };
    const LowRank* find(const Weight* w) const;  // null: it leaves that one as it is
    int rank() const { return rank_; }

private:
    Adapter() = default;
    std::vector<std::pair<const Weight*, LowRank>> changed_;  // by address
    DeviceMemory memory_;
    int rank_ = 0;
};

}  // namespace engine
