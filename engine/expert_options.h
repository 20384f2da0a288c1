// Where the experts of a mixture are kept, and what of that is planned, predicted and measured.
#pragma once

#include <cstdint>
#include <filesystem>

namespace engine {

// resident: all in memory. mapped: in their file, beside a cache of whole experts. automatic: resident where they fit.
enum class ExpertPlace { automatic, resident, mapped };

struct ExpertOptions {
    ExpertPlace place = ExpertPlace::automatic;
    std::uint64_t memory = 0;        // bytes of the cache; 0: what the rest of the model leaves
    std::filesystem::path folder{};  // where it is kept over restarts which experts were chosen; empty: nowhere
};

// The cache in a plan.
struct ExpertPlan {
    int layers = 0, experts = 0, used = 0;    // layers with experts, experts of each, and how many of them a token uses
    std::uint64_t slots = 0, slot_bytes = 0;  // of the cache; no slots: all experts are resident
    bool cached() const { return slots > 0; }
    std::uint64_t all() const { return std::uint64_t(layers) * std::uint64_t(experts); }
};

struct ExpertForecast {
    double hits = 0;               // share of a token's experts that are found in memory
    double tokens_per_second = 0;  // of one answer; 0: the machine was not measured yet
    bool of_traffic = false;       // by what was asked of this model here, else as if all experts were chosen alike
};

// Of steps of one token, since the load.
struct ExpertUse {
    std::uint64_t tokens = 0, wanted = 0, found = 0, bytes = 0;  // bytes: that were read
    double seconds = 0;
    double hits() const { return wanted > 0 ? double(found) / double(wanted) : 0; }
    double tokens_per_second() const { return seconds > 0 ? double(tokens) / seconds : 0; }
    double bytes_per_token() const { return tokens > 0 ? double(bytes) / double(tokens) : 0; }
};

struct ExpertReport {
    ExpertForecast forecast;
    ExpertUse use;
};

}  // namespace engine
