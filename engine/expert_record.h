// How often each expert of a model was chosen on this machine, and what reading one takes here: kept over restarts.
//
//   "HearthE1" | u64 checksum of all that follows | u64 of which model | u32 layers | u32 experts | f64 tokens |
//   f64 seconds of computing, of one layer's experts, of reads (ExpertCosts) | f32 choices (layers, experts)
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/expert_forecast.h"

namespace engine {

class ExpertRecord {
public:
    // Tokens after which what was counted weighs half.
    static constexpr double kHalved = 32768;
    // Fewer tokens tell nothing yet.
    static constexpr double kTelling = 256;

    // What is kept in the folder of such a model; empty where nothing, or nothing that is whole, is.
    ExpertRecord(std::filesystem::path folder, const ModelInfo& model, const ExpertPlan& plan);
    base::Result<void> write() const;  // nothing without a folder

    // Of a stack, `rows` tokens with `used` choices each. Allocates nothing.
    void count(int stack, const std::int32_t* chosen, int rows, int used);

    bool tells() const { return tokens_ >= kTelling; }
    // (layers * experts): that a token uses it; all alike where the record does not tell.
    std::vector<double> chances() const;

    ExpertCosts costs;

private:
    void read();
    std::filesystem::path file() const;

    std::filesystem::path folder_;
    std::uint64_t model_ = 0;
    int layers_ = 0, experts_ = 0, used_ = 0;
    double tokens_ = 0;
    std::vector<float> choices_;
};

// How many of a cache's slots keep the most chosen experts for good: none before the record tells.
std::size_t pinned_slots(const ExpertPlan& plan, const ExpertRecord& record);
ExpertForecast forecast(const ExpertPlan& plan, const ExpertRecord& record);

}  // namespace engine
