// Spans for others' tools: OTLP over HTTP, in JSON, named after OpenTelemetry's GenAI conventions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/trace.h"

namespace net {

struct OtlpOptions {
    std::string endpoint;       // "http://collector:4318", or with the path of its traces
    bool content = false;       // also what was said; else names, counts and times alone
    std::string version;        // of the program
    std::size_t capacity = 4096;
};

// The body of POST /v1/traces. A run is a trace; a span's id is the second half of its own.
base::Json otlp_body(const std::vector<base::Span>& spans, const OtlpOptions& options);

// Sends what it is given from a CPU thread of its own. emit() never waits: what does not fit is dropped and counted, as
// is what the collector does not take in three tries.
class OtlpExporter final : public base::SpanSink {
public:
    OtlpExporter(OtlpOptions options, base::Log& log);
    ~OtlpExporter() override;   // waits at most two seconds for what is left
    void emit(base::Span span) override;
    std::uint64_t exported() const;
    std::uint64_t dropped() const;

private:
    struct Queue;
    std::unique_ptr<Queue> queue_;
};

}  // namespace net
