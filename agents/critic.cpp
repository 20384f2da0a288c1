#include "agents/critic.h"

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "agents/honesty.h"
#include "agents/journal.h"
#include "router/gateway.h"
#include "router/usage.h"
#include "store/traces.h"

namespace agents {
namespace {

using base::Code;
using base::Json;
using namespace std::chrono_literals;

constexpr const char* kPhase = "critic";
constexpr std::size_t kMostWaiting = 100;  // the oldest goes first
constexpr int kMostTries = 20;             // others were answered each time
constexpr auto kPause = 1s, kDeadline = 60s;
constexpr int kReplyTokens = 160, kMostOfWhy = 240;

struct Case {
    store::Identity who;
    router::OnBehalf on_behalf;
    base::RunId run;
    base::SpanId root;
    router::Message asked;
    int tries = 0;
};

}  // namespace

base::OrderedJson verdict_schema() {
    return {{"type", "object"},
            {"properties", {{"why", {{"type", "string"}, {"minLength", 1}, {"maxLength", kMostOfWhy}}}, {"verdict", {{"enum", {"pass", "fail"}}}}}},
            {"required", {"why", "verdict"}},
            {"additionalProperties", false}};
}

base::Result<Verdict> parse_verdict(const std::string& reply) {
    const auto json = base::parse_json(reply);
    if (!json) return json.error();
    if (!json->is_object() || !json->contains("verdict") || !json->contains("why") || !(*json)["verdict"].is_string() || !(*json)["why"].is_string())
        return base::error(Code::corrupt, "the critic's reply is no verdict");
    const auto& verdict = (*json)["verdict"].get_ref<const std::string&>();
    if (verdict != "pass" && verdict != "fail") return base::error(Code::corrupt, "the critic's verdict is '" + verdict + "'");
    return Verdict{verdict == "pass", (*json)["why"].get<std::string>()};
}

struct Critic::State {
    State(const Parts& p, const Options& o) : parts(p) {
        if (const auto found = o.phase_alias.find(kPhase); found != o.phase_alias.end()) alias = found->second;
    }

    std::optional<Case> next() {
        const std::lock_guard lock(mutex);
        if (closed || waiting.empty()) return std::nullopt;
        Case out = std::move(waiting.front());
        waiting.pop_front();
        asking = base::StopSource();
        busy = true;
        return out;
    }

    // True: it is to be asked again.
    bool put_back(Case one) {
        const std::lock_guard lock(mutex);
        busy = false;
        if (closed) return false;
        if (++one.tries >= kMostTries) {
            give_up(one, "others were answered first each of " + std::to_string(kMostTries) + " times");
            return false;
        }
        waiting.push_front(std::move(one));
        return true;
    }

    void give_up(const Case& one, const std::string& why) const {
        parts.log.warn("a reply is not judged", {{"run", one.run.text()}, {"reason", why}});
        parts.metrics.add("hearth_verdicts_total", 1, {{"verdict", "dropped"}});
    }

    void done() {
        const std::lock_guard lock(mutex);
        busy = false;
    }

    void emit(const Case& one, base::Span span, const base::Result<router::ModelReply>& reply, const router::CallRecord& record) const {
        span.attributes = {{"alias", alias}};
        if (reply) {
            span.body["reply"] = reply->message.text();
            span.attributes["backend"] = reply->backend;
            span.attributes["model"] = reply->model;
            span.attributes["usage"] = usage_to_json(reply->usage);
        }
        const auto verdict = reply ? parse_verdict(reply->message.text()) : base::Result<Verdict>(reply.error());
        const std::string outcome = !verdict ? "none" : verdict->pass ? "pass" : "fail";
        if (verdict) span.attributes.update({{"verdict", outcome}, {"why", verdict->why}});
        else span.error = verdict.error().text();
        span.body["asked"] = one.asked.text();
        parts.metrics.add("hearth_verdicts_total", 1, {{"verdict", outcome}});
        parts.traces.emit(record.ended(reply, span.id, one.run));
        store::TelemetryEvent event;
        event.event = "GRAPH_NODE_DONE";
        event.node = kPhase;
        event.latency_ms = double(span.duration.count()) / 1000.0;
        event.error = span.error;
        event.tenant = one.who.tenant;
        event.person = one.who.person;
        event.run = one.run;
        parts.traces.emit(std::move(event));
        parts.traces.emit(std::move(span));
    }

