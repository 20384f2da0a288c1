// Spans and telemetry events. The sink queues and writes in the background; it never blocks work.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/log.h"
#include "base/trace.h"
#include "store/shadow.h"
#include "store/usage.h"

namespace store {

// One a finished phase. event is "GRAPH_NODE_DONE".
struct TelemetryEvent {
    std::string event;
    std::string node;            // the phase: telemetry_event.node_id
    double latency_ms = 0;
    std::string error;
    base::TenantId tenant;
    base::RunId run;
    base::PersonId person;
    std::string status = "ok";   // ok | error | timeout | cancelled
    std::string execution{};     // the class of the turn when the phase was done: telemetry_event.class
};

// What a trace consists of.
using TraceRecord = std::variant<base::Span, TelemetryEvent, ModelCall, ShadowCall>;

class TraceSink final : public base::SpanSink {
public:
    // `also` gets every span once it is stored, as it is stored; it outlives the sink.
    TraceSink(Db& db, base::Log& log, base::SpanSink* also = nullptr, std::size_t capacity = 4096);
    ~TraceSink() override;       // writes what is queued, or drops it when the database is away
    void emit(base::Span span) override;
    void emit(TelemetryEvent event);
    void emit(ModelCall call);
    void emit(ShadowCall call);
    void emit(TraceRecord record);
    // What write_records gave back, once it is committed: for the other sink.
    void committed(base::Span span);
    // Waits until everything emitted so far is committed, or given up: before a trace is shown. At
    // most two seconds, for a database that is away.
    void flush();
    bool flushed() const;        // nothing to wait for
    std::uint64_t dropped() const;

private:
    struct Queue;
    std::unique_ptr<Queue> queue_;
};

// Where the chain of a run's spans ends.
struct ChainEnd {
    std::int64_t position = -1;
    std::string hash;
    bool taken_over = false;  // a span may have been written already by who held the run before
};
// In the caller's transaction, so that they are there exactly when what they tell of is. Spans are all of `run`, whose chain ends
// at `end`, as long as nobody else adds to it; it is looked up where it is not known. The spans as they were written, without those that
// an earlier holder of the run has written.
std::vector<base::Span> write_records(Tx& tx, base::RunId run, const std::vector<TraceRecord>& records, std::optional<ChainEnd>& end);

// A run's spans in order, and whether their hash chain is whole: else Error{corrupt} naming the first that does not hold.
struct Trace {
    std::vector<base::Span> spans;
    base::Result<void> chain;
};
Trace read_trace(Tx& tx, base::RunId run);
std::vector<TelemetryEvent> list_events(Tx& tx, base::RunId run);

}  // namespace store
