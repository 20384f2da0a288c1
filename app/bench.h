// What hearth bench measures, apart from how it is told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/peer.h"
#include "base/json.h"
#include "engine/engine.h"

namespace app {

// A median with its spread.
struct Figure {
    double median = 0, least = 0, most = 0;
};
Figure figure(std::vector<double> values);

// One run of ours, and of each peer in the same minute.
struct Round {
    Speeds ours;
    std::vector<Speeds> peers;
    double read = 0;     // bytes a second that memory gave just before and just after, the mean
    double foreign = 0;  // CPU cores of others; below 0: not known
    bool is_void() const;
};

struct Measurement {
    std::vector<Peer> peers;
    std::vector<Round> rounds;
    engine::Rates rates;                      // after the last round
    std::vector<engine::StepTimes> depths;    // one token each, after more and more
    std::vector<engine::StepTimes> steps;     // of --ops
    std::optional<engine::ExpertReport> experts;  // of the rounds, where not all experts are in memory
};

// The same for the same place: `first` begins another text.
std::vector<engine::TokenId> some_tokens(int n, int first, int vocabulary);

base::Result<Measurement> measure(engine::Engine& engine, std::vector<Peer> peers, const BenchOptions& options, const BenchTask& task);

// Ours over the peer's of the same round, void rounds included only where all are; no values where it was not measured.
std::vector<double> ratios(const std::vector<Round>& rounds, std::size_t peer, double Speeds::*of);
std::vector<double> values(const std::vector<Round>& rounds, double Speeds::*of);

void print_measurement(const Measurement& m, const engine::ModelInfo& info);
base::Json to_json(const Measurement& m, const engine::ModelInfo& info);

}  // namespace app
