// The nightly batch: one a day of the household's, as a run with a step and a span for each of its parts, whoever asks for it and
// in whichever process. Callers wait for the first four, of which one that fails stops those behind it: the days' rows, the weeks', MathCore,
// and the registry of the nodes' costs. What else a night is for goes on as the same run, each part whatever became of the others, and lets people go first.
//
// A batch whose process went away is gone on with by the next that looks: what its steps had come to stands in the ledger.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/zone.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/probe.h"
#include "base/stop.h"
#include "net/task.h"
#include "router/node_metrics.h"
#include "store/nightly.h"

namespace store {
class TraceSink;
}

namespace agents {

struct NightlyStep {
    std::string name;
    std::chrono::seconds deadline;  // of its own, from when it begins
    // What it came to, for the trace. `stop` is stopped at the deadline, too; may be asked again after it broke off.
    std::function<net::Task<base::Result<base::Json>>(store::Day day, base::StopToken stop)> run;
};

// All outlive it.
struct NightlyParts {
    boost::asio::any_io_executor executor;  // that batches run on
    store::Db& db;
    store::TraceSink& traces;
    router::NodeMetrics& nodes;
    boost::asio::thread_pool& blocking;
    const base::Clock& clock;
    base::Log& log;
};

struct NightlyOptions {
    store::Identity owner;               // whose runs they are
    Zone zone;                           // the household's
    std::optional<std::chrono::minutes> at{};  // since midnight; none: only who asks for a batch gets one
    std::vector<NightlyStep> further{};  // behind the answer
    std::function<net::Task<base::Result<base::Json>>(base::StopToken)> read_ahead{};  // of prompts, with the registry: its counts, for the answer
    std::function<bool()> busy{};        // whether somebody waits for an answer of this process; what is behind the answer waits then
};

// The day whose batch was due last, and since when: at that time of day, once a day whatever the clock is set to.
struct NightlyDue {
    store::Day day{};
    base::TimePoint since{};
};
NightlyDue nightly_due(base::TimePoint now, const Zone& zone, std::chrono::minutes at);

// What each node costs before anything is known of it.
std::vector<router::StaticCost> static_costs();

class Nightly {
public:
    Nightly(NightlyParts parts, NightlyOptions options);
    ~Nightly();

    // The registry as the newest night has it. Blocking, as at a start.
    void warm_up();
    // The day's batch, begun, gone on with, or waited for: once it has an answer. One that failed is taken up again. A day that is not over before
    // the batch's time is Error{invalid_argument}.
    net::Task<base::Result<store::NightlyBatch>> batch(store::Day day, base::StopToken stop);
    // Which nodes drift, and what became of the last batch.
    base::Probe probe() const;
    // What each node costs now.
    std::vector<router::NodeMetrics::State> states() const;
    // Today's, in the household's zone.
    store::Day today() const;
    // Begins what is due, catches up with what was missed, goes on with what was left, and follows nights of other processes.
    net::Task<void> watch();
    // At the end of the process: batches are left as they are. Thread-safe.
    void leave();
    int working() const;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace agents
