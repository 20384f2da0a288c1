// What a run asked its model, asked again: the same words, to the same model or another, under the same prompts or other
// versions of them. Each call stands for itself, behind what was recorded before it; no tool runs, and the run stays as it is.
#pragma once

#include <string>
#include <vector>

#include "agents/service.h"
#include "base/trace.h"
#include "router/types.h"
#include "store/prompts.h"

namespace agents {

// The request that the span, one of kind "model", was recorded of. `spans`: the run's, in order. Error{not_found} for a span that is
// no such call, {unavailable} when its body, or that of one before it, has been erased; {corrupt} when it cannot be read.
base::Result<router::ModelRequest> recorded_request(const std::vector<base::Span>& spans, base::SpanId span);

// Puts the text of `after` in the place of `before`'s wherever the messages hold it; variables keep what they were filled with (one
// that held the words which follow it in the prompt is read too short). How many places; Error{invalid_argument} naming a variable
// that `before` does not have.
base::Result<int> change_prompt(std::vector<router::Message>& messages, const store::Prompt& before, const store::Prompt& after);

struct ReplayRequest {
    policy::Principal principal;
    base::RunId run;
    base::SpanId span;
    std::string alias;        // asks this one; empty: the one of then
    std::string prompt;       // another version of it; empty: none
    std::string version;      // its number, or draft, live, previous, shipped
    base::StopToken stop;
};
struct Replay {
    std::string purpose;
    base::Json was, now;      // as spans keep a reply: message, finish, usage, backend, model, …; or {"error", …}
    bool same = false;        // text and calls
    int places = 0;           // where the prompt stood; 0: it was not part of this call, which is not asked again
};
// Error{not_found} for no such run, call, prompt or version, {conflict} while the run has not ended; else as recorded_request and
// change_prompt. A model that fails is told in `now`.
net::Task<base::Result<Replay>> replay(router::Gateway& gateway, store::Db& db, store::TraceSink& traces, const base::Clock& clock, ReplayRequest request);

}  // namespace agents
