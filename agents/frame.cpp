#include "agents/frame.h"

#include <algorithm>

#include "agents/characters.h"
#include "agents/events.h"
#include "agents/journal.h"
#include "agents/loading.h"
#include "agents/schedule.h"
#include "agents/steer.h"
#include "agents/transcript.h"
#include "router/chat_stream.h"
#include "router/gateway.h"
#include "router/usage.h"
#include "store/traces.h"

namespace agents {
namespace {

using base::Code;
using base::Json;

std::vector<router::ToolSchema> names_of(const router::ToolMenu& tools) {
    std::vector<router::ToolSchema> out;
    for (const auto& tool : tools) out.push_back({tool.name, {}, {}});
    return out;
}

// What was sent, as the messages that differ from the run's previous call: phases share a prefix,
// and a trace that repeated it would grow with the square of the rounds.
Json sent_json(Frame& frame, const router::ModelRequest& request) {
    Json messages = Json::array();
    std::vector<std::string> now;
    for (const auto& message : request.messages) {
        messages.push_back(Json(router::message_to_json(message)));
        if (message.trusted != (message.role != router::MessageRole::tool)) messages.back()["trusted"] = message.trusted;
        now.push_back(base::dump(messages.back()));
    }
    const auto [mine, theirs] = std::mismatch(now.begin(), now.end(), frame.sent.begin(), frame.sent.end());
    messages.erase(messages.begin(), messages.begin() + (mine - now.begin()));
    router::ModelRequest rest = request;
    rest.messages.clear();
    // Schemas once a run: they are the same in all its calls.
    const bool known = request.tools == frame.sent_tools;
    if (known) rest.tools = names_of(request.tools);
    base::OrderedJson body = router::chat_body(rest, request.alias);
    // Schemas as text: a model reads their keys, and writes by them, in order.
    if (request.response_schema) body["response_format"]["json_schema"]["schema"] = request.response_schema->dump();
    if (!known)
        for (std::size_t i = 0; i < request.tools.size(); ++i) body["tools"][i]["function"]["parameters"] = request.tools[i].parameters.dump();
    Json out(std::move(body));
    out["messages_from"] = mine - now.begin();
    out["messages"] = std::move(messages);
    if (known)
        for (Json& tool : out["tools"]) tool = tool["function"]["name"];
    out["thinking"] = request.enable_thinking;
    if (!request.answer_rules.empty()) out["answer_rules"] = request.answer_rules;
    if (request.end_circles) out["end_circles"] = true;
    if (request.tool_choice.kind != router::ToolChoice::Kind::none && !request.tools.empty()) out["most_calls"] = request.tool_choice.most;
    frame.sent = std::move(now);
    frame.sent_tools = request.tools;
    return out;
}

// Tokens of the context that a reply must find free: an answer of a few words is none.
int room_of(const Frame& frame, const router::ModelRequest& request) {
    const int context = frame.parts.gateway.capabilities(request.alias).context;
    return std::max(1, std::min(request.max_tokens, context / 16));
}

router::Urgency urgency_of(const policy::Principal& principal) {
    if (principal.via == "nightly") return router::Urgency::night;
    return is_scheduled(principal) ? router::Urgency::schedule : router::Urgency::person;
}

std::string step_key(const Frame& frame) { return frame.within + "model:" + std::to_string(frame.sums.model_steps); }

store::StepIntent intent_of(const Frame& frame, const router::ModelRequest& request) {
    store::StepIntent intent;
    intent.kind = "model";
    intent.name = request.alias;
    intent.effect = "pure";
    intent.effect_key = step_key(frame);
    intent.input = {{"purpose", request.purpose}, {"messages", request.messages.size()}, {"max_tokens", request.max_tokens}, {"digest", digest_of(request, frame.writer.redactor())}};
    return intent;
}

}  // namespace

std::vector<std::string> prompt_names(const Cast& cast, const std::string& agent) {
    std::vector<std::string> names = {"answer_tool", "claim_act", "claim_answer", "language", "plain", "grounding", "critic"};
    for (std::string& name : standing_prompts()) names.push_back(std::move(name));
    const AgentRow* const row = cast.find(agent);
    if (!row) return names;
    std::vector<const AgentRow*> rows = {row};
    for (const std::string& asked : row->asks)
        if (const AgentRow* const other = cast.find(asked)) rows.push_back(other);
    if (asks_characters(*row)) names.push_back(kCharacterPrompt);
    for (const AgentRow* one : rows)
        for (const std::string& name : {one->prompt, one->examples, one->answer, one->answer_examples})
            if (!name.empty()) names.push_back(name);
    if (row->machine == AgentRow::Machine::pipeline)
        names.insert(names.end(), {"intake", "tool_use", "tool_use_examples", "retrieve", "copilot", "thinking", "recompose", "machine_talk", "machine_act",
                                   "machine_explain"});
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Zone household_clock(const Frame& frame) { return Zone::known(frame.zone); }

prompts::Variables prompt_variables(const Frame& frame) {
    const auto day = std::chrono::floor<std::chrono::days>(household_clock(frame).local(frame.began));
    return {{"date", date_text(day)}, {"workspace", frame.workspace ? frame.workspace->root().string() : "(none)"}};
}

void Frame::emit(ChatEvent event) const {
    event.run = run;
    event.conversation = conversation;
    if (told && event.kind != ChatEvent::Kind::done) told->tell(event);
    if (sink) sink(event);
}

base::Result<std::string> prompt(const Frame& frame, const std::string& name, const prompts::Variables& variables) {
    const auto found = frame.prompts.find(name);
    if (found == frame.prompts.end())
        return base::error(Code::not_found, "no agent reads a prompt \"" + name + "\"");
    auto text = prompts::render(found->second.body, variables);
    if (!text) return base::error(Code::invalid_argument, "prompt " + name + ": " + text.error().message);
    while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
    return text;
}

base::Span span_of(const Frame& frame, base::SpanId id, base::SpanId parent, const char* kind, const std::string& name) {
    base::Span span;
    span.id = id;
    span.parent = parent;
    span.run = frame.run;
    span.tenant = frame.who.tenant;
    span.person = frame.who.person;
    span.kind = kind;
    span.name = name;
    span.started = frame.parts.clock.now();
    return span;
}

std::chrono::microseconds since(const Frame& frame, base::SteadyPoint start) {
    return std::chrono::duration_cast<std::chrono::microseconds>(frame.parts.clock.steady() - start);
}

namespace {

// The reply of the step as an earlier holder of the run got it, if it did.
std::optional<base::Result<router::ModelReply>> recorded(Frame& frame, const store::StepIntent& intent) {
    const store::Step* const before = frame.writer.recorded(intent.effect_key);
    if (!before) return std::nullopt;
    if (!frame.writer.agrees(*before, intent))
        frame.parts.log.warn("a prompt differs from the one before the run was taken over", {{"run", frame.run.text()}, {"step", intent.effect_key}});
    if (before->state == "intent") return std::nullopt;
    return reply_of(before->outcome);
}

void count(Frame& frame, const router::ModelReply& reply) {
    frame.sums.usage += reply.usage;
    frame.sums.model = reply.model;
}

// What it said is said again to whoever listens.
void retell(const router::ModelReply& reply, const router::DeltaSink& sink) {
    using Kind = router::ModelDelta::Kind;
    for (const auto& [kind, text] : {std::pair{Kind::reasoning, reply.message.reasoning}, {Kind::content, reply.message.text()}}) {
        if (!sink || text.empty()) continue;
        router::ModelDelta delta;
        delta.kind = kind;
        delta.text = text;
        sink(delta);
    }
}

// Whoever waits at a connection hears at once that nothing of the chain answers. A run that nobody waits for has until its end for the
// model that still loads, unless part of an answer was told already.
net::Task<base::Result<router::ModelReply>> reply_of_chain(const Frame& frame, const router::ModelRequest& request, const router::DeltaSink& sink) {
    bool begun = false;
    router::DeltaSink told;
    if (sink)
        told = [&](const router::ModelDelta& delta) {
            begun = true;
            sink(delta);
        };
    for (;;) {
        const bool loads = !frame.sink && is_loading(frame.parts.gateway, request.alias);  // before: meanwhile it may get ready
        base::Result<router::ModelReply> reply = co_await frame.parts.gateway.generate(request, told);
        if (reply || reply.error().code != Code::unavailable || !loads || begun) co_return reply;
        co_await await_loaded(frame.parts.gateway, request.alias, request.stop);
        if (request.stop.stopped()) co_return request.stop.error("the model's loading");
    }
}

}  // namespace

net::Task<base::Result<router::ModelReply>> model_step(Frame& frame, router::ModelRequest request, base::SpanId parent,
                                                       router::DeltaSink sink) {
    if (frame.tokens_left() <= 0)
        co_return base::error(Code::resource_exhausted, "the run's budget of " + std::to_string(frame.output_budget) +
                                                            " output tokens is used up");
    request.max_tokens = std::min(request.max_tokens, frame.tokens_left());
    request.cache_salt = frame.who.person.text();
    request.on_behalf = {frame.who.tenant, frame.who.person, frame.row->name, frame.conversation};
    request.urgency = urgency_of(frame.principal);
    request.reply_room = room_of(frame, request);
    if (frame.within.empty()) co_await take_inputs(frame, request, step_key(frame));  // who was asked knows its task alone
    const store::StepIntent intent = intent_of(frame, request);
    ++frame.sums.model_steps;
    auto before = recorded(frame, intent);
    if (before) {
        if (*before) {
            count(frame, **before);
            retell(**before, sink);
        }
        co_return *std::move(before);
    }
    const std::string purpose = request.purpose;
    base::Span span = span_of(frame, base::SpanId::make(frame.parts.clock.now()), parent, "model", purpose);
    const auto start = frame.parts.clock.steady();

    const base::StepId step = co_await frame.writer.begin(intent);
    const router::CallRecord record(request.on_behalf, request.alias, request.purpose, frame.parts.clock);
    base::Result<router::ModelReply> reply = co_await reply_of_chain(frame, request, sink);
    std::size_t cut = 0;
    while (!reply && reply.error().code == Code::context_length_exceeded) {
        const std::size_t more = shorten_longest_result(request.messages);
        if (more == 0) break;
        cut += more;
        reply = co_await reply_of_chain(frame, request, sink);
    }
    span.body["sent"] = sent_json(frame, request);

    store::ModelCall call = record.ended(reply, span.id, frame.run);
    // Of a run that is left the call is made again, and was made all the same.
    if (frame.writer.left())
        frame.parts.traces.emit(std::move(call));
    else
        frame.writer.emit(std::move(call));
    const Json outcome = outcome_of(reply);
    span.duration = since(frame, start);
    if (reply) {
        count(frame, *reply);
        span.body["reply"] = outcome["message"];
        span.attributes = outcome;
        span.attributes.erase("message");
    } else {
        span.error = reply.error().text();
    }
    span.attributes["alias"] = intent.name;
    if (cut > 0) span.attributes["result_bytes_cut"] = cut;
    frame.writer.emit(std::move(span));
    std::string state = reply ? "done" : "failed";
    co_await frame.writer.end(intent, step, std::move(state), outcome);
    co_return reply;
}

tools::Dispatch dispatch_of(Frame& frame, tools::Ports& ports, const base::StopToken& stop) {
    return {*frame.menu,
            frame.writer,
            frame.writer,
            frame.parts.clock,
            frame.parts.log,
            frame.row->scope,
            {frame.principal, frame.workspace.get(), frame.parts.launcher, frame.parts.blocking, &ports, stop,
             std::size_t(frame.options.max_tool_result_chars)},
            frame.effects,
            frame.parts.db,
            frame.parts.rules,
            frame.parts.secrets};
}

}  // namespace agents
