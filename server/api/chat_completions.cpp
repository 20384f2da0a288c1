// POST /v1/chat/completions: a bare model by its alias, or an agent by its own.
#include <utility>

#include "server/api/agent_answer.h"
#include "server/api/chat_request.h"
#include "server/api/completion_shapes.h"
#include "server/api/handlers.h"
#include "server/api/model_call.h"
#include "server/api/stream_job.h"

namespace server::api {
namespace {

struct ChunkJob final : StreamJob {
    ChunkJob(boost::asio::any_io_executor executor, const ChatBody& body, const base::StopToken& gone, base::TimePoint now)
        : StreamJob(executor, gone, body.model.tools, *body.names),
          shapes(completion_id(base::Uuid::v7(now).text()), body.model.alias, now, body.include_usage),
          include_usage(body.include_usage),
          include_reasoning(body.include_reasoning) {}

    void begin() {
        if (!std::exchange(begun_, true)) queue->push(sse_event(base::dump(shapes.begin())));
    }
    void push(const base::Json& chunk) {
        begin();
        queue->push(sse_event(base::dump(chunk)));
    }
    void push(const router::ModelDelta& delta) {
        if (delta.kind != router::ModelDelta::Kind::reasoning || include_reasoning) push(shapes.delta(delta));
    }
    void finish(const router::Usage& usage, router::FinishReason reason, const base::Json& extra) {
        base::Json last = shapes.finish(reason);
        if (!extra.is_null()) last["hearth"] = extra;
        push(last);
        if (include_usage) push(shapes.usage(usage));
        queue->push(sse_event("[DONE]"));
        queue->finish();
    }

    ChunkShapes shapes;
    bool include_usage, include_reasoning;

private:
    void tell_failure(const base::Error&, const std::string& envelope) override {
        queue->push(sse_event(envelope));
        queue->push(sse_event("[DONE]"));
    }
    bool begun_ = false;
};

net::Task<void> stream_model(std::shared_ptr<ChunkJob> job, router::ModelRequest request, Services& services) {
    request.stop = job->stop.token();
    request.loose = job->loose;
    router::DeltaSink sink = [job](const router::ModelDelta& delta) { job->push(delta); };
    auto reply = co_await call_model(std::move(request), sink, services);
    if (!reply) co_return job->fail(reply.error());
    job->finish(reply->usage, reply->finish, nullptr);
}

// The input is committed: from here on it is a stream, named after the run.
void begin_run(ChunkJob& job, const agents::ChatEvent& event) {
    job.run = event.run;
    job.conversation = event.conversation;
    job.shapes.rename(completion_id(event.run.text()));
    job.begin();
}

net::Task<void> stream_agent(std::shared_ptr<ChunkJob> job, agents::ChatRequest request, Services& services) {
    agents::EventSink sink = [job](const agents::ChatEvent& event) {
        using Event = agents::ChatEvent::Kind;
        using Kind = router::ModelDelta::Kind;
        if (event.kind == Event::run_started) begin_run(*job, event);
        if (event.kind == Event::text) job->push(router::ModelDelta{Kind::content, event.text, -1, {}});
        if (event.kind == Event::reasoning) job->push(router::ModelDelta{Kind::reasoning, event.text, -1, {}});
    };
    auto result = co_await services.agents.chat(std::move(request), sink);
    if (!result) co_return job->fail(result.error());
    if (const auto failure = failure_of(*result)) co_return job->fail(*failure);
    for (std::size_t i = 0; i < result->client_calls.size(); ++i)
        job->push(job->shapes.whole_call(result->client_calls[i], int(i)));
    job->finish(result->usage, result->finish, agent_facts(*result));
}

net::Task<Response> answer_model(ChatBody body, Request request, Caller caller, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (auto unknown = no_such_model(body.model.alias, services)) co_return *unknown;
    if (body.stream) {
        auto job = std::make_shared<ChunkJob>(executor, body, request.gone, services.clock.now());
        co_return co_await stream(job, stream_model(job, model_request(std::move(body), caller), services), services, true);
    }
    const bool include_reasoning = body.include_reasoning;
    const FieldNames& names = *body.names;
    router::ModelRequest asked = model_request(std::move(body), caller);
    base::StopSource stop(request.gone);
    asked.stop = stop.token();
    const std::string alias = asked.alias;
    const router::ToolMenu tools = asked.tools;
    const auto loose = asked.loose = std::make_shared<std::vector<text::LooseTool>>();
    const router::DeltaSink nobody;
    auto reply = co_await call_model(std::move(asked), nobody, services);
    if (!reply) co_return refusal_of(reply.error(), tools, names);
    if (!include_reasoning) reply->message.reasoning.clear();
    Response response = json_response(completion(alias, *reply, services.clock.now()));
    name_loose(response, *loose, names);
    co_return response;
}

net::Task<Response> answer_agent(ChatBody body, Request request, Caller caller, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (auto refused = refused_by_agent(body, caller, services)) co_return *refused;
    const auto cancel = cancel_on_disconnect(request);
    if (!cancel) co_return error_response(cancel.error(), "X-Hearth-On-Disconnect");
    agents::ChatRequest chat = agent_request(body, caller);
    chat.ends_with_client = *cancel;
    auto no_folder = co_await open_workspace(request, caller, body.workspace, chat, services);
    if (no_folder) co_return *std::move(no_folder);
    if (auto unknown = join_conversation(request, chat)) co_return *unknown;
    if (body.stream) {
        auto job = std::make_shared<ChunkJob>(executor, body, *cancel ? request.gone : base::StopToken(), services.clock.now());
        chat.stop = job->stop.token();
        co_return co_await stream(job, stream_agent(job, std::move(chat), services), services, *cancel);
    }
    const base::StopSource stop = *cancel ? base::StopSource(request.gone) : base::StopSource();
    chat.stop = stop.token();
    const std::string alias = chat.alias;
    const bool include_reasoning = body.include_reasoning;
    const agents::EventSink nobody;
    auto result = co_await services.agents.chat(std::move(chat), nobody);
    if (!result) co_return refusal_of(result.error(), body.model.tools, *body.names);
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
