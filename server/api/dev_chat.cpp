// POST /v0/dev/chat: the agent that reads, edits and runs code.
#include "server/api/agent_answer.h"
#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/api/prompts_field.h"
#include "server/api/workspace_field.h"
#include "server/failure.h"
#include "server/sse.h"

namespace server::api {
namespace {

using base::Code;

struct DevBody {
    agents::ChatRequest chat;
    WorkspaceField workspace;
    bool stream = false;
    std::vector<std::string> ignored;
};

base::Result<DevBody> read_body(const std::string& text, std::string& param) {
    auto json = object_of(text);
    if (!json) return std::move(json).error();
    DevBody out;
    out.ignored = fields_beside({"messages", "conversation_id", "workspace", "stream", "read_only", "write_tier", "prompts", "agent"}, *json);
    param = "messages";
    if (!json->contains("messages") || !(*json)["messages"].is_array() || (*json)["messages"].empty())
        return base::error(Code::invalid_argument, "messages must be a list with at least one message");
    out.chat.messages = (*json)["messages"].get<std::vector<base::Json>>();
    param = "stream";
    auto stream = base::optional_bool(*json, "stream");
    if (!stream) return std::move(stream).error();
    out.stream = stream->value_or(false);
    auto workspace = read_workspace(*json, param);
    if (!workspace) return std::move(workspace).error();
    out.workspace = *std::move(workspace);
    param = "prompts";
    auto prompts = read_prompts(*json);
    if (!prompts) return std::move(prompts).error();
    out.chat.prompts = *std::move(prompts);
    param = "agent";
    auto agent = base::optional_string(*json, "agent");
    if (!agent) return std::move(agent).error();
    out.chat.alias = agent->value_or("hearth/dev");
    param = "conversation_id";
    auto conversation = base::optional_string(*json, "conversation_id");
    if (!conversation) return std::move(conversation).error();
    if (*conversation) {
        const auto id = base::ConversationId::parse(**conversation);
        if (!id) return base::error(Code::not_found, "there is no conversation '" + **conversation + "'");
        out.chat.conversation = *id;
    }
    param.clear();
    return out;
}

base::Json result_json(const agents::ChatResult& result) {
    const auto& u = result.usage;
    base::Json out = {{"response", result.response},
                      {"tools_used", result.tools_used},
                      {"run_id", result.run.text()},
                      {"conversation_id", result.conversation.text()},
                      {"state", result.final_state},
                      {"model", result.model}};
    out["usage"] = {{"prompt_tokens", u.prompt_tokens}, {"cached_tokens", u.cached_tokens}, {"output_tokens", u.output_tokens},
                    {"queued_ms", u.queued.count() / 1000.0}, {"prefill_ms", u.prefill.count() / 1000.0}, {"decode_ms", u.decode.count() / 1000.0}};
    if (!result.error.message.empty()) out["error"] = result.error.text();
    return out;
}

// What a streamed run needs, alive until it ends.
struct DevStream {
    std::shared_ptr<SseQueue> queue;
    base::StopSource stop;
    int events = 0;
    base::RunId run{};
    base::ConversationId conversation{};

    void push(const std::string& data, std::string_view name) { queue->push(sse_event(data, std::string(name), std::to_string(++events))); }
    void fail(Response answer) {
        const std::string body = answer.body;
        if (queue->refuse(std::move(answer))) return;
        push(body, "error");
        queue->finish();
    }
};

net::Task<void> run_streamed(std::shared_ptr<DevStream> stream, agents::ChatRequest chat, Services& services) {
    agents::EventSink sink = [stream](const agents::ChatEvent& event) {
        stream->run = event.run;
        stream->conversation = event.conversation;
        if (event.kind != agents::ChatEvent::Kind::done) stream->push(base::dump(agents::data_of(event)), agents::name(event.kind));
    };
    auto result = co_await services.agents.chat(std::move(chat), sink);
    if (!result) co_return stream->fail(error_response(result.error()));
    stream->push(base::dump(result_json(*result)), "done");
    stream->queue->finish();
}

net::Task<Response> answer_streamed(agents::ChatRequest chat, base::StopToken stop, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    auto stream = std::make_shared<DevStream>(DevStream{std::make_shared<SseQueue>(executor), base::StopSource(stop)});
    chat.stop = stream->stop.token();
    auto failed = [stream, &services](std::exception_ptr e) {
        stream->fail(error_response(explain(e, "a streamed dev chat", services)));
    };
    net::spawn(executor, run_streamed(stream, std::move(chat), services), failed);
    co_await stream->queue->first(kFirstEvent);
    if (stream->queue->refusal()) co_return *stream->queue->refusal();
    Response response = SseQueue::response(stream->queue, {});
    name_run(response, stream->run, stream->conversation);
    co_return response;
}

net::Task<Response> answer_whole(agents::ChatRequest chat, base::StopToken stop, Services& services) {
    chat.stop = stop;
    const agents::EventSink nobody;
    auto result = co_await services.agents.chat(std::move(chat), nobody);
    if (!result) co_return error_response(result.error());
    base::Json body = result_json(*result);
    const auto failure = failure_of(*result);
    Response response = failure ? error_response(*failure) : json_response(body);
    if (failure) {
        body["error"] = base::Json::parse(response.body)["error"];
        response.body = base::dump(body);
    }
    name_run(response, result->run, result->conversation);
    co_return response;
}

}  // namespace

net::Task<Response> dev_chat(Request request, Caller caller, Services& services) {
    std::string param;
    auto body = read_body(request.body, param);
    if (!body) co_return error_response(body.error(), param);
    agents::ChatRequest& chat = body->chat;
    if (auto no_prompts = refused_prompts(chat.prompts, caller)) co_return *std::move(no_prompts);
    chat.principal = caller.principal;
    if (auto no_agent = refused_agent(chat.alias, "agent", caller, services)) co_return *std::move(no_agent);
    if (!body->workspace.path.empty())
        if (auto no_folder = refused_folder(chat.alias, services)) co_return *std::move(no_folder);
    auto refused = co_await open_workspace(request, caller, body->workspace, chat, services);
    if (refused) co_return *std::move(refused);
    const auto cancel = cancel_on_disconnect(request);
    if (!cancel) co_return error_response(cancel.error(), "X-Hearth-On-Disconnect");
    const base::StopToken stop = *cancel ? request.gone : base::StopToken();
    chat.ends_with_client = *cancel;
    const auto ignored = body->ignored;
    const bool stream = body->stream;
    auto answered = stream ? answer_streamed(std::move(chat), stop, services) : answer_whole(std::move(chat), stop, services);
    Response response = co_await std::move(answered);
    name_ignored(response, ignored);
    co_return response;
}

}  // namespace server::api
