// Threads: long-lived lines of work, each over the conversation whose id it has.
#include "server/api/handlers.h"
#include "server/api/page.h"
#include "server/api/run_shapes.h"
#include "store/runs.h"
#include "store/threads.h"

namespace server::api {
namespace {

using base::Json;

Response no_such_thread() { return error_response(404, "there is no such thread", "not_found"); }

Json time_json(base::TimePoint at) { return at.time_since_epoch().count() ? Json(base::rfc3339(at)) : Json(nullptr); }

template <class Tag>
Json id_json(const base::Id<Tag>& id) {
    return id.is_nil() ? Json(nullptr) : Json(id.text());
}

Json thread_json(const store::Thread& thread) {
    const std::string id = thread.id.text(), path = "/v1/threads/" + id;
    Json out = {{"id", id},          {"object", "thread"},           {"conversation_id", id}, {"label", thread.as.label},
                {"rule", store::name(thread.as.rule)}, {"state", thread.state}, {"run_id", id_json(thread.works)}, {"depth", thread.as.depth},
                {"created", time_json(thread.created)}, {"ends", time_json(thread.ends)}, {"ended", time_json(thread.ended)}};
    out["parent"] = thread.parent.is_nil() ? Json(nullptr) : Json{{"thread", thread.parent.text()}, {"run", thread.as.parent_run.text()}, {"call", thread.as.parent_call}};
    out["budget"] = thread.as.output_tokens ? Json{{"output_tokens", *thread.as.output_tokens}, {"threads", thread.as.threads}} : Json(nullptr);
    out["urls"] = {{"self", path}, {"stop", path + "/stop"}};
    return out;
}

struct Whole {
    store::Thread thread;
    std::vector<store::Thread> children;
    std::vector<store::Run> runs;
};

}  // namespace

net::Task<Response> list_threads(Request request, Caller caller, Services& services) {
    const auto page = page_of<base::ConversationId>(request, "a thread's id");
    if (page.refusal) co_return *page.refusal;
    auto list = [&](store::Tx& tx) { return store::list_threads(tx, page.limit, page.before.value_or(base::ConversationId{})); };
    Json data = Json::array();
    for (const auto& thread : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(thread_json(thread));
    co_return list_response(std::move(data));
}

net::Task<Response> get_thread(Request request, Caller caller, Services& services) {
    const auto id = base::ConversationId::parse(request.parameters["id"]);
    if (!id) co_return no_such_thread();
    auto read = [&](store::Tx& tx) -> std::optional<Whole> {
        auto thread = store::find_thread(tx, *id);
        if (!thread) return std::nullopt;
        return Whole{*std::move(thread), store::children_of(tx, *id), store::runs_of(tx, *id)};
    };
    const auto whole = co_await services.db.read(agents::identity_of(caller.principal), read);
    if (!whole) co_return no_such_thread();
    Json body = thread_json(whole->thread);
    body["children"] = body["runs"] = Json::array();
    for (const auto& child : whole->children) body["children"].push_back(thread_json(child));
    for (const auto& run : whole->runs) body["runs"].push_back(run_json(run));
    co_return json_response(body);
}

net::Task<Response> stop_thread(Request request, Caller caller, Services& services) {
    const auto id = base::ConversationId::parse(request.parameters["id"]);
    if (!id) co_return no_such_thread();
    const bool stopped = co_await services.agents.stop_thread(caller.principal, *id);
    auto find = [&](store::Tx& tx) { return store::find_thread(tx, *id); };
    const auto thread = co_await services.db.read(agents::identity_of(caller.principal), find);
    if (!thread) co_return no_such_thread();
    Json body = thread_json(*thread);
    body["stopping"] = stopped;
    co_return json_response(body);
}

}  // namespace server::api
