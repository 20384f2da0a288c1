// What embedded models tell of themselves, as metrics.
#pragma once

#include "base/metrics.h"
#include "router/gateway.h"

namespace app {

// hearth_model_…: requests that run and wait, tokens in the cache, answers that were ended for memory, rests for heat, operations that
// are computed plainly; each by backend.
void set_model_metrics(base::Metrics& metrics, const router::Gateway& gateway);

}  // namespace app
