// Runs and their traces.
#include <algorithm>
#include <set>

#include "server/api/handlers.h"
#include "server/api/id_json.h"
#include "server/api/page.h"
#include "server/api/run_shapes.h"
#include "store/conversations.h"
#include "store/ledger.h"
#include "store/run_inputs.h"
#include "store/run_list.h"
#include "store/trace_chain.h"

namespace server::api {
namespace {

Response no_such_run() { return error_response(404, "there is no such run", "not_found"); }

base::Json step_json(const store::Step& step) {
    return {{"id", step.id.text()}, {"kind", step.kind}, {"name", step.name}, {"effect", step.effect}, {"state", step.state},
            {"input", step.input},  {"outcome", step.outcome}, {"started", base::rfc3339(step.started)}};
}

base::Json span_json(const base::Span& span) {
    return {{"id", span.id.text()},
            {"parent", id_json(span.parent)},
            {"kind", span.kind},
            {"name", span.name},
            {"started", base::rfc3339(span.started)},
            {"duration_us", span.duration.count()},
            {"error", span.error},
            {"attributes", span.attributes},
            {"body", span.body}};
}

struct Whole {
    store::Run run;
    std::vector<store::StoredMessage> messages;
    std::vector<store::Step> steps;
    std::vector<store::RunInput> inputs;
    std::vector<store::Approval> approvals;
    store::Trace trace;
    std::vector<store::TelemetryEvent> events;
};

std::string chain_of(const Whole& whole) {
    if (!whole.trace.chain) return whole.trace.chain.error().message;
    const auto& spans = whole.trace.spans;
    const bool has_root = std::any_of(spans.begin(), spans.end(), store::is_root);
    const std::string state = whole.run.finished == base::TimePoint{} ? std::string() : whole.run.status;
    return store::missing_root(whole.run.id, state, has_root, spans.size()).value_or("whole");
}

base::Json whole_json(const Whole& whole) {
    base::Json out = run_json(whole.run);
    out["turn"] = whole.run.turn;
    out["answer"] = whole.run.turn.value("answer", "");
    out["approval"] = nullptr;
    for (const auto& approval : whole.approvals)
        if (approval.state == store::Approval::State::open) out["approval"] = approval_json(approval);
    out["inputs"] = base::Json::array();
    for (const auto& input : whole.inputs)
        out["inputs"].push_back({{"id", input.id.text()}, {"text", input.text}, {"sent", base::rfc3339(input.sent)}, {"read", !input.taken_by.empty() && input.taken_by != store::kTakenByHistory}, {"from", input.of_thread() ? input.via : "person"}});
    out["messages"] = out["steps"] = out["spans"] = out["events"] = base::Json::array();
    for (const auto& m : whole.messages) out["messages"].push_back(m.body);
    for (const auto& s : whole.steps) out["steps"].push_back(step_json(s));
    for (const auto& s : whole.trace.spans) out["spans"].push_back(span_json(s));
    for (const auto& e : whole.events)
        out["events"].push_back({{"event", e.event}, {"node_id", e.node}, {"latency_ms", e.latency_ms}, {"error", e.error},
                                 {"tenant_id", e.tenant.text()}});
    out["chain"] = chain_of(whole);
    return out;
}

std::optional<Response> wrong_filter(const store::RunFilter& filter) {
    static const std::set<std::string> states = {"", "open", "waiting_person", "waiting_client", "answered", "partial", "cancelled", "refused", "unknown_effect", "no_backend", "failed"};
    if (!states.contains(filter.state))
        return error_response(400, "status is '" + filter.state + "' but must be open, or a state in which a run rests or has ended", "invalid_argument", "status");
    for (const auto& [name, value] : {std::pair("agent", &filter.alias), {"text", &filter.text}, {"tool", &filter.tool}})
        if (auto refusal = no_text(name, *value)) return refusal;
    return std::nullopt;
}

}  // namespace

net::Task<Response> list_runs(Request request, Caller caller, Services& services) {
    const auto page = page_of<base::RunId>(request, "a run's id");
    if (page.refusal) co_return *page.refusal;
    store::RunFilter filter{request.query_value("status"), request.query_value("agent"), request.query_value("text"), request.query_value("tool")};
    if (auto wrong = wrong_filter(filter)) co_return *wrong;
    for (auto [field, to] : {std::pair{"since", &filter.since}, {"until", &filter.until}}) {
        const auto day = day_asked(request, field);
        if (!day) co_return error_response(day.error(), field);
        *to = *day;
    }
    auto list = [&](store::Tx& tx) { return store::list_runs(tx, page.limit, page.before, filter); };
    base::Json data = base::Json::array();
    for (const auto& run : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(run_json(run));
    co_return list_response(std::move(data));
}

net::Task<Response> get_run(Request request, Caller caller, Services& services) {
    const auto id = base::RunId::parse(request.parameters["id"]);
    if (!id) co_return no_such_run();
    co_await traces_stored(services);
    auto read = [&](store::Tx& tx) -> std::optional<Whole> {
        auto run = store::find_run(tx, *id);
        if (!run) return std::nullopt;
        return Whole{*run, store::list_messages(tx, run->conversation), store::list_steps(tx, *id), store::list_inputs(tx, *id), store::approvals_of(tx, *id), store::read_trace(tx, *id),
                     store::list_events(tx, *id)};
    };
    const auto whole = co_await services.db.read(agents::identity_of(caller.principal), read);
    if (!whole) co_return no_such_run();
    co_return json_response(whole_json(*whole));
}

net::Task<Response> stop_run(Request request, Caller caller, Services& services) {
    const auto id = base::RunId::parse(request.parameters["id"]);
    if (!id) co_return no_such_run();
    const bool stopped = co_await services.agents.stop(caller.principal, *id);
    auto find = [&](store::Tx& tx) { return store::find_run(tx, *id); };
    std::optional<store::Run> run;
    try {
        run = co_await services.db.read(agents::identity_of(caller.principal), find);
    } catch (const store::DbError& e) {
        if (!stopped || !store::interrupts(e)) throw;
        co_return error_response(503, "the run was stopped here; the database is out of reach, so that this is written when it is back", "unavailable");
    }
    if (!run) co_return no_such_run();
    base::Json body = run_json(*run);
    body["stopping"] = stopped;
    co_return json_response(body);
}

}  // namespace server::api
