#include "agents/run_agent.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agents/answer_parts.h"
#include "agents/delegate.h"
#include "agents/honesty.h"
#include "agents/reply/inert.h"
#include "agents/reply/silence.h"
#include "agents/schedule_tool.h"
#include "agents/session.h"
#include "agents/spawn.h"
#include "agents/steer.h"
#include "agents/transcript.h"
#include "agents/validate.h"
#include "router/gateway.h"

namespace agents {
namespace {

using base::Code;
using router::Message;
using router::MessageRole;
using router::ToolCall;
using router::ToolChoice;

constexpr int kRepeatsBeforeAnswer = 2;  // of a guided model 1: it would go on to calls of the worked examples
constexpr std::size_t kMostGuidedResult = 2400;  // bytes; a small model loses the question in more
constexpr int kMostForcedCalls = 2;  // a small model that must call adds a third for nothing, unless there is more to look at

// What the loop knows between rounds.
struct State {
    LoopResult result;
    std::set<std::string> seen;     // calls since the last effect
    int repeats = 0;
    bool must_answer = false;       // no more calls: the model chose to answer, or turns in circles
    bool gathered = false;          // the gathering is over
    bool to_mend = false;           // a call of the last reply failed and heard what would work
    bool aside = false;             // a call of the last reply failed and heard what would work, and the request does not speak of it
    bool worked = false;            // a call of the last reply did
    std::vector<Part> parts;        // of the answer to come: the last calls, and those of the reply that they mend
    std::vector<Part> unmended;     // the calls that no later one has mended
    std::string note;               // about a claim that no step had done: the last message of each prompt from then on
    std::string before;             // what the person has read of the reply that it was in
};

std::string identity(const ToolCall& call) {
    const auto parsed = base::parse_json(call.arguments);
    return call.name + " " + (parsed ? base::dump(*parsed) : call.arguments);
}

Message tool_result(const ToolCall& call, std::string text) {
    Message message = Message::make(MessageRole::tool, std::move(text));
    message.tool_call_id = call.id;
    message.name = call.name;
    message.trusted = false;
    return message;
}

std::string words_of_person(const AgentTask& task) {
    const auto& spoken = task.plain.empty() ? task.prefix : task.plain;
    const auto person = std::find_if(spoken.rbegin(), spoken.rend(), [](const Message& m) { return m.role == MessageRole::user; });
    return person == spoken.rend() ? std::string() : person->text();
}

// Where a request names several files, one for each and one to see where they lie.
int most_forced_calls(const AgentTask& task) {
    const int files = files_named(words_of_person(task));
    return files <= kMostForcedCalls ? kMostForcedCalls : std::min(files + 1, router::kMostCalls);
}

ToolChoice choice_of(const AgentTask& task, const State& state, int round) {
    ToolChoice choice;
    if (task.tools.empty() || state.must_answer)
        choice.kind = ToolChoice::Kind::none;
    else if (task.discipline == ToolDiscipline::guided && task.likely_needs_tools && (round == 0 || state.to_mend || !task.answers) &&
             task.prefix.back().role != MessageRole::tool)
        choice.kind = ToolChoice::Kind::required, choice.most = most_forced_calls(task);  // of which one is to answer
    return choice;
}

// Where a guided model may call and need not, its first words only say that it does not: the answer is made afresh, from the
// plain prompt. A backend without grammars writes the answer at once.
bool decides(const AgentTask& task, int round) {
    return round == 0 && task.grammars && task.answers && task.discipline == ToolDiscipline::guided && !task.likely_needs_tools && !task.tools.empty() &&
           !task.plain.empty() && task.prefix.back().role != MessageRole::tool;
}
constexpr std::string_view kDecision = "answer ::= [^ \\n\\t{<] [^\\n\\t]{0,11} \"\\t\"\n";
constexpr std::size_t kLongestDecision = 13 * 4;  // bytes
bool decided_to_answer(const router::ModelReply& reply) { return reply.message.tool_calls.empty() && reply.message.text().ends_with('\t'); }

std::vector<Part> parts_of(const State& state) {
    std::vector<Part> out = state.parts;
    out.insert(out.end(), state.unmended.begin(), state.unmended.end());
    return out;
}

router::ModelRequest request_of(const AgentTask& task, const State& state, int round, bool decision) {
    router::ModelRequest request;
    request.alias = task.alias;
    request.purpose = task.purpose;
    const bool bound = task.answers && task.discipline == ToolDiscipline::guided;
    const std::vector<Part> parts = parts_of(state);
    request.tool_choice = choice_of(task, state, round);
    // Nothing came back that an answer could be held to: it would tell of the worked examples.
    if (bound && parts.empty() && !task.plain.empty() && request.tool_choice.kind == ToolChoice::Kind::none) {
        request.messages = task.plain;
    } else {
        request.messages = task.prefix;
        request.messages.insert(request.messages.end(), state.result.work.begin(), state.result.work.end());
        request.tools = task.tools;
    }
    request.messages = with_note(std::move(request.messages), state.note);
    request.end_circles = task.discipline == ToolDiscipline::guided;
    if (bound) request.answer_rules = decision ? std::string(kDecision) : rules_of_parts(parts);
    request.sampling = task.sampling;
    request.max_tokens = task.max_tokens;
    request.stop = task.stop;
    return request;
}

bool is_client_tool(const Frame& frame, const std::string& name) {
    return std::any_of(frame.client_tools.begin(), frame.client_tools.end(), [&](const auto& t) { return t.name == name; });
}

// Ids are ours: unique in the conversation and the same after a resume.
void name_calls(Frame& frame, std::vector<ToolCall>& calls) {
    const std::string before = frame.within.empty() ? "call_" + frame.run.text().substr(24) : frame.within.substr(0, frame.within.size() - 1);
    for (ToolCall& call : calls) call.id = before + "_" + std::to_string(++frame.sums.calls);
}

net::Task<void> execute(Frame& frame, const tools::Dispatch& dispatch, const AgentTask& task, ToolCall call, State& state) {
    ChatEvent started;
    started.kind = ChatEvent::Kind::tool_call;
    started.name = call.name;
    started.id = call.id;
    auto parsed = base::parse_json(call.arguments);
    started.data = parsed ? std::move(*parsed) : base::Json(call.arguments);
    frame.emit(std::move(started));

    state.result.label = policy::meet(state.result.label, frame.inputs->label);
    tools::CallOutcome outcome = co_await tools::invoke(dispatch, call, task.parent, state.result.label);
    frame.sums.tools_used += outcome.executed;
    count_spawned(frame.sums, outcome);
    frame.sums.refused_calls += outcome.state == tools::CallState::refused;
    frame.sums.deeds.push_back(deed_of(call, outcome));
    add_asked(frame.sums, outcome.facts);
    if (outcome.state == tools::CallState::unknown) frame.sums.in_doubt.push_back(effect_text(call.name, call.arguments));
    if (outcome.executed && outcome.effect != policy::Effect::pure) state.seen.clear();
    state.seen.insert(identity(call));
    (in_scope(call, words_of_person(task)) ? state.to_mend : state.aside) |= outcome.mendable;
    state.worked |= outcome.state == tools::CallState::done;
    if (outcome.state == tools::CallState::done) state.note.clear();  // there is a step now
    (outcome.mendable ? state.unmended : state.parts).push_back(part_of(call, outcome));
    state.result.facts = outcome.facts;
    state.result.label = policy::meet(state.result.label, outcome.integrity);

    ChatEvent ended;
    ended.kind = ChatEvent::Kind::tool_result;
    ended.name = call.name;
    ended.id = call.id;
    ended.text = outcome.text;
    ended.data = {{"ok", outcome.state == tools::CallState::done},
                  {"state", tools::name(outcome.state)},
                  {"rule", outcome.rule},
                  {"ms", outcome.wall.count()},
                  {"truncated", outcome.truncated},
                  {"facts", outcome.facts}};
    frame.emit(std::move(ended));
    state.result.work.push_back(tool_result(call, std::move(outcome.text)));
    state.result.work.back().trusted = outcome.integrity == policy::Integrity::trusted;
}

// All calls of one reply, in order. Every call gets a result, whatever happens.
net::Task<void> execute_all(Frame& frame, const tools::Dispatch& dispatch, const AgentTask& task, std::vector<ToolCall> calls,
                            State& state) {
    const bool mends = std::exchange(state.to_mend, false), guided = task.discipline == ToolDiscipline::guided;
    const int enough = guided ? 1 : kRepeatsBeforeAnswer;
    const std::set<std::string> earlier = state.seen;  // twice in one reply is no circle
    std::vector<Part> told;
    bool fresh = state.worked = state.aside = false;
    for (const ToolCall& call : calls) {
        if (is_client_tool(frame, call.name)) {
            state.result.client_calls.push_back(call);
        } else if (call.name == kAnswerTool && guided) {
            state.result.work.push_back(tool_result(call, "Answer now."));
            state.result.work.back().trusted = true;
            state.must_answer = state.gathered = true;
        } else if (state.seen.contains(identity(call))) {
            state.result.work.push_back(
                tool_result(call, "Not run again: the same call was made before, and nothing has changed since. Its result is above."));
            state.repeats += earlier.contains(identity(call));
            state.gathered = state.repeats >= enough || !task.answers;
            state.must_answer = state.must_answer || state.repeats >= enough;
        } else {
            if (!std::exchange(fresh, true)) {
                state.unmended.clear();
                if (!mends) told = std::exchange(state.parts, {});
            }
            co_await execute(frame, dispatch, task, call, state);
        }
    }
    // Beside what worked, a failure that nobody asked about is only told of.
    state.to_mend |= state.aside && !state.worked;
    // Of earlier calls the answer need not tell any more, once a later one worked.
    if (!state.worked) state.parts.insert(state.parts.begin(), told.begin(), told.end());
}

// The text of a reply that is under way: shown as it comes through the gate, once it is longer than `held` bytes.
struct Streamed {
    Streamed(const base::StopToken& run, bool with_outside_text) : guarded(with_outside_text), enough(run) {
        if (guarded) inert.emplace(), inert_reasoning.emplace();
    }

