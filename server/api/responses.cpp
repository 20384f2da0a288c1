// POST /v1/responses: a bare model by its alias, or an agent by its own, asked in items.
#include "server/api/agent_answer.h"
#include "server/api/completion_shapes.h"
#include "server/api/handlers.h"
#include "server/api/model_call.h"
#include "server/api/response_items.h"
#include "server/api/response_object.h"
#include "server/api/responses_request.h"
#include "server/api/stored_responses.h"
#include "server/api/stream_job.h"
#include "server/failure.h"

namespace server::api {
namespace {

using Failure = std::optional<base::Error>;

// An answer under way, streamed or not.
struct Answer {
    Answer(const ResponsesBody& body, const Caller& caller, base::TimePoint now, ResponseObject::Tell tell = {})
        : object(body.echo, store::ResponseId::make(now), now, std::move(tell)), who(agents::identity_of(caller.principal)), stored(body.store) {
        kept.input = body.input;
        kept.previous = store::parse_response_id(body.previous).value_or(store::ResponseId{});
    }

    ResponseObject object;
    store::Identity who;
    bool stored;
    store::StoredResponse kept;                         // run and conversation of an agent, once they are known
    base::Json tools = base::Json::array();             // that an agent ran
    std::function<void(const store::StoredResponse&)> named{};  // called when run and conversation are known
};

struct ResponseJob final : StreamJob {
    ResponseJob(boost::asio::any_io_executor executor, const base::StopToken& gone, const ResponsesBody& body, const Caller& caller, base::TimePoint now)
        : StreamJob(executor, gone, body.chat.model.tools, *body.chat.names), answer(body, caller, now, [to = queue](const std::string& type, const base::Json& event) {
              to->push(sse_event(base::dump(event), type));
          }) {
        answer.named = [this](const store::StoredResponse& kept) {
            run = kept.run;
            conversation = kept.conversation;
        };
    }

    void taken_in() override {
        if (begins_at_once) answer.object.begin();
    }

