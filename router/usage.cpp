#include "router/usage.h"

namespace router {

CallRecord::CallRecord(const OnBehalf& who, const std::string& alias, const std::string& purpose, const base::Clock& clock) : clock_(clock), start_(clock.steady()) {
    call_.tenant = who.tenant;
    call_.person = who.person;
    call_.agent = who.agent;
    call_.conversation = who.conversation;
    call_.alias = alias;
    call_.purpose = purpose;
    call_.started = clock.now();
}

template <class Reply>
store::ModelCall CallRecord::filled(const base::Result<Reply>& reply, base::SpanId id) const {
    store::ModelCall call = call_;
    call.id = id.is_nil() ? base::SpanId::make(call.started) : id;
    call.duration = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady() - start_);
    if (!reply) {
        call.error = reply.error().text();
        return call;
    }
    call.backend = reply->backend;
    call.model = reply->model;
    call.profile = reply->profile;
    call.fallbacks = fallbacks_json(reply->fallbacks);
    call.prompt_tokens = reply->usage.prompt_tokens;
    call.cached_tokens = reply->usage.cached_tokens;
    call.output_tokens = reply->usage.output_tokens;
    call.cost = reply->usage.cost;
    call.forced_tokens = reply->usage.forced_tokens;
    call.queued = reply->usage.queued;
    call.prefill = reply->usage.prefill;
    call.decode = reply->usage.decode;
    return call;
}

store::ModelCall CallRecord::ended(const base::Result<ModelReply>& reply, base::SpanId id, base::RunId run) const {
    store::ModelCall call = filled(reply, id);
    call.run = run;
    if (reply) call.finish = name(reply->finish);
    return call;
}

store::ModelCall CallRecord::ended(const base::Result<EmbeddingReply>& reply) const {
    store::ModelCall call = filled(reply, {});
    if (reply) call.finish = name(FinishReason::stop);
    return call;
}

store::ShadowCall shadow_call_of(const ShadowDelta& d) {
    const auto cost = [](const Usage& usage, std::chrono::microseconds took) { return store::ShadowCost{usage.prompt_tokens, usage.output_tokens, usage.cost, took}; };
    return {d.who.tenant, d.who.person, d.alias, d.shadow, d.purpose, d.error, d.same_calls, d.likeness, cost(d.was, d.took), cost(d.now, d.took_now)};
}

base::Json fallbacks_json(const std::vector<Fallback>& fallbacks) {
    base::Json out = base::Json::array();
    for (const auto& passed : fallbacks) out.push_back({{"backend", passed.backend}, {"reason", passed.reason}});
    return out;
}

}  // namespace router
