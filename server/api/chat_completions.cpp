// POST /v1/chat/completions: a bare model by its alias, or an agent by its own.
#include "server/api/chat_request.h"
#include "server/api/completion_shapes.h"
#include "router/usage.h"
#include "server/api/handlers.h"
#include "server/failure.h"
#include "server/sse.h"

namespace server::api {
namespace {

// What runs a streamed request: everything it needs, alive until it ends.
struct StreamJob {
    std::shared_ptr<SseQueue> queue;
    ChunkShapes shapes;
    bool include_usage = false;
    base::StopSource stop;
};

void push(StreamJob& job, const base::Json& chunk) { job.queue->push(sse_event(base::dump(chunk))); }

void finish(StreamJob& job, const router::Usage& usage, router::FinishReason reason, const base::Json& extra) {
    base::Json last = job.shapes.finish(reason);
    if (!extra.is_null()) last["hearth"] = extra;
    push(job, last);
    if (job.include_usage) push(job, job.shapes.usage(usage));
    job.queue->push(sse_event("[DONE]"));
    job.queue->finish();
}

void fail(StreamJob& job, const base::Error& error) {
    job.queue->push(sse_event(error_response(error).body));
    job.queue->push(sse_event("[DONE]"));
    job.queue->finish();
}

// The one place that calls a bare alias.
net::Task<base::Result<router::ModelReply>> call_model(store::Identity who, router::ModelRequest request, router::DeltaSink sink, Services& services) {
    const router::CallRecord record(who, request, services.clock);
    auto reply = co_await services.gateway.generate(std::move(request), std::move(sink));
    services.traces.emit(record.ended(reply));
    co_return reply;
}

net::Task<void> stream_model(std::shared_ptr<StreamJob> job, store::Identity who, router::ModelRequest request, Services& services) {
    push(*job, job->shapes.begin());
    request.stop = job->stop.token();
    router::DeltaSink sink = [job](const router::ModelDelta& delta) { push(*job, job->shapes.delta(delta)); };
    auto reply = co_await call_model(who, std::move(request), sink, services);
    if (!reply) co_return fail(*job, reply.error());
    finish(*job, reply->usage, reply->finish, nullptr);
}

net::Task<void> stream_agent(std::shared_ptr<StreamJob> job, agents::ChatRequest request, Services& services) {
    push(*job, job->shapes.begin());
    agents::EventSink sink = [job](const agents::ChatEvent& event) {
        using Kind = router::ModelDelta::Kind;
        if (event.kind == agents::ChatEvent::Kind::text) push(*job, job->shapes.delta({Kind::content, event.text, -1, {}}));
        if (event.kind == agents::ChatEvent::Kind::reasoning) push(*job, job->shapes.delta({Kind::reasoning, event.text, -1, {}}));
    };
    auto result = co_await services.agents.chat(std::move(request), sink);
    if (!result) co_return fail(*job, result.error());
    for (std::size_t i = 0; i < result->client_calls.size(); ++i)
        push(*job, job->shapes.whole_call(result->client_calls[i], int(i)));
    finish(*job, result->usage, result->finish, agent_facts(*result));
}

// Starts `task` beside the response that it feeds; it ends by itself when the client has left.
Response start_stream(boost::asio::any_io_executor executor, std::shared_ptr<StreamJob> job, net::Task<void> task, Services& services,
                      bool stop_when_gone) {
    auto failed = [&services, job](std::exception_ptr e) { fail(*job, explain(e, "a streamed answer", services)); };
    net::spawn(executor, std::move(task), failed);
    auto gone = [job, stop_when_gone] {
        if (stop_when_gone) job->stop.request_stop();
    };
    return SseQueue::response(job->queue, gone);
}

// `gone` stops the job as soon as the client has left, even while nothing is being written.
std::shared_ptr<StreamJob> make_job(boost::asio::any_io_executor executor, const ChatBody& body, const base::StopToken& gone, Services& services) {
    auto job = std::make_shared<StreamJob>(StreamJob{std::make_shared<SseQueue>(executor),
                                                     ChunkShapes("chatcmpl-" + base::Uuid::v7(services.clock.now()).text(), body.model.alias, services.clock.now()),
                                                     body.include_usage, base::StopSource(gone)});
    return job;
}

net::Task<Response> answer_model(ChatBody body, Request request, Caller caller, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (!services.gateway.has(body.model.alias)) {
        std::string known;
        for (const auto& alias : services.gateway.aliases()) known += alias.name + ", ";
        co_return error_response(404, "there is no model '" + body.model.alias + "'; there are " + known + "hearth, hearth/dev", "model_not_found", "model");
    }
    body.model.purpose = "api";
    body.model.cache_salt = caller.principal.person.text();
    const store::Identity who = agents::identity_of(caller.principal);
    if (!body.limited) body.model.max_tokens = 4096;
    if (body.stream) {
        auto ready = services.gateway.ready(body.model.alias);
        if (!ready) co_return error_response(ready.error());
        auto job = make_job(executor, body, request.gone, services);
        co_return start_stream(executor, job, stream_model(job, who, std::move(body.model), services), services, true);
    }
    base::StopSource stop(request.gone);
    body.model.stop = stop.token();
    const std::string alias = body.model.alias;
    const router::DeltaSink nobody;
    auto reply = co_await call_model(who, std::move(body.model), nobody, services);
    if (!reply) co_return error_response(reply.error());
    co_return json_response(completion(alias, *reply, services.clock.now()));
}

net::Task<Response> answer_agent(ChatBody body, Request request, Caller caller, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (body.model.alias == "hearth/dev" && !caller.may(Access::dev))
        co_return error_response(403, "the model hearth/dev needs a key with the scope dev", "forbidden", "model");
    if (body.model.response_schema || body.model.json_object)
        co_return error_response(400, "response_format is not supported by '" + body.model.alias + "'; a bare model takes it", "unsupported", "response_format");
    agents::ChatRequest chat;
    chat.principal = caller.principal;
    chat.alias = body.model.alias;
    chat.messages = body.messages;
    chat.client_tools = body.model.tools;
    chat.sampling = body.model.sampling;
    if (body.limited) chat.max_tokens = body.model.max_tokens;
    if (const std::string& id = request.header("x-hearth-conversation"); !id.empty()) {
        const auto conversation = base::ConversationId::parse(id);
        if (!conversation) co_return error_response(404, "there is no conversation '" + id + "'", "not_found", "X-Hearth-Conversation");
        chat.conversation = *conversation;
    }
    const bool cancel = request.header("x-hearth-on-disconnect") == "cancel";
    if (body.stream) {
        auto job = make_job(executor, body, cancel ? request.gone : base::StopToken(), services);
        chat.stop = job->stop.token();
        co_return start_stream(executor, job, stream_agent(job, std::move(chat), services), services, cancel);
    }
    base::StopSource stop = cancel ? base::StopSource(request.gone) : base::StopSource();
    chat.stop = stop.token();
    const std::string alias = chat.alias;
    const agents::EventSink nobody;
    auto result = co_await services.agents.chat(std::move(chat), nobody);
    if (!result) co_return error_response(result.error());
    if (result->final_state == "no_backend") co_return error_response(503, result->error.text(), "unavailable");
    Response response = json_response(completion(alias, *result, services.clock.now()));
    response.headers["X-Hearth-Conversation"] = result->conversation.text();
    response.headers["X-Hearth-Run"] = result->run.text();
    co_return response;
}

}  // namespace

net::Task<Response> chat_completions(Request request, Caller caller, Services& services) {
    std::string param;
    auto body = read_chat_body(request.body, param);
    if (!body) co_return error_response(body.error(), param);
    if (body->model.alias.empty()) co_return error_response(400, "model is missing; GET /v1/models lists what there is", "invalid_argument", "model");
    const auto ignored = body->ignored;
    const bool agent = agents::is_agent(body->model.alias);
    auto answered = agent ? answer_agent(*std::move(body), std::move(request), std::move(caller), services)
                          : answer_model(*std::move(body), std::move(request), std::move(caller), services);
    Response response = co_await std::move(answered);
    name_ignored(response, ignored);
    co_return response;
}

}  // namespace server::api
