// Health, models, metrics, logs, the description of the API.
#include "server/api/agent_answer.h"
#include "server/api/handlers.h"

namespace server::api {
namespace {

using router::BackendStatus;

// In the order of how soon an answer can be expected: loading ends by itself, failing does not. Unloaded is what nobody expects one of.
enum class Readiness { down, unloaded, failing, loading, ready };

struct Backends {
    std::map<std::string, router::BackendState> all;

    Readiness readiness(const std::string& id) const {
        switch (all.at(id).status.state) {
            case BackendStatus::State::ready: return all.at(id).failure ? Readiness::failing : Readiness::ready;
            case BackendStatus::State::loading: return Readiness::loading;
            case BackendStatus::State::draining:
            case BackendStatus::State::unloaded: return Readiness::unloaded;
            case BackendStatus::State::down: return Readiness::down;
        }
        return Readiness::down;
    }
    // The one that answers first; null when there is none.
    const std::string* most_ready(const std::vector<std::string>& ids) const {
        const std::string* best = nullptr;
        for (const std::string& id : ids)
            if (all.contains(id) && (!best || readiness(id) > readiness(*best))) best = &id;
        return best;
    }
};

// Those of the aliases that would be answered by a backend that failed when last called, or that nothing can answer.
base::Json failing_aliases(const Backends& backends, const Services& services) {
    base::Json out = base::Json::array();
    for (const auto& alias : services.gateway.aliases()) {
        const std::string* best = backends.most_ready(alias.chain);
        if (!best) continue;
        const Readiness readiness = backends.readiness(*best);
        if (readiness != Readiness::down && readiness != Readiness::failing) continue;
        if (backends.readiness(*best) == Readiness::down) {
            out.push_back({{"alias", alias.name}, {"backend", *best}, {"error", backends.all.at(*best).status.detail}, {"seconds_ago", 0}});
            continue;
        }
        const router::Failure& failure = *backends.all.at(*best).failure;
        const auto ago = std::chrono::duration_cast<std::chrono::seconds>(services.clock.steady() - failure.at).count();
        out.push_back({{"alias", alias.name}, {"backend", *best}, {"error", failure.message}, {"seconds_ago", ago}});
    }
    return out;
}

// The backend that says how ready the server is: that of an alias that still loads, as it will be asked for; else the best one.
const std::string* least_ready(const Backends& backends, const Services& services) {
    const std::string* out = nullptr;
    for (const auto& alias : services.gateway.aliases()) {
        const std::string* best = backends.most_ready(alias.chain);
        if (!best || backends.readiness(*best) == Readiness::unloaded) continue;
        const auto id = backends.all.find(*best);
        if (backends.readiness(*best) == Readiness::loading) return &id->first;
        if (!out || backends.readiness(*best) > backends.readiness(*out)) out = &id->first;
    }
    return out;
}

base::Json backend_json(const router::BackendState& backend) {
    base::Json out = {{"state", router::name(backend.status.state)}, {"detail", backend.status.detail}, {"facts", backend.status.facts}, {"local", backend.local}};
    if (backend.status.state == BackendStatus::State::loading) out["stage"] = backend.status.stage, out["percent"] = int(backend.status.fraction * 100);
    if (backend.failure) out["failure"] = backend.failure->message;
    if (backend.local) return out;
    out["circuit"] = router::name(backend.circuit);
    if (backend.circuit == router::Breaker::State::open)
        out["left_alone_seconds"] = backend.seconds_left_alone;
    return out;
}

std::string_view word(base::Health health) {
    switch (health) {
        case base::Health::ok: return "ok";
        case base::Health::warning: return "warning";
        case base::Health::failed: return "failed";
        case base::Health::unknown: return "unknown";
    }
    return "unknown";
}

base::Json known_models(const Caller& caller, Services& services) {
    base::Json list = base::Json::array();
    auto add = [&](const std::string& name, const char* owner) {
        list.push_back({{"id", name}, {"object", "model"}, {"created", 0}, {"owned_by", owner}});
    };
    for (const auto& alias : services.gateway.aliases()) {
        add(alias.name, "local");
        base::Json& row = list.back();
        row["chain"] = alias.chain;
        if (!alias.character.empty()) row["character"] = alias.character;
        if (!alias.strengths.empty()) row["strengths"] = alias.strengths;
        if (alias.max_tokens > 0) row["max_tokens"] = alias.max_tokens;
    }
    for (const auto& agent : services.agents.cast().rows()) {
        if (!may_call(caller, agent)) continue;
        add(agent.name, "hearth");
        list.back()["purpose"] = agent.purpose;
        list.back()["scope"] = policy::name(agent.scope);
    }
    return list;
}

}  // namespace

net::Task<Response> health(Request request, Caller, Services& services) {
    const Backends backends{services.gateway.backends()};
    const std::string* const least = least_ready(backends, services);
    const BackendStatus* status = least ? &backends.all.at(*least).status : nullptr;
    const base::Json failing = failing_aliases(backends, services);
    bool database = !services.database_trouble || services.database_trouble().empty();
    if (database) database = co_await services.database.answers();
    const base::Result<void> room = services.may_accept ? services.may_accept() : base::Result<void>();
    base::Json body;
    int code = 503;
    if (!database || !status || status->state == BackendStatus::State::down) {
        body["status"] = "down";
    } else if (status->state == BackendStatus::State::loading) {
        body = {{"status", "loading"}, {"stage", status->stage}, {"percent", int(status->fraction * 100)}};
    } else if (!room) {
        body["status"] = "disk_full";
    } else {
        // With 503 a balancer would send no more requests, and only a request can find that it answers again.
        body["status"] = failing.empty() ? "ok" : "degraded";
        code = 200;
    }
    // Details are for those who may use the server.
    std::optional<Caller> caller;
    if (database) {  // else nobody can be told from anybody
        auto who = co_await services.auth.identify(request, Access::user, services.blocking);
        if (auto* known = std::get_if<Caller>(&who)) caller = std::move(*known);
    }
    if (caller) {
        if (!failing.empty()) body["failing"] = failing;
        if (!room) body["reason"] = room.error().text();
        for (const auto& [id, backend] : backends.all) body["backends"][id] = backend_json(backend);
        auto probe = [&] { return services.probes(); };
        for (const auto& p : co_await net::on_pool(services.blocking, probe))
            body["probes"].push_back({{"name", p.name}, {"health", std::string(word(p.health))}, {"found", p.found}, {"remedy", p.remedy}});
    }
    Response response = json_response(body, code);
    if (code == 503) response.headers["Retry-After"] = "2";
    co_return response;
}

net::Task<Response> models(Request, Caller caller, Services& services) {
    co_return json_response({{"object", "list"}, {"data", known_models(caller, services)}});
}

net::Task<Response> model(Request request, Caller caller, Services& services) {
    const std::string& id = request.parameters["id"];
    for (auto& known : known_models(caller, services))
        if (known["id"] == id) co_return json_response(known);
    co_return error_response(404, "there is no model '" + id + "'; GET /v1/models lists what there is", "model_not_found", "model");
}

net::Task<Response> metrics(Request, Caller, Services& services) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = services.metrics_text();
    co_return response;
}

net::Task<Response> logs(Request request, Caller, Services& services) {
    const auto limit = request.query_number("limit", 200, 1, 2000);
    if (!limit) co_return error_response(limit.error(), "limit");
    const std::string level = request.query_value("level");
    if (!level.empty() && level != "debug" && level != "info" && level != "warn" && level != "error")
        co_return error_response(400, "level is '" + level + "' but must be debug, info, warn or error", "invalid_argument", "level");
    co_return json_response({{"entries", services.recent_logs(level, *limit)}});
}

net::Task<Response> openapi_document(Request, Caller, Services& services) {
    static const std::string text = base::dump(openapi(services.version));
    Response response;
    response.body = text;
    co_return response;
}

}  // namespace server::api