    Answer answer;
    bool begins_at_once = true;  // a run has its name only when its turn has come

private:
    void tell_failure(const base::Error& error, const std::string& envelope) override {
        if (!answer.object.begun()) {
            const base::Json param = base::parse_json(envelope).value()["error"]["param"];
            return queue->push(sse_event(base::dump(error_event(error, param)), "error"));
        }
        answer.object.fail(error);
        answer.object.end();
    }
};

net::Task<void> keep(Answer& answer, Services& services) {
    if (!answer.stored) co_return;
    answer.kept.id = answer.object.id();
    answer.kept.body = answer.object.json();
    auto write = [&](store::Tx& tx) { store::keep_response(tx, answer.kept); };
    co_await services.db.run(answer.who, write);
}

// So that the run's response is found by whoever lost its stream, even where another process ends the run.
net::Task<void> keep_beginning(store::Identity who, store::StoredResponse begun, Services& services) {
    auto write = [&](store::Tx& tx) { store::keep_beginning(tx, begun); };
    co_await services.db.run(who, write);
}

net::Task<Failure> ask_model(Answer& answer, router::ModelRequest request, Services& services) {
    router::DeltaSink sink = [&answer](const router::ModelDelta& delta) { answer.object.delta(delta); };
    const auto reply = co_await call_model(std::move(request), sink, services);
    if (!reply) co_return reply.error();
    answer.object.complete(reply->message.text(), reply->message.reasoning, reply->message.tool_calls);
    answer.object.settle(reply->finish, reply->usage, services.clock.now());
    if (reply->finish != router::FinishReason::cancelled) co_await keep(answer, services);
    co_return std::nullopt;
}

// The input is committed: from here on the response is named after the run.
void begin_run(Answer& answer, const agents::ChatEvent& event) {
    answer.kept.run = event.run;
    answer.kept.conversation = event.conversation;
    answer.object.json()["metadata"]["hearth_run_id"] = event.run.text();
    answer.object.rename({event.run.value});
    if (answer.named) answer.named(answer.kept);
    answer.object.begin();
    answer.kept.id = answer.object.id();
    answer.kept.body = answer.object.json();
}

void hear(Answer& answer, const agents::ChatEvent& event) {
    using Event = agents::ChatEvent::Kind;
    using Kind = router::ModelDelta::Kind;
    if (event.kind == Event::run_started) begin_run(answer, event);
    if (event.kind == Event::text) answer.object.delta({Kind::content, event.text, -1, {}});
    if (event.kind == Event::reasoning) answer.object.delta({Kind::reasoning, event.text, -1, {}});
    if (event.kind == Event::tool_call) answer.object.comment();
    if (event.kind == Event::tool_result) answer.tools.push_back({{"name", event.name}, {"ok", event.data.value("ok", base::Json())}});
}

net::Task<Failure> ask_agent(Answer& answer, agents::ChatRequest request, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    agents::EventSink sink = [&answer, &services, executor](const agents::ChatEvent& event) {
        hear(answer, event);
        if (event.kind != agents::ChatEvent::Kind::run_started || !answer.stored) return;
        const auto failed = [&services](std::exception_ptr e) { explain(e, "storing the beginning of a response", services); };
        net::spawn(executor, keep_beginning(answer.who, answer.kept, services), failed);
    };
    const auto result = co_await services.agents.chat(std::move(request), sink);
    if (!result) co_return result.error();
    const Failure failure = failure_of(*result);
    if (result->final_state == "interrupted") co_return failure;  // the run goes on, and its response with it
    if (!failure) {
        answer.object.complete(result->response, result->reasoning, result->client_calls);
        answer.object.settle(result->finish, result->usage, services.clock.now());
    }
    if (failure || result->final_state == "failed") answer.object.fail(failure ? *failure : result->error);
    base::Json facts = agent_facts(*result);
    facts["tools"] = answer.tools;
    answer.object.json()["hearth"] = std::move(facts);
    co_await keep(answer, services);
    co_return failure;
}

net::Task<void> feed(std::shared_ptr<ResponseJob> job, net::Task<Failure> work) {
    const Failure failure = co_await std::move(work);
    if (failure) co_return job->fail(*failure);
    job->answer.object.end();
    job->queue->finish();
}

net::Task<Response> whole(std::shared_ptr<Answer> answer, net::Task<Failure> work, router::ToolMenu tools, const FieldNames& names) {
    const Failure failure = co_await std::move(work);
    Response response = failure ? refusal_of(*failure, tools, names) : json_response(answer->object.json());
    name_run(response, answer->kept.run, answer->kept.conversation);
    co_return response;
}

net::Task<Response> answer_model(ResponsesBody body, std::vector<router::Message> messages, Request request, Caller caller, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    if (!body.instructions.empty()) messages.insert(messages.begin(), router::Message::make(router::MessageRole::system, body.instructions));
    const auto now = services.clock.now();
    router::ModelRequest asked = model_request(body.chat, caller);
    asked.messages = std::move(messages);
    if (body.chat.stream) {
        auto job = std::make_shared<ResponseJob>(executor, request.gone, body, caller, now);
        asked.stop = job->stop.token();
        asked.loose = job->loose;
        co_return co_await stream(job, feed(job, ask_model(job->answer, std::move(asked), services)), services, true);
    }
    const base::StopSource stop(request.gone);
    asked.stop = stop.token();
    auto answer = std::make_shared<Answer>(body, caller, now);
    const auto loose = asked.loose = std::make_shared<std::vector<text::LooseTool>>();
    Response response = co_await whole(answer, ask_model(*answer, std::move(asked), services), body.chat.model.tools, *body.chat.names);
    name_loose(response, *loose, *body.chat.names);
    co_return response;
}

net::Task<Response> answer_agent(ResponsesBody body, agents::ChatRequest chat, bool cancel, Request request, Caller caller, Services& services) {
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto now = services.clock.now();
    chat.ends_with_client = cancel;
    const base::StopToken gone = cancel ? request.gone : base::StopToken();
    if (body.chat.stream) {
        auto job = std::make_shared<ResponseJob>(executor, gone, body, caller, now);
        job->begins_at_once = false;
        chat.stop = job->stop.token();
        co_return co_await stream(job, feed(job, ask_agent(job->answer, std::move(chat), services)), services, cancel);
    }
    const base::StopSource stop(gone);
    chat.stop = stop.token();
    auto answer = std::make_shared<Answer>(body, caller, now);
    co_return co_await whole(answer, ask_agent(*answer, std::move(chat), services), body.chat.model.tools, *body.chat.names);
}

// All messages of the request; of a conversation that goes on, those that are new.
base::Result<std::vector<router::Message>> messages_of(const ResponsesBody& body, const Earlier& earlier, bool agent, std::string& param) {
    ItemReader reader;
    const bool goes_on = !earlier.conversation.is_nil();
    for (const auto& one : earlier.chain)
        for (const base::Json* items : {&one.input, &one.body["output"]})
            if (auto fine = reader.read_stored(goes_on && items == &one.input ? base::Json::array() : *items); !fine) return std::move(fine).error();
    const std::size_t known = goes_on ? reader.size() : 0;
    for (std::size_t i = 0; i < body.input.size(); ++i)
        if (auto fine = reader.read(body.input[i], "input[" + std::to_string(i) + "]"); !fine) {
            param = reader.param();
            return std::move(fine).error();
        }
    param = "input";
    if (auto fine = reader.check_answered(); !fine && !agent) return std::move(fine).error();
    std::vector<router::Message> messages = std::move(reader).take();
    messages.erase(messages.begin(), messages.begin() + std::ptrdiff_t(known));
    const bool asks = !messages.empty() && (messages.back().role == router::MessageRole::user || messages.back().role == router::MessageRole::tool);
    if (agent && !asks) return base::error(base::Code::invalid_argument, "the last item of input must be the person's message or a function_call_output");
    return messages;
}

net::Task<Response> ask(ResponsesBody body, Request request, Caller caller, Services& services) {
    const std::string alias = body.chat.model.alias;
    const bool agent = agents::is_agent(alias);
    auto refused = agent ? refused_by_agent(body.chat, caller, services) : no_such_model(alias, services);
    if (refused) co_return *std::move(refused);
    if (!agent && body.echo["truncation"] == "auto")
        co_return error_response(400, "truncation auto is not supported by '" + alias + "'; an agent leaves out the oldest turns by itself", "unsupported", "truncation");
    Earlier earlier;
    if (!body.previous.empty()) {
        auto found = co_await earlier_responses(body.previous, agent, caller, services);
        if (!found) co_return error_response(found.error(), "previous_response_id");
        earlier = *std::move(found);
    }
    std::string param;
    auto messages = messages_of(body, earlier, agent, param);
    if (!messages) co_return error_response(messages.error(), param);
    if (!agent) co_return co_await answer_model(std::move(body), *std::move(messages), std::move(request), std::move(caller), services);

    const auto cancel = cancel_on_disconnect(request);
    if (!cancel) co_return error_response(cancel.error(), "X-Hearth-On-Disconnect");
    agents::ChatRequest chat = agent_request(body.chat, caller);
    chat.joins = false;  // a response is a run's
    for (const auto& message : *messages) chat.messages.emplace_back(router::message_to_json(message));
    chat.instructions = body.instructions;
    auto no_folder = co_await open_workspace(request, caller, body.chat.workspace, chat, services);
    if (no_folder) co_return *std::move(no_folder);
    if (auto unknown = join_conversation(request, chat)) co_return *unknown;
    if (!body.previous.empty() && !chat.conversation.is_nil())
        co_return error_response(400, "X-Hearth-Conversation and previous_response_id both name what goes on; send one of them", "invalid_argument", "previous_response_id");
    if (!earlier.conversation.is_nil()) {
        chat.conversation = earlier.conversation;
        chat.newest = earlier.chain.back().run;  // others may go on from it at the same moment
    }
    co_return co_await answer_agent(std::move(body), std::move(chat), *cancel, std::move(request), std::move(caller), services);
}

}  // namespace

net::Task<Response> create_response(Request request, Caller caller, Services& services) {
    std::string param;
    auto body = read_responses_body(request.body, param);
    if (!body) co_return error_response(body.error(), param);
    if (body->chat.model.alias.empty()) co_return error_response(400, "model is missing; GET /v1/models lists what there is", "invalid_argument", "model");
    const auto ignored = body->chat.ignored;
    Response response = co_await ask(*std::move(body), std::move(request), std::move(caller), services);
    name_ignored(response, ignored);
    co_return response;
}

}  // namespace server::api
