// GET and DELETE /v1/responses/{id}, and what a request goes on from.
#include "server/api/stored_responses.h"

#include "agents/journal.h"
#include "agents/session.h"
#include "server/api/handlers.h"
#include "server/api/response_object.h"
#include "store/conversations.h"
#include "store/runs.h"

namespace server::api {
namespace {

router::FinishReason finish_of(const std::string& state, bool calls) {
    using Reason = router::FinishReason;
    if (state == "partial") return Reason::length;
    if (state == "cancelled") return Reason::cancelled;
    return calls ? Reason::tool_calls : Reason::stop;
}

// The run went on without whoever was answered: its end is in its own rows.
void end_as_run(store::Tx& tx, store::StoredResponse& response) {
    const bool waits = response.body.contains("hearth") && response.body["hearth"].value("state", "") == "waiting_person";
    if (response.run.is_nil() || (response.body["status"] != "in_progress" && !waits)) return;
    const auto run = store::find_run(tx, response.run);
    if (!run || run->status == "running" || run->status == "interrupted" || run->status == "waiting_person") return;
    std::string text;
    std::vector<router::ToolCall> calls;
    for (const auto& stored : store::list_messages(tx, response.conversation)) {
        if (stored.run != response.run || stored.role != "assistant") continue;
        if (const auto message = router::message_from_json(base::OrderedJson(stored.body), 0)) {
            text += message->text();
            calls.insert(calls.end(), message->tool_calls.begin(), message->tool_calls.end());
        }
    }
    response.body["output"] = base::Json::array();
    response.body["hearth"] = {{"run_id", run->id.text()}, {"conversation_id", run->conversation.text()}, {"state", run->status}, {"tools_used", run->usage.value("tool_calls", 0)}};
    if (!run->error.empty()) response.body["hearth"]["error"] = run->error;
    ResponseObject object(std::move(response.body), response.id, run->started);
    object.complete(text, {}, calls);
    object.settle(finish_of(run->status, !calls.empty()), agents::usage_from_json(run->usage), run->finished);
    if (run->status == "failed" || run->status == "no_backend") object.fail(base::error(run->status == "failed" ? base::Code::internal : base::Code::unavailable, run->error));
    response.body = std::move(object.json());
}

std::optional<store::StoredResponse> find(store::Tx& tx, const std::optional<store::ResponseId>& id) {
    auto found = id ? store::find_response(tx, *id) : std::nullopt;
    if (found) end_as_run(tx, *found);
    return found;
}

// A response is gone on from where it was: what its conversation heard since would be in the answer unasked.
base::Result<void> check_newest(store::Tx& tx, const store::StoredResponse& response) {
    const base::RunId newest = agents::newest_answer(tx, response.conversation);
    if (newest <= response.run) return {};
    return base::error(base::Code::conflict, "the conversation of the response '" + store::public_id(response.id) + "' went on: its newest is '" + store::public_id({newest.value}) + "'",
                       "name that, or send the header X-Hearth-Conversation: " + response.conversation.text() + " in place of previous_response_id");
}

base::Result<Earlier> find_earlier(store::Tx& tx, const std::string& text, bool for_agent) {
    const auto id = store::parse_response_id(text);
    if (!id) return store::no_such_response(text);
    const auto last = for_agent ? find(tx, *id) : std::nullopt;
    if (last && !last->conversation.is_nil()) {
        if (auto fine = check_newest(tx, *last); !fine) return std::move(fine).error();
        return Earlier{{*last}, last->conversation};
    }
    auto chain = store::response_chain(tx, *id);
    if (!chain) return std::move(chain).error();
    for (auto& one : *chain) end_as_run(tx, one);
    return Earlier{*std::move(chain), {}};
}

}  // namespace

net::Task<base::Result<Earlier>> earlier_responses(std::string id, bool for_agent, Caller caller, Services& services) {
    auto read = [&](store::Tx& tx) { return find_earlier(tx, id, for_agent); };
    co_return co_await services.db.read(agents::identity_of(caller.principal), read);
}

net::Task<Response> get_response(Request request, Caller caller, Services& services) {
    const std::string text = request.parameters["id"];
    const auto id = store::parse_response_id(text);
    auto read = [&](store::Tx& tx) { return find(tx, id); };
    const auto found = co_await services.db.read(agents::identity_of(caller.principal), read);
    co_return found ? json_response(found->body) : error_response(store::no_such_response(text), "id");
}

net::Task<Response> delete_response(Request request, Caller caller, Services& services) {
    const std::string text = request.parameters["id"];
    const auto id = store::parse_response_id(text);
    auto remove = [&](store::Tx& tx) { return id && store::remove_response(tx, *id); };
    const bool removed = co_await services.db.run(agents::identity_of(caller.principal), remove);
    if (!removed) co_return error_response(store::no_such_response(text), "id");
    co_return json_response({{"id", text}, {"object", "response"}, {"deleted", true}});
}

}  // namespace server::api
