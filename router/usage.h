// What a call of a model is remembered by: usage and how it went, never what was said.
#pragma once

#include "base/clock.h"
#include "router/types.h"
#include "store/usage.h"

namespace router {

// Call before the request is sent; `purpose` and `alias` are its own.
class CallRecord {
public:
    CallRecord(const store::Identity& who, const ModelRequest& request, const base::Clock& clock);
    // The call as it ended now. `id`: of its span, in a run.
    store::ModelCall ended(const base::Result<ModelReply>& reply, base::SpanId id = {}, base::RunId run = {}) const;

private:
    store::ModelCall call_;
    const base::Clock& clock_;
    base::SteadyPoint start_;
};

base::Json fallbacks_json(const std::vector<Fallback>& fallbacks);

}  // namespace router
