#include "router/gateway.h"

#include <algorithm>

namespace router {
namespace {

using base::Code;

std::string known_names(const std::vector<Alias>& aliases) {
    std::string out;
    for (const auto& alias : aliases) out += (out.empty() ? "" : ", ") + alias.name;
    return out;
}

std::string_view state_name(BackendStatus::State state) {
    switch (state) {
        case BackendStatus::State::loading: return "loading";
        case BackendStatus::State::ready: return "ready";
        case BackendStatus::State::down: return "down";
    }
    return "down";
}

// Why a backend cannot take a request now; empty when it can.
std::string refusal(const BackendStatus& status) {
    if (status.state == BackendStatus::State::ready) return {};
    std::string why(state_name(status.state));
    if (status.state == BackendStatus::State::loading)
        why += " (" + status.stage + ", " + std::to_string(int(status.fraction * 100)) + " %)";
    else if (!status.detail.empty())
        why += ": " + status.detail;
    return why;
}

// Whether it lies with the backend and not with what it was asked.
bool is_own(Code code) {
    switch (code) {
        case Code::unavailable:
        case Code::permission_denied:  // a key that is not taken
        case Code::not_found:          // an address or a model that is not there
        case Code::corrupt:
        case Code::io:
        case Code::internal: return true;
        default: return false;
    }
}

// A call that was stopped says nothing: the backend may not have answered at all.
bool is_answer(const ModelReply& reply) { return reply.finish != FinishReason::cancelled && reply.finish != FinishReason::deadline; }
bool is_answer(const EmbeddingReply&) { return true; }

}  // namespace

Gateway::Gateway(std::vector<std::unique_ptr<Backend>> backends, std::vector<Alias> aliases, base::Log& log,
                 base::Metrics& metrics)
    : backends_(std::move(backends)), aliases_(std::move(aliases)), log_(log), metrics_(metrics) {}

template <class Reply, class Call>
net::Task<base::Result<Reply>> Gateway::first_answer(std::string name, std::string purpose, Call& call, const bool& committed) {
    const auto alias = std::find_if(aliases_.begin(), aliases_.end(), [&](const Alias& a) { return a.name == name; });
    if (alias == aliases_.end())
        co_return base::error(Code::not_found, "there is no model '" + name + "'", "use one of: " + known_names(aliases_));
    std::vector<Fallback> passed_over;
    for (const auto& id : alias->chain) {
        Backend* backend = find(id);
        if (!backend) {
            passed_over.push_back({id, "not configured"});
            continue;
        }
        if (std::string why = refusal(backend->status()); !why.empty()) {
            passed_over.push_back({id, why});
            continue;
        }
        base::Result<Reply> reply = co_await call(*backend);
        if (reply) {
            if (is_answer(*reply)) note_answer(id);
            reply->fallbacks = std::move(passed_over);
            const base::Labels labels = {{"backend", id}, {"purpose", purpose}};
            metrics_.add("hearth_model_calls_total", 1, labels);
            metrics_.add("hearth_prompt_tokens_total", reply->usage.prompt_tokens, labels);
            metrics_.add("hearth_cached_tokens_total", reply->usage.cached_tokens, labels);
            metrics_.add("hearth_output_tokens_total", reply->usage.output_tokens, labels);
            co_return reply;
        }
        note_failure(id, reply.error());
        metrics_.add("hearth_model_failures_total", 1, {{"backend", id}});
        if (reply.error().code != Code::unavailable || committed) co_return std::move(reply).error();
        log_.warn("backend passed over", {{"backend", id}, {"reason", reply.error().message}});
        passed_over.push_back({id, reply.error().message});
    }
    std::string reasons;
    for (const auto& f : passed_over) reasons += (reasons.empty() ? "" : "; ") + f.backend + ": " + f.reason;
    co_return base::error(Code::unavailable, "no backend can serve '" + name + "': " + reasons, "try again shortly, or see hearth doctor");
}

net::Task<base::Result<ModelReply>> Gateway::generate(ModelRequest request, DeltaSink sink) {
    // Once a delta is out, another backend's answer could contradict it.
    bool committed = false;
    DeltaSink forward = [&committed, &sink](const ModelDelta& delta) {
        committed = true;
        if (sink) sink(delta);
    };
    auto call = [&](Backend& backend) { return backend.generate(request, forward); };
    co_return co_await first_answer<ModelReply>(request.alias, request.purpose, call, committed);
}

net::Task<base::Result<EmbeddingReply>> Gateway::embed(EmbeddingRequest request) {
    const bool committed = false;
    auto call = [&](Backend& backend) { return backend.embed(request); };
    co_return co_await first_answer<EmbeddingReply>(request.alias, request.purpose, call, committed);
}

net::Task<base::Result<int>> Gateway::count(ModelRequest request) {
    for (const auto& alias : aliases_) {
        if (alias.name != request.alias) continue;
        for (const auto& id : alias.chain) {
            Backend* backend = find(id);
            if (!backend || !refusal(backend->status()).empty()) continue;
            co_return co_await backend->count(request);
        }
        co_return base::error(Code::unavailable, "no backend can serve '" + request.alias + "' now");
    }
    co_return base::error(Code::not_found, "there is no model '" + request.alias + "'",
                          "use one of: " + known_names(aliases_));
}

std::vector<Alias> Gateway::aliases() const { return aliases_; }

bool Gateway::has(const std::string& alias) const {
    return std::any_of(aliases_.begin(), aliases_.end(), [&](const Alias& a) { return a.name == alias; });
}

base::Result<void> Gateway::ready(const std::string& alias) const {
    std::string reasons;
    for (const auto& a : aliases_) {
        if (a.name != alias) continue;
        for (const auto& id : a.chain) {
            const Backend* backend = find(id);
            const std::string why = backend ? refusal(backend->status()) : "not configured";
            if (why.empty()) return {};
            reasons += (reasons.empty() ? "" : "; ") + id + ": " + why;
        }
    }
    return base::error(Code::unavailable, "no backend can serve '" + alias + "': " + reasons, "try again shortly, or see hearth doctor");
}

Capabilities Gateway::capabilities(const std::string& alias) const {
    for (const auto& a : aliases_) {
        if (a.name != alias) continue;
        for (const auto& id : a.chain)
            if (const Backend* backend = find(id); backend && refusal(backend->status()).empty())
                return backend->capabilities();
    }
    return {};
}

std::map<std::string, BackendStatus> Gateway::status() const {
    std::map<std::string, BackendStatus> out;
    for (const auto& backend : backends_) out.emplace(backend->id(), backend->status());
    return out;
}

void Gateway::note_answer(const std::string& id) {
    const std::lock_guard lock(mutex_);
    failing_.erase(id);
}

void Gateway::note_failure(const std::string& id, const base::Error& error) {
    if (!is_own(error.code)) return;
    const std::lock_guard lock(mutex_);
    failing_[id] = {error.text(), std::chrono::steady_clock::now()};
}

std::map<std::string, Failure> Gateway::failing() const {
    const std::lock_guard lock(mutex_);
    return failing_;
}

base::Probes Gateway::probes() const {
    base::Probes out;
    const auto failing_now = failing();
    for (const auto& [id, status] : status()) {
        base::Probe probe{"backend " + id, base::Health::ok, std::string(state_name(status.state)), {}};
        if (const std::string why = refusal(status); !why.empty()) {
            probe.found = why;
            const bool loading = status.state == BackendStatus::State::loading;
            probe.health = loading ? base::Health::warning : base::Health::failed;
            probe.remedy = loading ? "wait until it has loaded" : "see the log (/logs) for the reason";
        } else if (const auto failure = failing_now.find(id); failure != failing_now.end()) {
            probe = {probe.name, base::Health::warning, "failed when last called: " + failure->second.message, "mend what is named here; it is called again with the next request"};
        } else if (!status.detail.empty()) {
            probe.found += ": " + status.detail;
        }
        out.push_back(std::move(probe));
    }
    return out;
}

Backend* Gateway::find(const std::string& id) const {
    for (const auto& backend : backends_)
        if (backend->id() == id) return backend.get();
    return nullptr;
}

}  // namespace router
