#include "agents/service.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "agents/agents_impl.h"
#include "agents/characters.h"
#include "agents/journal.h"
#include "agents/layout.h"
#include "agents/reply/inert.h"
#include "agents/reply/plain.h"
#include "agents/run_agent.h"
#include "agents/spawn.h"
#include "base/visible.h"
#include "router/gateway.h"
#include "store/failure.h"
#include "store/runs.h"
#include "store/senders.h"
#include "store/traces.h"

namespace agents {
namespace {

using base::Code;
using base::Json;

constexpr std::chrono::milliseconds kFirstNap{50}, kLongestNap{1000};  // until another process is asked again
constexpr double kLoopTemperature = 0.0;   // it is asked for what is right, not for variety

base::Result<void> check_client_tools(const Parts& parts, const Cast& cast, const ChatRequest& request) {
    for (const auto& tool : request.client_tools)
        if (tool.name == kAnswerTool || parts.tools.find(tool.name) || cast.find_asked(tool.name) || find_character(parts.gateway, tool.name))
            return base::error(Code::invalid_argument, "tools names \"" + tool.name + "\", which is a tool of " + request.alias + " already",
                               "give the client's tool another name");
    return {};
}

// What the person is told of a run that broke; the log has the rest.
base::Error told_of(const std::string& what, const std::exception& e) {
    const auto* const of_database = dynamic_cast<const store::DbError*>(&e);
    auto told = of_database ? store::outage(*of_database) : std::nullopt;
    if (!told) return base::error(Code::internal, what + ": " + e.what());
    told->message = what + ": " + told->message;
    return *std::move(told);
}

// Whether the run can be gone on with where it broke off: it was left, its database went away, or another process has it.
bool goes_on(const std::exception& e) {
    if (dynamic_cast<const store::RunLeft*>(&e)) return true;
    const auto* const of_database = dynamic_cast<const store::DbError*>(&e);
    return of_database && store::interrupts(*of_database);
}

}  // namespace

std::shared_ptr<store::RunLease> released_on(boost::asio::thread_pool& pool, std::unique_ptr<store::RunLease> lease) {
    return {lease.release(), [&pool](store::RunLease* held) {
                boost::asio::post(pool, [owner = std::shared_ptr<store::RunLease>(held)]() mutable { owner.reset(); });
            }};
}

std::string_view name(ChatEvent::Kind kind) {
    switch (kind) {
        case ChatEvent::Kind::run_started: return "run_started";
        case ChatEvent::Kind::phase: return "phase";
        case ChatEvent::Kind::text: return "text";
        case ChatEvent::Kind::reasoning: return "reasoning";
        case ChatEvent::Kind::tool_call: return "tool_call";
        case ChatEvent::Kind::tool_result: return "tool_result";
        case ChatEvent::Kind::input: return "input";
        case ChatEvent::Kind::done: return "done";
    }
    return "done";
}

store::Identity identity_of(const policy::Principal& principal) { return {principal.tenant, principal.person}; }

net::Task<void> Agents::Impl::run_loop(Frame& frame, const Layout& layout, Turn& turn) {
    AgentTask task;
    task.alias = options.model;
    task.purpose = frame.row->scope == policy::Scope::dev ? "dev" : frame.row->name;
    task.prefix = layout.calling;
    task.plain = layout.shared;
    task.tools = layout.tools;
    task.discipline = layout.discipline;
    task.grammars = layout.grammars;
    task.likely_needs_tools = router::admit({.text = turn.request}).outside;
    task.sampling = frame.sampling;
    if (!task.sampling.temperature) task.sampling.temperature = kLoopTemperature;
    if (frame.asked_tokens || layout.discipline == ToolDiscipline::free) task.max_tokens = frame.output_budget;
    task.label = turn.label;
    task.stop = frame.stop;
    task.parent = frame.root;
    LoopResult result = co_await run_agent(frame, std::move(task));
    turn.work = std::move(result.work);
    turn.label = result.label;
    turn.answer = std::move(result.text);
    turn.client_calls = std::move(result.client_calls);
    turn.finish = result.finish;
    turn.claims = std::move(result.claims);
    turn.state = final_state(result.end);
    turn.error = result.error.text();
    turn.code = result.error.code;
    turn.reasoning = std::move(result.reasoning);
    turn.phase = Phase::done;
    append_answer(frame, turn);
}

namespace {

// What was added and nobody read is answered before a run ends well; one that waits for its client's results can take nothing in.
bool drains(const std::string& final_state) {
    return final_state == "answered" || final_state == "partial" || final_state == "refused" || final_state == "unknown_effect";
}

// What is in doubt is said even where nothing else is, and makes the state.
void end_turn(Frame& frame, Turn& turn) {
    if (turn.answer.empty() && (!frame.sums.in_doubt.empty() || !frame.writer.in_doubt().empty())) append_answer(frame, turn);
    if (frame.sums.in_doubt.empty()) return;
    if (turn.state == "answered" || turn.state == "failed") turn.state = "unknown_effect";
}

}  // namespace

net::Task<void> Agents::Impl::execute(Frame& frame, Turn& turn, const ChatRequest& request, const Accepted& accepted) {
    const auto open = [&] { return open_workspace(options, request, accepted, frame.row->scope); };
    auto workspace = co_await net::on_pool(parts.blocking, open);
    const auto fail = [&](const base::Error& error) {
        turn.state = "failed";
        turn.error = error.text();
        turn.code = error.code;
        end_turn(frame, turn);
    };
    if (workspace)
        frame.workspace = std::move(*workspace);
    else if (frame.row->scope == policy::Scope::dev)
        co_return fail(workspace.error());  // a coder without its folder would tell of another one, or of none
    else
        parts.log.warn("the turn has no folder", {{"run", frame.run.text()}, {"error", workspace.error().text()}});

    if (!accepted.opening) co_return fail(accepted.opening.error());
    frame.prompts = accepted.opening->prompts;
    frame.plain = accepted.opening->person.plain && frame.row->scope == policy::Scope::home;
    frame.effort = accepted.opening->person.effort;
    auto layout = lay_out_turn(frame, accepted.opening->history, turn);
    if (!layout) co_return fail(layout.error());
    if (frame.row->machine == AgentRow::Machine::loop)
        co_await run_loop(frame, *layout, turn);
    else
        co_await run_pipeline(frame, *layout, turn);
    end_turn(frame, turn);
    turn.label = policy::meet(turn.label, frame.inputs->label);
    if (frame.sums.threads > 0 && drains(turn.state)) {
        {
            const std::lock_guard lock(mutex);
            resuming.erase(frame.run);  // its children need the place
        }
        co_await await_children(frame, turn);
    }
    if (turn.state == "answered" && frame.sums.refused_calls > 0 && frame.sums.tools_used == 0) turn.state = "refused";
}

namespace {

void tell_end(const Frame& frame, const Turn& turn) {
    ChatEvent done;
    done.kind = ChatEvent::Kind::done;
    done.data = {{"final_state", turn.state}, {"error", turn.error}};
    frame.emit(std::move(done));
}

}  // namespace

namespace {

// What the root span tells of the whole run.
void describe(base::Span& root, const Frame& frame, const Turn& turn, const Json& usage) {
    const bool taken_over = frame.writer.epoch() > 1;
    Json versions = Json::object();
    for (const auto& [prompt_name, row] : frame.prompts) versions[prompt_name] = row.version;
    root.error = turn.state == "answered" || turn.state == "waiting_client" ? "" : turn.error;
    root.attributes = {{"final_state", turn.state}, {"usage", usage}, {"model", frame.sums.model}, {"prompts", versions}, {"standing", trace_of(frame.standing)},
                       {"role", policy::name(frame.principal.role)}, {"via", frame.principal.via},
                       {"workspace", frame.workspace ? frame.workspace->root().string() : ""}};
    if (frame.row->scope == policy::Scope::dev) root.attributes["write_tier"] = name(frame.write_tier);
    if (!frame.forked_from.is_nil()) root.attributes["forked_from"] = {{"run", frame.forked_from.text()}, {"step", frame.forked_step.text()}};
    if (frame.child) root.attributes["spawned_by"] = {{"run", frame.child->parent.text()}, {"level", frame.child->level}};
    if (taken_over) root.attributes["taken_over"] = {{"epoch", frame.writer.epoch()}, {"differing", frame.writer.diverged()}};
    root.body = {{"request", turn.request}, {"answer", turn.answer}};
}

}  // namespace

// The run's end: its row, its root span, its last event.
net::Task<bool> Agents::Impl::finish(Frame& frame, Turn& turn, Accepted& accepted, base::Span root, base::SteadyPoint start) {
    turn.sums = frame.sums;
    if ((frame.sums.threads > 0 || frame.writer.epoch() > 1) && (!drains(turn.state) || frame.stop.stopped())) co_await end_children(frame);
    frame.writer.lock_first(frame.conversation);
    Json usage = usage_to_json(frame.sums.usage);
    usage.update({{"model_calls", frame.sums.model_steps}, {"tool_calls", frame.sums.tools_used}});
    root.duration = frame.writer.epoch() > 1 ? std::chrono::duration_cast<std::chrono::microseconds>(parts.clock.now() - frame.began) : since(frame, start);
    describe(root, frame, turn, usage);
    const std::string alias = root.name;
    // With the run's end, or a run that ended would be without a trace's root.
    std::function<void(store::Tx&)> with_it = [&](store::Tx& tx) {
        if (turn.state != "waiting_client") store::leave_inputs(tx, frame.run);  // the run that brings its client's results reads them else
        report_end(tx, frame, turn);
        frame.writer.emit(root);
        frame.told->ends(turn.state, turn.error);
    };
    std::function<bool(store::Tx&)> goes_on;
    if (drains(turn.state)) goes_on = [&](store::Tx& tx) { return drain_inputs(tx, frame, turn, accepted); };
    Json as_it_is = to_json(turn);
    const bool ended = co_await frame.writer.finish(turn.state, turn.error, usage, std::move(as_it_is), std::move(goes_on), std::move(with_it));
    if (!ended) {
        frame.sums = turn.sums;  // of the turn that begins
        co_return false;
    }
    if (frame.child) tell_running({}, frame.child->parent);
    parts.metrics.add("hearth_runs_total", 1, {{"alias", alias}, {"state", turn.state}});
    parts.metrics.add("hearth_tool_calls_total", frame.sums.tools_used, {{"alias", alias}});
    parts.metrics.observe("hearth_run_seconds", std::chrono::duration<double>(since(frame, start)).count(), {{"alias", alias}});
    tell_end(frame, turn);
    co_return true;
}

namespace {

// What the person is asked. The run's Turn is stored as it was before, and is gone on with when there is a word.
void rest(Turn& turn, const store::Approval& approval, const Zone& zone) {
    const auto& asked = approval.request;
    turn.state = "waiting_person";
    turn.answer = "I wait for your word on " + asked.tool + " " + base::visible(base::dump(asked.arguments)) + "\n" + asked.reason + "\nhearth approval grant " + approval.id.text() +
                  " lets it happen once, hearth approval deny " + approval.id.text() + " does not; either way I go on. The question expires at " + minute_text(zone.local(approval.expires)) + ".";
}

ChatResult result_of(const Frame& frame, Turn turn) {
    ChatResult out;
    out.run = frame.run;
    out.conversation = frame.conversation;
    out.response = std::move(turn.answer);
    out.tools_used = frame.sums.tools_used;
    out.usage = frame.sums.usage;
    out.final_state = turn.state;
    out.finish = turn.finish;
    // Clients of OpenAI's API read the finish alone.
    if (turn.state == "partial" && turn.finish == router::FinishReason::stop) out.finish = router::FinishReason::length;
    if (turn.state == "cancelled" || turn.state == "interrupted") out.finish = router::FinishReason::cancelled;
    out.client_calls = std::move(turn.client_calls);
    out.model = frame.sums.model;
    out.reasoning = std::move(turn.reasoning);
    out.error.code = turn.code;
    if (turn.state == "no_backend" || turn.state == "interrupted") out.error.code = Code::unavailable;
    if (turn.state == "cancelled") out.error.code = Code::cancelled;
    if (turn.state == "refused") out.error.code = Code::permission_denied;
    out.error.message = std::move(turn.error);
    return out;
}

}  // namespace

void Agents::Impl::enter(const Frame& frame, std::shared_ptr<Running> entry) {
    const std::lock_guard lock(mutex);
    if (leaving) entry->leave();
    running.emplace(frame.run, std::move(entry));
    hub.enter(frame.told);
}

net::Task<void> Agents::Impl::leave(const Frame& frame) {
    {
        const std::lock_guard lock(mutex);
        running.erase(frame.run);
        hub.leave(*frame.told);
    }
    if (!critic.has_work()) co_return;
    const auto executor = co_await boost::asio::this_coro::executor;
    net::spawn(executor, critic.work(), [this](std::exception_ptr) { parts.log.warn("the critic broke off", {}); });
}

Frame Agents::Impl::frame_of(const ChatRequest& request, const Accepted& accepted, const store::RunLease& lease, const Running& entry,
                             std::vector<store::Step> journal) {
    Frame frame(parts, options, store::RunWriter(parts.db, identity_of(request.principal), lease.run(), lease.epoch(), std::move(journal), entry.left.token(), &parts.traces));
    frame.principal = request.principal;
    frame.row = options.cast->find(request.alias);
    frame.menu = menu_of(parts, options, *frame.row);
    frame.conversation = accepted.conversation;
    frame.began = accepted.beginning.at;
    frame.zone = accepted.beginning.zone;
    frame.standing = accepted.beginning.standing;
    frame.root = accepted.beginning.root;
    frame.stop = entry.cut.token();
    frame.effects = entry.stop.token();
    frame.told = std::make_shared<LiveEvents>(hub, frame.run, frame.conversation, lease.epoch());
    frame.writer.tell_by(frame.told);
    frame.inputs = entry.inputs;
    if (!request.before_others) frame.memory = &memory;
    else if (!accepted.beginning.company.is_nil()) frame.company.emplace(Company{accepted.beginning.company, memory});
    frame.execution = request.execution;
    frame.write_tier = request.write_tier;
    frame.forked_from = request.forked_from;
    frame.forked_step = request.forked_step;
    frame.child = request.child;
    frame.instructions = request.instructions;
    frame.client_tools = request.client_tools;
    frame.sampling = request.sampling;
    frame.asked_tokens = request.max_tokens > 0;
    frame.output_budget = request.max_tokens > 0 ? request.max_tokens : options.max_output_tokens;
    return frame;
}

// A run that was left in good order did not cost an attempt.
net::Task<void> Agents::Impl::give_back(Frame& frame) {
    const auto note = [&](store::Tx& tx) { store::note_progress(tx, frame.run, frame.writer.epoch()); };
    try {
        co_await parts.db.run(frame.who, note);
    } catch (const std::exception& e) {
        parts.log.warn("the run was left without a note of it", {{"run", frame.run.text()}, {"error", e.what()}});
    }
}

net::Task<ChatResult> Agents::Impl::run(Frame& frame, const ChatRequest& request, Accepted accepted, Turn turn) {
    const auto start = parts.clock.steady();
    base::Span root = span_of(frame, frame.root, {}, "run", request.alias);
    root.started = frame.began;
    frame.sums = turn.sums;
    if (frame.told_before) frame.told->resumes(*frame.told_before);
    ChatEvent began;
    began.kind = ChatEvent::Kind::run_started;
    if (frame.told_before.value_or(store::EventId{}) == store::EventId{}) frame.emit(std::move(began));
    bool left = false, in_order = false;
    const auto broke = [&](const char* what, const std::exception& e) {
        left = goes_on(e);
        in_order = dynamic_cast<const store::RunLeft*>(&e) != nullptr;
        if (in_order) parts.log.info("run is left, to be taken up again", {{"run", frame.run.text()}});
        else parts.log.error(what, {{"run", frame.run.text()}, {"error", e.what()}});
        const base::Error told = in_order ? base::error(Code::unavailable, "the server is stopping; the run goes on when it is back") : told_of(what, e);
        turn.state = left ? "interrupted" : "failed";
        turn.error = told.text();
        turn.code = told.code;
    };
    for (bool ended = false; !ended && !left;) {
        try {
            co_await execute(frame, turn, request, accepted);
        } catch (const store::RunRests& e) {
            rest(turn, e.approval, household_clock(frame));
            if (frame.plain) turn.answer = reply::plain(turn.answer);
            turn.answer = reply::inert(turn.answer);  // it quotes the call
            tell_end(frame, turn);
            co_return result_of(frame, std::move(turn));
        } catch (const store::RunStopped& e) {
            turn.state = "cancelled";
            turn.error = e.what();
            turn.code = Code::cancelled;
        } catch (const std::exception& e) {
            broke("the run broke off", e);
        }
        // What one attempt could not write is gone with it: the next writes down that the run failed.
        for (int attempt = 0; attempt < 2 && !left; ++attempt) {
            try {
                ended = co_await finish(frame, turn, accepted, root, start);
                break;
            } catch (const std::exception& e) {
                broke("the end of the run could not be written", e);
                ended = true;
            }
        }
    }
    if (in_order) co_await give_back(frame);
    if (left) tell_end(frame, turn);
    else critic.add(frame, turn);
    co_return result_of(frame, std::move(turn));
}

// Takes the lease of a new run and commits the input; while another process works in the conversation, waits for that.
net::Task<base::Result<Accepted>> Agents::Impl::take_in(const ChatRequest& request, base::ConversationId fresh, std::shared_ptr<store::RunLease>& lease,
                                                        base::SteadyPoint until) {
    const auto accept = [&](store::Tx& tx) {
        if (!lease) lease = released_on(parts.blocking, store::lease_new_run(parts.db, base::RunId::make(parts.clock.now())));
        return accept_input(tx, options, request, fresh, *lease);
    };
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (auto nap = kFirstNap;; nap = std::min(2 * nap, kLongestNap)) {
        auto accepted = co_await parts.db.run(identity_of(request.principal), accept);
        if (accepted) tell_running(accepted->stopping, accepted->joined);
        if (!accepted || accepted->busy.is_nil() || !accepted->joined.is_nil()) co_return accepted;
        if (request.stop.stopped()) co_return request.stop.error("the turn");
        if (std::chrono::steady_clock::now() >= until) co_return conversation_busy(accepted->conversation);
        timer.expires_after(nap);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

base::Result<void> Agents::Impl::check(ChatRequest& request) const {
    if (!options.cast->find(request.alias)) return base::error(Code::not_found, "there is no agent \"" + request.alias + "\"; there are " + options.cast->names());
    auto messages = checked_messages(request.messages);
    if (!messages) return std::move(messages).error();
    request.messages = *std::move(messages);
    return check_client_tools(parts, *options.cast, request);
}

net::Task<void> Agents::Impl::note_company(ChatRequest& request) {
    if (request.before_others || request.conversation.is_nil()) co_return;
    const auto look = [&](store::Tx& tx) { return store::is_in_company(tx, request.conversation); };
    request.before_others = co_await parts.db.read(identity_of(request.principal), look);
}

std::shared_ptr<Agents::Impl::Running> Agents::Impl::running_of(const ChatRequest& request, const Beginning& beginning, std::chrono::microseconds worked) const {
    const std::chrono::milliseconds limit = beginning.time_limit.count() > 0 ? beginning.time_limit : options.run_deadline;
    return std::make_shared<Running>(request, parts.clock.steady() + std::max(std::chrono::microseconds(0), limit - worked));
}

net::Task<base::Result<ChatResult>> Agents::Impl::chat(ChatRequest request, EventSink sink) {
    if (auto fine = check(request); !fine) co_return std::move(fine).error();
    if (auto ready = parts.gateway.ready(options.model); !ready) co_return std::move(ready).error();
    co_await note_company(request);
    if (!request.conversation.is_nil()) {
        const auto entry = co_await arrive(request);
        if (!entry) co_return entry.error();
        if (entry->way == Way::join) co_return co_await follow(request, entry->run, sink);
    }
    const auto fresh = base::ConversationId::make(parts.clock.now());
    const auto until = std::chrono::steady_clock::now() + options.run_deadline;
    const auto conversation = request.conversation.is_nil() ? fresh : request.conversation;
    const auto pass = co_await turnstile.enter(conversation, request.stop, until);
    if (!pass) co_return pass.error();
    std::shared_ptr<store::RunLease> lease;
    auto accepted = co_await take_in(request, fresh, lease, until);
    if (!accepted) co_return std::move(accepted).error();
    if (!accepted->joined.is_nil()) co_return co_await follow(request, accepted->joined, sink);

    auto entry = running_of(request, accepted->beginning);
    Frame frame = frame_of(request, *accepted, *lease, *entry, {});
    frame.inputs->more = !request.conversation.is_nil();  // an earlier run may have left some
    frame.sink = sink ? std::move(sink) : [](const ChatEvent&) {};  // somebody waits at a connection: see model_step
    enter(frame, std::move(entry));
    Turn turn;
    ChatResult result = co_await run(frame, request, *std::move(accepted), std::move(turn));
    co_await leave(frame);
    co_return result;
}

Agents::Agents(Parts parts, Options options) : impl_(std::make_unique<Impl>(parts, std::move(options))) {}
Agents::~Agents() = default;

const Cast& Agents::cast() const { return *impl_->options.cast; }

memory::PersonIndexes& Agents::memory() { return impl_->memory; }

net::Task<base::Result<ChatResult>> Agents::chat(ChatRequest request, EventSink sink) { return impl_->chat(std::move(request), std::move(sink)); }

}  // namespace agents
