// Threads: long-lived lines of work, each over the conversation whose id it has.
#include "server/api/handlers.h"
#include "server/api/id_json.h"
#include "server/api/page.h"
#include "server/api/run_shapes.h"
#include "store/conversations.h"
#include "store/openings.h"
#include "store/runs.h"
#include "store/threads.h"

namespace server::api {
namespace {

using base::Json;

Response no_such_thread() { return error_response(404, "there is no such thread", "not_found"); }

Json time_json(base::TimePoint at) { return at.time_since_epoch().count() ? Json(base::rfc3339(at)) : Json(nullptr); }

using Openings = std::map<base::ConversationId, store::Opening>;

Json thread_json(const store::Thread& thread, const Openings& openings) {
    const std::string id = thread.id.text(), path = "/v1/threads/" + id;
    Json out = {{"id", id},          {"object", "thread"},           {"conversation_id", id}, {"label", thread.as.label},
                {"rule", store::name(thread.as.rule)}, {"state", thread.state}, {"run_id", id_json(thread.works)}, {"depth", thread.as.depth},
                {"created", time_json(thread.created)}, {"ends", time_json(thread.ends)}, {"ended", time_json(thread.ended)}};
    const auto opening = openings.find(thread.id);
    out["opening"] = opening == openings.end() ? "" : opening->second.text;
    out["spoken"] = time_json(opening == openings.end() ? thread.created : opening->second.spoken);
    out["parent"] = thread.parent.is_nil() ? Json(nullptr) : Json{{"thread", thread.parent.text()}, {"run", thread.as.parent_run.text()}, {"call", thread.as.parent_call}};
    out["budget"] = thread.as.output_tokens ? Json{{"output_tokens", *thread.as.output_tokens}, {"threads", thread.as.threads}} : Json(nullptr);
    out["urls"] = {{"self", path}, {"stop", path + "/stop"}};
    return out;
}

Openings openings_of(store::Tx& tx, const std::vector<store::Thread>& threads) {
    std::vector<base::ConversationId> ids;
    for (const auto& one : threads) ids.push_back(one.id);
    return store::openings_of(tx, ids);
}

struct Whole {
    store::Thread thread;
    std::vector<store::Thread> children;
    std::vector<store::Run> runs;
    std::vector<store::StoredMessage> messages;
    Openings openings;
};

}  // namespace

net::Task<Response> list_threads(Request request, Caller caller, Services& services) {
    const auto page = page_of<base::ConversationId>(request, "a thread's id");
    if (page.refusal) co_return *page.refusal;
    Json data = Json::array();
    auto list = [&](store::Tx& tx) {
        const auto threads = store::list_threads(tx, page.limit, page.before.value_or(base::ConversationId{}));
        const Openings openings = openings_of(tx, threads);
        for (const auto& thread : threads) data.push_back(thread_json(thread, openings));
    };
    co_await services.db.read(agents::identity_of(caller.principal), list);
    co_return list_response(std::move(data));
}

net::Task<Response> get_thread(Request request, Caller caller, Services& services) {
    const auto id = base::ConversationId::parse(request.parameters["id"]);
    if (!id) co_return no_such_thread();
    auto read = [&](store::Tx& tx) -> std::optional<Whole> {
        auto thread = store::find_thread(tx, *id);
        if (!thread) return std::nullopt;
        Whole out{*std::move(thread), store::children_of(tx, *id), store::runs_of(tx, *id), store::list_messages(tx, *id), {}};
        std::vector<store::Thread> all = out.children;
        all.push_back(out.thread);
        out.openings = openings_of(tx, all);
        return out;
    };
    const auto whole = co_await services.db.read(agents::identity_of(caller.principal), read);
    if (!whole) co_return no_such_thread();
    Json body = thread_json(whole->thread, whole->openings);
    body["children"] = body["runs"] = body["messages"] = Json::array();
    for (const auto& child : whole->children) body["children"].push_back(thread_json(child, whole->openings));
    for (const auto& run : whole->runs) body["runs"].push_back(run_json(run));
    for (const auto& one : whole->messages) body["messages"].push_back({{"id", one.id.text()}, {"run_id", id_json(one.run)}, {"message", one.body}});
    co_return json_response(body);
}

net::Task<Response> stop_thread(Request request, Caller caller, Services& services) {
    const auto id = base::ConversationId::parse(request.parameters["id"]);
    if (!id) co_return no_such_thread();
    const bool stopped = co_await services.agents.stop_thread(caller.principal, *id);
    auto find = [&](store::Tx& tx) -> Json {
        const auto thread = store::find_thread(tx, *id);
        return thread ? thread_json(*thread, openings_of(tx, {*thread})) : Json(nullptr);
    };
    Json body = co_await services.db.read(agents::identity_of(caller.principal), find);
    if (body.is_null()) co_return no_such_thread();
    body["stopping"] = stopped;
    co_return json_response(body);
}

}  // namespace server::api
