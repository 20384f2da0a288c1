// POST /v1/chat/completions: a bare model by its alias, or an agent by its own.
#include <utility>

#include "router/usage.h"
#include "server/api/agent_answer.h"
#include "server/api/chat_request.h"
#include "server/api/completion_shapes.h"
#include "server/api/handlers.h"
#include "server/api/prompts_field.h"
#include "server/failure.h"
#include "server/sse.h"

namespace server::api {
namespace {

constexpr int kModelTokens = 4096;  // of a bare model's reply, where the request sets no limit

// What runs a streamed request: everything it needs, alive until it ends.
struct StreamJob {
    std::shared_ptr<SseQueue> queue;
    ChunkShapes shapes;
    bool include_usage = false, include_reasoning = true;
    base::StopSource stop;
    router::ToolMenu tools;
    bool begun = false;
    base::RunId run{};                    // an agent's, once it is known
    base::ConversationId conversation{};
};

void begin(StreamJob& job) {
    if (!std::exchange(job.begun, true)) job.queue->push(sse_event(base::dump(job.shapes.begin())));
}

void push(StreamJob& job, const base::Json& chunk) {
    begin(job);
    job.queue->push(sse_event(base::dump(chunk)));
}

void push(StreamJob& job, const router::ModelDelta& delta) {
    if (delta.kind != router::ModelDelta::Kind::reasoning || job.include_reasoning) push(job, job.shapes.delta(delta));
}

void finish(StreamJob& job, const router::Usage& usage, router::FinishReason reason, const base::Json& extra) {
    base::Json last = job.shapes.finish(reason);
    if (!extra.is_null()) last["hearth"] = extra;
    push(job, last);
    if (job.include_usage) push(job, job.shapes.usage(usage));
    job.queue->push(sse_event("[DONE]"));
    job.queue->finish();
}

void fail(StreamJob& job, const base::Error& error) {
    Response answer = error_response(error, field_at_fault(error, job.tools));
    name_run(answer, job.run, job.conversation);
    const std::string body = answer.body;
    if (job.queue->refuse(std::move(answer))) return;
    job.queue->push(sse_event(body));
    job.queue->push(sse_event("[DONE]"));
    job.queue->finish();
}

// The one place that calls a bare alias.
net::Task<base::Result<router::ModelReply>> call_model(router::ModelRequest request, router::DeltaSink sink, Services& services) {
    const router::CallRecord record(request.on_behalf, request.alias, request.purpose, services.clock);
    auto reply = co_await services.gateway.generate(std::move(request), std::move(sink));
    services.traces.emit(record.ended(reply));
    co_return reply;
}

net::Task<void> stream_model(std::shared_ptr<StreamJob> job, router::ModelRequest request, Services& services) {
    request.stop = job->stop.token();
    router::DeltaSink sink = [job](const router::ModelDelta& delta) { push(*job, delta); };
    auto reply = co_await call_model(std::move(request), sink, services);
    if (!reply) co_return fail(*job, reply.error());
    finish(*job, reply->usage, reply->finish, nullptr);
}

// The input is committed: from here on it is a stream, named after the run.
void begin_run(StreamJob& job, const agents::ChatEvent& event) {
    job.run = event.run;
    job.conversation = event.conversation;
    job.shapes.rename(completion_id(event.run.text()));
    begin(job);
}

net::Task<void> stream_agent(std::shared_ptr<StreamJob> job, agents::ChatRequest request, Services& services) {
    agents::EventSink sink = [job](const agents::ChatEvent& event) {
        using Event = agents::ChatEvent::Kind;
        using Kind = router::ModelDelta::Kind;
        if (event.kind == Event::run_started) begin_run(*job, event);
        if (event.kind == Event::text) push(*job, router::ModelDelta{Kind::content, event.text, -1, {}});
        if (event.kind == Event::reasoning) push(*job, router::ModelDelta{Kind::reasoning, event.text, -1, {}});
    };
    auto result = co_await services.agents.chat(std::move(request), sink);
    if (!result) co_return fail(*job, result.error());
    if (const auto failure = failure_of(*result)) co_return fail(*job, *failure);
    for (std::size_t i = 0; i < result->client_calls.size(); ++i)
        push(*job, job->shapes.whole_call(result->client_calls[i], int(i)));
    finish(*job, result->usage, result->finish, agent_facts(*result));
}

// Starts `task` beside the response that it feeds; it ends by itself when the client has left.
net::Task<Response> stream(std::shared_ptr<StreamJob> job, net::Task<void> task, Services& services, bool stop_when_gone) {
    auto failed = [&services, job](std::exception_ptr e) { fail(*job, explain(e, "a streamed answer", services)); };
    net::spawn(co_await boost::asio::this_coro::executor, std::move(task), failed);
    co_await job->queue->first(kFirstEvent);
    if (job->queue->refusal()) co_return *job->queue->refusal();
    auto gone = [job, stop_when_gone] {
        if (stop_when_gone) job->stop.request_stop();
    };
    Response response = SseQueue::response(job->queue, gone);
    name_run(response, job->run, job->conversation);
    co_return response;
}

// `gone` stops the job as soon as the client has left, even while nothing is being written.
std::shared_ptr<StreamJob> make_job(boost::asio::any_io_executor executor, const ChatBody& body, const base::StopToken& gone, Services& services) {
    const auto now = services.clock.now();
    ChunkShapes shapes(completion_id(base::Uuid::v7(now).text()), body.model.alias, now, body.include_usage);
    return std::make_shared<StreamJob>(StreamJob{std::make_shared<SseQueue>(executor), std::move(shapes), body.include_usage,
                                                 body.include_reasoning, base::StopSource(gone), body.model.tools});
}

Response no_such_model(const std::string& alias, Services& services) {
    std::string known;
    for (const auto& other : services.gateway.aliases()) known += other.name + ", ";
    return error_response(404, "there is no model '" + alias + "'; there are " + known + "hearth, hearth/dev", "model_not_found", "model");
}

net::Task<Response> answer_model(ChatBody body, Request request, Caller caller, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (!services.gateway.has(body.model.alias)) co_return no_such_model(body.model.alias, services);
    body.model.purpose = "api";
    body.model.cache_salt = caller.principal.person.text();
    const store::Identity who = agents::identity_of(caller.principal);
    body.model.on_behalf = {who.tenant, who.person, {}, {}};
    if (!body.limited) body.model.max_tokens = kModelTokens;
    if (body.stream) {
        auto job = make_job(executor, body, request.gone, services);
        co_return co_await stream(job, stream_model(job, std::move(body.model), services), services, true);
    }
    base::StopSource stop(request.gone);
    body.model.stop = stop.token();
    const std::string alias = body.model.alias;
    const router::ToolMenu tools = body.model.tools;
    const router::DeltaSink nobody;
    auto reply = co_await call_model(std::move(body.model), nobody, services);
    if (!reply) co_return error_response(reply.error(), field_at_fault(reply.error(), tools));
    if (!body.include_reasoning) reply->message.reasoning.clear();
    co_return json_response(completion(alias, *reply, services.clock.now()));
}

// What an agent cannot do and a bare model can.
std::optional<Response> refused_by_agent(const ChatBody& body, const Caller& caller) {
    const std::string& alias = body.model.alias;
    if (alias == "hearth/dev" && !caller.may(Access::dev))
        return error_response(403, "the model hearth/dev needs a key with the scope dev", "forbidden", "model");
    if (auto refused = refused_prompts(body.prompts, caller)) return refused;
    using Kind = router::ToolChoice::Kind;
    const auto kind = body.model.tool_choice.kind;
    const std::pair<const char*, bool> fields[] = {{"response_format", body.model.response_schema || body.model.json_object},
                                                   {"stop", !body.model.stop_texts.empty()},
                                                   {body.thinking_field.c_str(), !body.thinking_field.empty()},
                                                   {"parallel_tool_calls", body.model.tool_choice.most == 1},
                                                   {"tool_choice", kind == Kind::required || kind == Kind::named}};
    for (const auto& [field, used] : fields)
        if (used) return error_response(400, std::string(field) + " is not supported by '" + alias + "'; a bare model takes it", "unsupported", field);
    return std::nullopt;
}

agents::ChatRequest agent_request(const ChatBody& body, const Caller& caller) {
    agents::ChatRequest chat;
    chat.principal = caller.principal;
    chat.alias = body.model.alias;
    chat.messages = body.messages;
    if (body.model.tool_choice.kind != router::ToolChoice::Kind::none) chat.client_tools = body.model.tools;
    chat.prompts = body.prompts;
    chat.sampling = body.model.sampling;
    if (body.limited) chat.max_tokens = body.model.max_tokens;
    return chat;
}

net::Task<Response> answer_agent(ChatBody body, Request request, Caller caller, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (auto refused = refused_by_agent(body, caller)) co_return *refused;
    const auto cancel = cancel_on_disconnect(request);
    if (!cancel) co_return error_response(cancel.error(), "X-Hearth-On-Disconnect");
    agents::ChatRequest chat = agent_request(body, caller);
    chat.ends_with_client = *cancel;
    auto no_folder = co_await open_workspace(request, caller, body.workspace, chat, services);
    if (no_folder) co_return *std::move(no_folder);
    if (const std::string& id = request.header("x-hearth-conversation"); !id.empty()) {
        const auto conversation = base::ConversationId::parse(id);
        if (!conversation) co_return error_response(404, "there is no conversation '" + id + "'", "not_found", "X-Hearth-Conversation");
        chat.conversation = *conversation;
    }
    if (body.stream) {
        auto job = make_job(executor, body, *cancel ? request.gone : base::StopToken(), services);
        chat.stop = job->stop.token();
        co_return co_await stream(job, stream_agent(job, std::move(chat), services), services, *cancel);
    }
    const base::StopSource stop = *cancel ? base::StopSource(request.gone) : base::StopSource();
    chat.stop = stop.token();
    const std::string alias = chat.alias;
    const bool include_reasoning = body.include_reasoning;
    const agents::EventSink nobody;
    auto result = co_await services.agents.chat(std::move(chat), nobody);
    if (!result) co_return error_response(result.error());
    if (!include_reasoning) result->reasoning.clear();
    const auto failure = failure_of(*result);
    Response response = failure ? error_response(*failure) : json_response(completion(alias, *result, services.clock.now()));
    name_run(response, result->run, result->conversation);
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