    std::string text, shown;
    std::size_t held = 0, passed = 0;         // passed: bytes of `text` that the gate has
    std::optional<reply::SentenceGate> gate;  // none: the text is bound to what came back
    const bool guarded;                       // text from outside may have had a hand in it: nothing of it loads by itself
    std::optional<reply::Inert> inert, inert_reasoning;
    base::StopSource enough;
    bool behind = false;                      // what was shown before broke off at a claim
    bool aside = false;                       // nobody reads it
};

void tell(Frame& frame, Streamed& streamed, std::string text) {
    if (streamed.inert) text = streamed.inert->take(text);
    if (text.empty()) return;
    ChatEvent event;
    event.kind = ChatEvent::Kind::text;
    event.text = (std::exchange(streamed.behind, false) ? "\n\n" : "") + text;
    streamed.shown += text;
    if (!streamed.aside) frame.emit(std::move(event));
}

void show(Frame& frame, Streamed& streamed) {
    const std::string piece = streamed.text.substr(streamed.passed);
    streamed.passed = streamed.text.size();
    tell(frame, streamed, streamed.gate ? streamed.gate->take(piece) : piece);
    if (streamed.gate && streamed.gate->stopped()) streamed.enough.request_stop();
}

void tell_reasoning(Frame& frame, Streamed& streamed, std::string text) {
    if (text.empty() || streamed.aside) return;
    ChatEvent event;
    event.kind = ChatEvent::Kind::reasoning;
    event.text = std::move(text);
    frame.emit(std::move(event));
}

// What is held back.
void show_held(Frame& frame, Streamed& streamed) {
    if (streamed.gate) tell(frame, streamed, streamed.gate->finish());
    if (!streamed.inert) return;
    tell_reasoning(frame, streamed, streamed.inert_reasoning->finish());
    const std::string rest = streamed.inert->finish();
    streamed.inert.reset();
    tell(frame, streamed, rest);
}

void show_rest(Frame& frame, Streamed& streamed, const router::ModelReply& reply) {
    if (streamed.text.empty()) streamed.text = reply.message.text();  // out of the journal
    show(frame, streamed);
    show_held(frame, streamed);
}

router::DeltaSink forward(Frame& frame, const AgentTask& task, Streamed& streamed) {
    return [&frame, &streamed, answers = task.answers](const router::ModelDelta& delta) {
        if (delta.kind == router::ModelDelta::Kind::content) {
            streamed.text += delta.text;
            if (answers && streamed.text.size() > streamed.held) show(frame, streamed);
        } else if (delta.kind == router::ModelDelta::Kind::reasoning && answers) {
            tell_reasoning(frame, streamed, streamed.inert_reasoning ? streamed.inert_reasoning->take(delta.text) : delta.text);
        }
    };
}

// All that the person has read of the answer; `reply` where it was shown as it is.
std::string said(const State& state, const Streamed& streamed, const std::string& reply) {
    const bool as_it_is = state.before.empty() && (!streamed.gate || streamed.gate->caught().empty());
    if (as_it_is) return streamed.guarded ? reply::inert(reply) : reply;
    return state.before + (state.before.empty() || streamed.shown.empty() ? "" : "\n\n") + streamed.shown;
}

void end(State& state, LoopEnd how, base::Error error = {}) {
    state.result.end = how;
    state.result.error = std::move(error);
}

std::string told(const State& state) {
    std::string out;
    for (const Part& part : parts_of(state)) out += (out.empty() ? "" : "\n\n") + text_of(part);
    return out;
}

// The first claim of a run that no step holds up: the model is asked once more, and may do it now where that was asked for.
base::Result<void> ask_about(const Frame& frame, const AgentTask& task, const reply::Evidence& evidence, const reply::Claim& claim, State& state) {
    state.result.claims.push_back(asked_about(claim));
    const bool may_act = !task.tools.empty() && reply::asks_for(claim.action, evidence.request());
    auto note = claim_note(frame, may_act ? "claim_act" : "claim_answer", state.result.claims.back(), evidence);
    if (!note) return std::move(note).error();
    state.note = *std::move(note);
    state.must_answer = !may_act;
    state.to_mend = may_act;  // a guided model is to choose anew between the tools and an answer
    return {};
}

// What a reply is held against; none of a reply that its rules bind to what came back.
std::optional<reply::SentenceGate> gate_of(const Frame& frame, const AgentTask& task, const State& state) {
    if (!task.answers || (task.discipline == ToolDiscipline::guided && !parts_of(state).empty())) return std::nullopt;
    const auto& spoken = task.plain.empty() ? task.prefix : task.plain;
    using Then = reply::SentenceGate::Then;
    return reply::SentenceGate(evidence_of(frame, words_of_person(task), spoken), state.result.claims.empty() ? Then::stop : Then::correct);
}

// The reply without calls: the answer, or what there is of it.
void conclude(State& state, const router::ModelReply& reply) {
    state.result.reasoning = reply.message.reasoning;
    state.result.finish = reply.finish;
    if (reply.finish == router::FinishReason::cancelled)
        end(state, LoopEnd::cancelled, base::error(Code::cancelled, "the run was stopped"));
    else if (reply.finish == router::FinishReason::deadline)
        end(state, LoopEnd::deadline, base::error(Code::deadline, "the time of the run was used up"));
    else if (reply.finish == router::FinishReason::length)
        end(state, LoopEnd::out_of_tokens,
            base::error(Code::resource_exhausted, "the answer was cut after " + std::to_string(reply.usage.output_tokens) + " tokens"));
    else
        end(state, LoopEnd::answered);
}

// A call that the token limit cut off in its arguments is none.
void drop_cut_call(router::ModelReply& reply) {
    auto& calls = reply.message.tool_calls;
    if (reply.finish == router::FinishReason::length && !calls.empty() && !base::parse_json(calls.back().arguments)) calls.pop_back();
}

// Appends the reply and executes what it asks for; true when the loop is over.
net::Task<bool> digest(Frame& frame, const tools::Dispatch& dispatch, const AgentTask& task, router::ModelReply reply, State& state) {
    drop_cut_call(reply);
    const bool stopped = reply.finish == router::FinishReason::cancelled || reply.finish == router::FinishReason::deadline;
    if (reply.message.tool_calls.empty() || stopped || state.must_answer) {
        conclude(state, reply);
        co_return true;
    }
    name_calls(frame, reply.message.tool_calls);
    const std::vector<ToolCall> calls = reply.message.tool_calls;
    const std::size_t at = state.result.work.size();
    state.result.work.push_back(std::move(reply.message));
    co_await execute_all(frame, dispatch, task, calls, state);
    if (!state.result.client_calls.empty()) {
        // The client sees its own calls only; ours of the same reply are already paired with results.
        auto& mine = state.result.work[at].tool_calls;
        std::erase_if(mine, [&](const ToolCall& call) { return is_client_tool(frame, call.name); });
        if (mine.empty()) state.result.work.erase(state.result.work.begin() + std::ptrdiff_t(at));
        state.result.finish = router::FinishReason::tool_calls;
        end(state, LoopEnd::client_calls);
        co_return true;
    }
    if (!task.answers && state.gathered) {
        end(state, LoopEnd::answered);
        co_return true;
    }
    co_return false;
}

// Whether the run was stopped, which ends the loop then.
bool ended_by_stop(const AgentTask& task, State& state) {
    if (!task.stop.stopped()) return false;
    const base::Error why = task.stop.error("the run");
    end(state, end_of(why), why);
    return true;
}

net::Task<void> make_call(Frame& frame, const tools::Dispatch& dispatch, const AgentTask& task, State& state) {
    router::ModelReply reply;
    reply.message = Message::make(MessageRole::assistant, "");
    reply.message.tool_calls.push_back(*task.call);
    co_await digest(frame, dispatch, task, std::move(reply), state);
    state.result.told = told(state);
    end(state, LoopEnd::answered);
    ended_by_stop(task, state);
}

// What came back is told beside the answer, and instead of one that says nothing.
void wrap_up(Frame& frame, const AgentTask& task, Streamed& streamed, State& state) {
    LoopResult& result = state.result;
    if (streamed.guarded) result.reasoning = reply::inert(result.reasoning);
    result.told = result.label == policy::Integrity::untrusted ? reply::inert(told(state)) : told(state);
    if (!task.answers || result.end != LoopEnd::answered || !reply::is_silent(result.text)) return;
    tell(frame, streamed, result.told);
    result.text = result.told;
    if (reply::is_silent(result.text)) end(state, LoopEnd::failed, base::error(Code::internal, "the model gave an empty answer"));
}

// A call of the model, and the calls of tools that it asks for; true when the loop is over.
net::Task<bool> take_round(Frame& frame, const tools::Dispatch& dispatch, const AgentTask& task, int round, State& state) {
    Streamed streamed(task.stop, task.answers && !task.aside && state.result.label == policy::Integrity::untrusted);
    streamed.gate = gate_of(frame, task, state);
    streamed.behind = !state.before.empty();
    streamed.aside = task.aside;
    const bool decision = decides(task, round);
    if (decision) streamed.held = kLongestDecision;
    router::ModelRequest request = request_of(task, state, round, decision);
    request.stop = streamed.enough.token();
    const router::DeltaSink sink = forward(frame, task, streamed);
    base::Result<router::ModelReply> reply = co_await model_step(frame, std::move(request), task.parent, sink);
    if (!reply) {
        show_held(frame, streamed);
        state.result.text = said(state, streamed, streamed.text);
        end(state, end_of(reply.error()), reply.error());
        co_return true;
    }
    if (decision && decided_to_answer(*reply)) {
        state.must_answer = true;
        co_return false;
    }
    if (task.answers) show_rest(frame, streamed, *reply);
    if (streamed.gate && streamed.gate->stopped() && !task.stop.stopped()) {
        const auto asked = ask_about(frame, task, streamed.gate->evidence(), streamed.gate->caught().front(), state);
        if (asked) state.before = streamed.shown;
        else end(state, end_of(asked.error()), asked.error());
        co_return !asked.ok();
    }
    if (streamed.gate && reply->message.tool_calls.empty()) settle_claims(state.result.claims, streamed.gate->caught(), streamed.gate->evidence());
    state.result.text = said(state, streamed, reply->message.text());
    const bool over = co_await digest(frame, dispatch, task, std::move(*reply), state);
    if (over) wrap_up(frame, task, streamed, state);
    co_return over || ended_by_stop(task, state);
}

}  // namespace

LoopEnd end_of(const base::Error& error) {
    switch (error.code) {
        case Code::unavailable: return LoopEnd::no_backend;
        case Code::cancelled: return LoopEnd::cancelled;
        case Code::deadline: return LoopEnd::deadline;
        case Code::resource_exhausted: return LoopEnd::out_of_tokens;
        case Code::context_length_exceeded: return LoopEnd::out_of_context;
        default: return LoopEnd::failed;
    }
}

std::string final_state(LoopEnd end) {
    switch (end) {
        case LoopEnd::answered: return "answered";
        case LoopEnd::client_calls: return "waiting_client";
        case LoopEnd::out_of_rounds:
        case LoopEnd::out_of_tokens:
        case LoopEnd::out_of_context:
        case LoopEnd::deadline: return "partial";
        case LoopEnd::cancelled: return "cancelled";
        case LoopEnd::no_backend: return "no_backend";
        case LoopEnd::failed: return "failed";
    }
    return "failed";
}

policy::Integrity label_of(const std::vector<Message>& messages) {
    const bool all = std::all_of(messages.begin(), messages.end(), [](const Message& m) { return m.trusted; });
    return all ? policy::Integrity::trusted : policy::Integrity::untrusted;
}

net::Task<LoopResult> run_agent(Frame& frame, AgentTask task) {
    Asking asking(frame, task);
    tools::Ports ports{frame.parts.db, frame.who, frame.run, frame.parts.clock, {}, &asking};
    ports.memory = frame.memory;
    if (frame.company) ports.company = frame.company->group;
    ports.wall_clock = [zone = household_clock(frame)](base::TimePoint t) { return wall_text(zone.local(t)) + " " + zone.name(); };
    if (frame.within.empty()) ports.spawn = spawner_of(frame, ports);  // who was asked divides nothing
    if (frame.within.empty()) ports.schedule = [&](base::Json arguments, tools::ToolContext& context) { return schedule_call(frame, ports, std::move(arguments), context.label); };
    tools::Dispatch dispatch = dispatch_of(frame, ports, task.stop);
    if (task.discipline == ToolDiscipline::guided) dispatch.context.result_bytes = std::min(dispatch.context.result_bytes, kMostGuidedResult);
    State state;
    state.result.label = task.label;
    if (task.call) {
        co_await make_call(frame, dispatch, task, state);
        co_return std::move(state.result);
    }
    for (int round = 0; round < frame.options.max_rounds; ++round) {
        const bool over = co_await take_round(frame, dispatch, task, round, state);
        if (over) co_return std::move(state.result);
    }
    if (task.answers)
        end(state, LoopEnd::out_of_rounds,
            base::error(Code::resource_exhausted, "no answer after " + std::to_string(frame.options.max_rounds) + " rounds of tools"));
    else
        end(state, LoopEnd::answered);
    co_return std::move(state.result);
}

}  // namespace agents
