// A span: the record of one step. Sinks never block the work that they record.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"

namespace base {

struct Span {
    SpanId id;
    SpanId parent;  // nil for the root of a run
    RunId run;
    TenantId tenant;
    PersonId person;
    std::string kind;  // "run", "phase", "model", "tool", "policy"
    std::string name;  // "copilot", "bash", …
    TimePoint started{};
    std::chrono::microseconds duration{0};
    std::string error;                  // empty when it went well
    Json attributes = Json::object();   // small: counts, versions, reasons
    Json body = Json::object();         // what was sent and answered; may be erased, leaving its digest
};

class SpanSink {
public:
    virtual ~SpanSink() = default;
    virtual void emit(Span span) = 0;
};

class NullSpanSink final : public SpanSink {
public:
    void emit(Span) override {}
};

}  // namespace base