    const Parts& parts;
    std::string alias;  // empty: nothing is judged
    mutable std::mutex mutex;
    std::deque<Case> waiting;
    base::StopSource asking;
    bool working = false, busy = false, closed = false;
};

namespace {

template <class State>
struct Working {
    std::shared_ptr<State> state;
    ~Working() {
        const std::lock_guard lock(state->mutex);
        state->working = state->busy = false;
    }
};

template <class State>
net::Task<void> judge_all(std::shared_ptr<State> state) {
    {
        const std::lock_guard lock(state->mutex);
        if (std::exchange(state->working, true)) co_return;
    }
    const Working<State> working{state};
    const router::DeltaSink nobody;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (auto one = state->next()) {
        const base::Clock& clock = state->parts.clock;
        base::Span span;
        span.id = base::SpanId::make(clock.now());
        span.parent = one->root;
        span.run = one->run;
        span.tenant = one->who.tenant;
        span.person = one->who.person;
        span.kind = "phase";
        span.name = kPhase;
        span.started = clock.now();
        const auto start = clock.steady();
        const base::StopSource timed(state->asking.token(), std::chrono::steady_clock::now() + kDeadline);
        router::ModelRequest request;
        request.alias = state->alias;
        request.purpose = kPhase;
        request.messages.push_back(one->asked);
        request.tool_choice.kind = router::ToolChoice::Kind::none;
        request.response_schema = verdict_schema();
        request.sampling.temperature = 0;
        request.max_tokens = kReplyTokens;
        request.cache_salt = one->who.person.text();
        request.on_behalf = one->on_behalf;
        request.stop = timed.token();
        const router::CallRecord record(request.on_behalf, request.alias, request.purpose, clock);
        const auto reply = co_await state->parts.gateway.generate(std::move(request), nobody);
        const bool given_way = reply ? reply->finish == router::FinishReason::cancelled : reply.error().code == Code::cancelled;
        if (!given_way) {
            span.duration = std::chrono::duration_cast<std::chrono::microseconds>(clock.steady() - start);
            state->emit(*one, std::move(span), reply, record);
            state->done();
            continue;
        }
        if (!state->put_back(*std::move(one))) continue;
        timer.expires_after(kPause);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

}  // namespace

Critic::Critic(const Parts& parts, const Options& options) : state_(std::make_shared<State>(parts, options)) {}
Critic::~Critic() { close(); }

void Critic::add(const Frame& frame, const Turn& turn) {
    if (state_->alias.empty() || turn.state != "answered") return;
    auto asked = prompt(frame, kPhase, {{"request", turn.request}, {"steps", evidence_of(frame, turn.request, {}).listed()}, {"answer", turn.answer}});
    if (!asked) {
        frame.parts.log.warn("a reply is not judged", {{"run", frame.run.text()}, {"error", asked.error().text()}});
        return;
    }
    Case one{frame.who, {frame.who.tenant, frame.who.person, frame.row->name, frame.conversation}, frame.run, frame.root, router::Message::make(router::MessageRole::user, *std::move(asked))};
    one.asked.trusted = turn.label == policy::Integrity::trusted;
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() >= kMostWaiting) {
        state_->give_up(state_->waiting.front(), std::to_string(kMostWaiting) + " newer ones wait");
        state_->waiting.pop_front();
    }
    state_->waiting.push_back(std::move(one));
}

bool Critic::has_work() const {
    const std::lock_guard lock(state_->mutex);
    return !state_->closed && !state_->working && !state_->waiting.empty();
}

net::Task<void> Critic::work() const { return judge_all(state_); }

void Critic::close() {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    state_->waiting.clear();
    state_->asking.request_stop();
}

bool Critic::busy() const {
    const std::lock_guard lock(state_->mutex);
    return state_->busy;
}

}  // namespace agents
