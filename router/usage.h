// What a call of a model is remembered by: usage and how it went, never what was said.
#pragma once

#include "base/clock.h"
#include "router/embedding.h"
#include "router/shadow.h"
#include "router/types.h"
#include "store/shadow.h"
#include "store/usage.h"

namespace router {

// Made before the request is sent.
class CallRecord {
public:
    CallRecord(const OnBehalf& who, const std::string& alias, const std::string& purpose, const base::Clock& clock);
    // The call as it ended now. `id`: of its span, in a run.
    store::ModelCall ended(const base::Result<ModelReply>& reply, base::SpanId id = {}, base::RunId run = {}) const;
    store::ModelCall ended(const base::Result<EmbeddingReply>& reply) const;

private:
    template <class Reply>
    store::ModelCall filled(const base::Result<Reply>& reply, base::SpanId id) const;

    store::ModelCall call_;
    const base::Clock& clock_;
    base::SteadyPoint start_;
};

store::ShadowCall shadow_call_of(const ShadowDelta& delta);

base::Json fallbacks_json(const std::vector<Fallback>& fallbacks);

}  // namespace router
