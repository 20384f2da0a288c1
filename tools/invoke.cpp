#include "tools/invoke.h"

#include <algorithm>

#include "base/json_schema.h"
#include "base/redact.h"
#include "base/utf8.h"
#include "store/stops.h"
#include "tools/ports.h"

namespace tools {
namespace {

using base::Json;

std::string listed(const std::vector<const Tool*>& tools) {
    std::string out;
    for (const Tool* tool : tools) out += (out.empty() ? "" : ", ") + tool->name;
    return out;
}

net::Task<policy::Decision> decide(const Dispatch& dispatch, const Tool& tool, policy::Integrity label, bool with_secret, std::optional<CallCount>& counted) {
    const policy::House house = co_await house_of(dispatch.rules, dispatch.db, dispatch.context.principal, tool.name, dispatch.clock.now(), counted);
    co_return decide_call(dispatch.context.principal, dispatch.scope, tool, dispatch.source.offers(tool), with_secret, label, house);
}

// The call on its way: what the span and the outcome row need.
struct Flight {
    const Dispatch& dispatch;
    const router::ToolCall& call;
    base::SpanId parent;
    policy::Integrity label;
    base::TimePoint started;
    base::SteadyPoint steady;
    std::vector<std::string> secrets{};               // names of those that it is given
    base::SpanId span = base::SpanId::make(started);  // its own
};

void emit_span(const Flight& flight, const char* kind, const CallOutcome& outcome, Json arguments) {
    base::Span span;
    span.id = flight.span;
    span.parent = flight.parent;
    span.run = flight.dispatch.writer.run();
    span.tenant = flight.dispatch.writer.who().tenant;
    span.person = flight.dispatch.writer.who().person;
    span.kind = kind;
    span.name = flight.call.name;
    span.started = flight.started;
    span.duration =
        std::chrono::duration_cast<std::chrono::microseconds>(flight.dispatch.clock.steady() - flight.steady);
    if (outcome.state != CallState::done) span.error = base::beginning(outcome.text, 500);
    span.attributes = {{"state", name(outcome.state)},
                       {"rule", outcome.rule},
                       {"effect", policy::name(outcome.effect)},
                       {"label", policy::name(flight.label)},
                       {"truncated", outcome.truncated},
                       {"call", flight.call.id},
                       {"facts", outcome.facts}};
    span.body = {{"arguments", std::move(arguments)}, {"result", outcome.text}};
    flight.dispatch.spans.emit(std::move(span));
}

// Blanks are not part of a call's meaning, and a call without arguments may be written as nothing.
base::Result<Json> parse_arguments(const Tool& tool, const std::string& text) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return Json::object();
    auto parsed = base::parse_json(text);
    if (!parsed)
        return base::error(base::Code::invalid_argument, "the arguments of " + tool.name + " are " + parsed.error().message,
                           "send one JSON object of this schema: " + tool.input.dump());
    if (!parsed->is_object())
        return base::error(base::Code::invalid_argument, "the arguments of " + tool.name + " are not a JSON object",
                           "send one of this schema: " + tool.input.dump());
    const auto schema = base::Schema::parse(Json(tool.input));
    if (!schema) throw std::logic_error("the input schema of " + tool.name + ": " + schema.error().message);
    if (auto valid = schema->validate(*parsed); !valid)
        return base::error(base::Code::invalid_argument, "the arguments of " + tool.name + " do not fit: " + valid.error().message,
                           "send one of this schema: " + tool.input.dump());
    return parsed;
}


std::chrono::milliseconds wall_of(const Flight& flight) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(flight.dispatch.clock.steady() - flight.steady);
}

// Without any secret that is known, whoever gave it to the tool.
void take_out_secrets(CallOutcome& out, const base::Redactor& redactor) {
    out.text = redactor.without_known(std::move(out.text));
    out.facts = redactor.without_known(std::move(out.facts));
    for (std::string& name : out.names) name = redactor.without_known(std::move(name));
}

// Runs the tool under its own deadline. An exception that leaves a tool is a fault of ours; the
// model hears that it failed, the log hears why.
net::Task<CallOutcome> run_tool(const Flight& flight, const Tool& tool, Json arguments) {
    const Dispatch& dispatch = flight.dispatch;
    CallOutcome out;
    out.integrity = policy::Integrity::untrusted;
    out.effect = tool.effect;
    out.executed = true;
    const auto latest = dispatch.clock.steady() + tool.deadline;
    const base::StopToken& stop = tool.effect == policy::Effect::at_most_once ? dispatch.effects : dispatch.context.stop;
    const base::StopSource timed(stop, std::min(latest, dispatch.context.stop.deadline().value_or(latest)));
    ToolContext context = dispatch.context;
    context.stop = timed.token();
    context.label = flight.label;
    context.call = &flight.call;
    context.span = flight.span;
    OpenSecrets secrets;
    if (!flight.secrets.empty()) {
        auto opened = co_await dispatch.secrets->open(dispatch.writer.who(), flight.secrets, tool.name);
        if (!opened) {
            out.text = "Error: " + opened.error().text();
            out.facts["code"] = base::name(opened.error().code);
            co_return out;
        }
        secrets = *std::move(opened);
        context.secrets = &secrets;
    }
    std::string thrown;
    try {
        base::Result<ToolOutput> result = co_await tool.run(std::move(arguments), context);
        if (result) {
            out.state = CallState::done;
            out.text = std::move(result->text);
            out.facts = std::move(result->facts);
            out.truncated = result->truncated;
            out.names = std::move(result->names);
            out.integrity = result->integrity;
        } else {
            out.state = CallState::failed;
            out.text = "Error: " + result.error().text();
            const base::Code code = result.error().code;
            out.mendable = !result.error().remedy.empty() && (code == base::Code::not_found || code == base::Code::invalid_argument);
            out.facts["code"] = base::name(code);
        }
    } catch (const std::exception& e) {
        thrown = e.what();
    }
    if (!thrown.empty()) {
        out.state = tool.effect == policy::Effect::at_most_once ? CallState::unknown : CallState::failed;
        out.text = out.state == CallState::unknown
                       ? "Error: " + tool.name + " broke off; whether it took effect is not known. Do not repeat it."
                       : "Error: " + tool.name + " broke off for an internal reason. Try another way.";
        dispatch.log.error("tool threw", {{"tool", tool.name}, {"run", dispatch.writer.run().text()}, {"error", thrown}});
    }
    co_return out;
}

CallOutcome refusal(CallState state, std::string text, std::string rule = {}) {
    CallOutcome out;
    out.state = state;
    out.text = std::move(text);
    out.rule = std::move(rule);
    return out;
}

// A NUL has no place in a prompt, and the database takes none.
void clean(std::string& text) {
    if (text.find('\0') == std::string::npos) return;
    std::string out;
    for (char c : text) out += c == '\0' ? std::string("\xef\xbf\xbd") : std::string(1, c);
    text = std::move(out);
}

void truncate(CallOutcome& outcome, std::size_t max_bytes) {
    if (outcome.text.size() <= max_bytes) return;
    outcome.facts["bytes"] = outcome.text.size();
    outcome.text = cut_middle(outcome.text, max_bytes);
    outcome.truncated = true;
}

store::StepIntent intent_of(const Tool& tool, const router::ToolCall& call, const Json& arguments) {
    store::StepIntent intent;
    intent.kind = "tool";
    intent.name = tool.name;
    intent.effect = policy::name(tool.effect);
    intent.effect_key = call.id;
    intent.input = arguments;
    return intent;
}

// The outcome row, and the outcome of the row.
Json row_of(const CallOutcome& outcome) {
    return {{"text", outcome.text}, {"facts", outcome.facts}, {"truncated", outcome.truncated}, {"names", outcome.names},
            {"mendable", outcome.mendable}, {"rule", outcome.rule}, {"ms", outcome.wall.count()}, {"integrity", policy::name(outcome.integrity)}};
}

CallOutcome restored(const store::Step& step) {
    CallOutcome out;
    for (const CallState state : {CallState::done, CallState::failed, CallState::unknown})
        if (step.state == name(state)) out.state = state;
    out.text = step.outcome.value("text", "");
    out.facts = step.outcome.value("facts", Json::object());
    out.truncated = step.outcome.value("truncated", false);
    out.names = step.outcome.value("names", std::vector<std::string>{});
    out.integrity = policy::parse_integrity(step.outcome.value("integrity", ""));
    out.executed = true;
    out.mendable = step.outcome.value("mendable", false);
    out.rule = step.outcome.value("rule", "");
    for (const auto effect : {policy::Effect::idempotent, policy::Effect::transactional, policy::Effect::at_most_once})
        if (step.effect == policy::name(effect)) out.effect = effect;
    out.wall = std::chrono::milliseconds(step.outcome.value("ms", std::int64_t(0)));
    return out;
}

store::StepIntent intent_of(const store::Step& step) {
    store::StepIntent intent;
    intent.kind = step.kind;
    intent.name = step.name;
    intent.effect = step.effect;
    intent.effect_key = step.effect_key;
    intent.input = step.input;
    return intent;
}

// That the model's call is not the one that was made: the one that was made counts.
void note_differing(const Dispatch& dispatch, const store::Step& before, const router::ToolCall& call) {
    store::StepIntent now = intent_of(before);
    now.name = call.name;
    if (call.arguments.find_first_not_of(" \t\r\n") != std::string::npos) {
        auto parsed = base::parse_json(call.arguments);
        now.input = parsed ? *std::move(parsed) : Json(call.arguments);
    } else {
        now.input = Json::object();
    }
    if (!dispatch.writer.agrees(before, now))
        dispatch.log.warn("a call differs from the one that was made before the run was taken over", {{"run", dispatch.writer.run().text()}, {"call", call.id}});
}

constexpr std::chrono::milliseconds kLongUnseen{100};

// Whether a stop came since then. A process that stood still between an intent and its call (SIGSTOP, a machine that slept) has not heard of it yet.
net::Task<bool> stopped_unseen(const Dispatch& dispatch, base::SteadyPoint since) {
    bool stopped = false;
    const auto asked = [&](store::Tx& tx) { return store::stop_asked(tx, dispatch.writer.run()); };
    while (!stopped && dispatch.clock.steady() - since >= kLongUnseen) {
        since = dispatch.clock.steady();
        stopped = co_await dispatch.db.read(dispatch.writer.who(), asked);
    }
    co_return stopped;
}

// What allows a call: the rule, what it counted, and what the span tells of a person's word.
struct Leave {
    std::string rule;
    std::optional<CallCount> counted;
    Json facts = Json::object();
};

net::Task<std::optional<base::StepId>> begin(const Dispatch& dispatch, const store::StepIntent& intent, const Leave& leave) {
    std::optional<base::StepId> step;
    if (leave.counted) {
        std::function<bool(store::Tx&)> still = [&leave](store::Tx& tx) { return still_so(tx, *leave.counted); };
        step = co_await dispatch.writer.begin_if(intent, std::move(still));
    } else {
        step = co_await dispatch.writer.begin(intent);
    }
    co_return step;
}

using Writes = std::vector<std::function<void(store::Tx&)>>;

// As it is kept and told; its row is what it returns.
Json end_row(const Flight& flight, const Leave& leave, CallOutcome& outcome) {
    clean(outcome.text);
    take_out_secrets(outcome, flight.dispatch.writer.redactor());
    truncate(outcome, flight.dispatch.context.result_bytes);
    outcome.rule = leave.rule;
    outcome.wall = wall_of(flight);
    Json row = row_of(outcome);
    outcome.facts.update(leave.facts);
    return row;
}

// With what the tool writes, in one transaction. → why it is not done after all: somebody else was faster.
net::Task<std::string> end_step(const Flight& flight, const store::StepIntent& intent, base::StepId step, const Leave& leave, CallOutcome& outcome, const Writes& writes) {
    Json row = end_row(flight, leave, outcome);
    std::string state(name(outcome.state)), overtaken;
    if (writes.empty()) {
        emit_span(flight, "tool", outcome, intent.input);
        co_await flight.dispatch.writer.end(intent, step, std::move(state), std::move(row));
        co_return overtaken;
    }
    std::function<void(store::Tx&)> with_it = [&](store::Tx& tx) {
        for (const auto& write : writes) write(tx);
        emit_span(flight, "tool", outcome, intent.input);
    };
    try {
        co_await flight.dispatch.writer.end_with(intent, step, std::move(state), std::move(row), std::move(with_it));
    } catch (const store::Overtaken& e) {
        overtaken = e.what();
    }
    co_return overtaken;
}

// Intent row, effect, outcome row and span. Nothing, where it may not be begun any more as it was decided: another call was counted meanwhile.
net::Task<std::optional<CallOutcome>> ledgered(Flight flight, const Tool& tool, const Leave& leave, Json arguments) {
    const Dispatch& dispatch = flight.dispatch;
    const store::StepIntent intent = intent_of(tool, flight.call, arguments);
    const auto before = dispatch.clock.steady();
    const auto begun = co_await begin(dispatch, intent, leave);
    if (!begun) co_return std::nullopt;
    const base::StepId step = *begun;
    flight.span = base::SpanId{step.value};  // whoever takes the step over: what hangs from it was written before
    const bool too_late = co_await stopped_unseen(dispatch, before);
    CallOutcome outcome = refusal(CallState::failed, "Error: not begun: the run was stopped.");
    outcome.effect = tool.effect;
    if (!too_late) outcome = co_await run_tool(flight, tool, std::move(arguments));
    Writes writes;
    if (dispatch.context.ports) writes = std::exchange(dispatch.context.ports->writes, {});
    if (outcome.state != CallState::done) writes.clear();
    const std::string overtaken = co_await end_step(flight, intent, step, leave, outcome, writes);
    if (!overtaken.empty()) {
        outcome = refusal(CallState::failed, "Error: " + overtaken);
        outcome.effect = tool.effect;
        outcome.mendable = true;
        writes.clear();
        co_await end_step(flight, intent, step, leave, outcome, writes);
    }
    co_return outcome;
}

// What a call came to that took no effect: only the trace tells of it.
CallOutcome told(const Flight& flight, CallOutcome outcome, Json arguments) {
    outcome.wall = wall_of(flight);
    emit_span(flight, "tool", outcome, std::move(arguments));
    return outcome;
}

// What only a person may allow: the run rests until there is a word, and comes here again with it. Nothing where it is granted: `facts` tell so then.
net::Task<std::optional<CallOutcome>> with_a_word(const Flight& flight, const Tool& tool, const policy::Decision& decision, Json arguments, Json& facts) {
    store::ApprovalRequest request;
    request.effect_key = flight.call.id;
    request.tool = tool.name;
    request.arguments = arguments;
    request.rule = decision.rule;
    request.reason = decision.message;
    const auto asked = co_await flight.dispatch.writer.ask(std::move(request));
    CallOutcome outcome;
    outcome.effect = tool.effect;
    outcome.rule = decision.rule;
    outcome.state = CallState::refused;
    if (!asked) {
        outcome.text = "Error: " + asked.error().text() + std::string(kDoWithout);
        co_return told(flight, std::move(outcome), std::move(arguments));
    }
    facts = {{"approval", {{"id", asked->id.text()}, {"word", store::name(asked->state)}}}};
    if (asked->state == store::Approval::State::granted) co_return std::nullopt;
    outcome.facts = facts;
    outcome.text = asked->state == store::Approval::State::expired ? "Error: " + tool.name + " was not done: nobody answered in time." + std::string(kDoWithout)
                                                                   : "Error: the person said no to " + tool.name + "." + std::string(kDoWithout);
    co_return told(flight, std::move(outcome), std::move(arguments));
}

// The secrets that the call names, all of which it may have.
net::Task<base::Result<std::vector<std::string>>> secrets_for(const Dispatch& dispatch, const Tool& tool, const Json& arguments) {
    auto names = named_secrets(tool, arguments);
    if (!names || names->empty()) co_return names;
    if (!dispatch.secrets) co_return base::error(base::Code::unavailable, "no secret is opened here, such as secret:" + names->front());
    auto may = co_await dispatch.secrets->check(dispatch.writer.who(), *names, tool.name);
    if (!may) co_return std::move(may).error();
    co_return names;
}

// A call that is as its schema wants it: whether it may be made, and what came of it.
net::Task<CallOutcome> decided(Flight flight, const Tool& tool, Json arguments) {
    CallOutcome outcome;
    auto secrets = co_await secrets_for(flight.dispatch, tool, arguments);
    if (!secrets) {
        outcome.mendable = secrets.error().code == base::Code::invalid_argument;
        outcome.text = "Error: " + secrets.error().text() + "." + (outcome.mendable ? std::string() : std::string(kDoWithout));
        co_return told(flight, std::move(outcome), std::move(arguments));
    }
    flight.secrets = *std::move(secrets);
    // Where calls are counted, two that are decided at once do not both begin by the same count: one is decided anew.
    for (Leave leave;;) {
        const policy::Decision decision = co_await decide(flight.dispatch, tool, flight.label, !flight.secrets.empty(), leave.counted);
        leave.rule = decision.rule;
        if (decision.verdict == policy::Verdict::deny) {
            outcome = refusal(CallState::refused, "Error: " + decision.message + std::string(kDoWithout));
            outcome.rule = decision.rule;
            outcome.effect = tool.effect;
            co_return told(flight, std::move(outcome), std::move(arguments));
        }
        if (decision.verdict == policy::Verdict::ask && leave.facts.empty()) {
            auto refused = co_await with_a_word(flight, tool, decision, arguments, leave.facts);
            if (refused) co_return *std::move(refused);
        }
        auto done = co_await ledgered(flight, tool, leave, arguments);
        if (done) co_return *std::move(done);
    }
}

// A call that an earlier holder of the run began, who then went away: whether it took effect, nobody knows.
net::Task<CallOutcome> in_doubt(const Flight& flight, const store::Step& step) {
    const Dispatch& dispatch = flight.dispatch;
    const Tool* tool = dispatch.source.find(step.name);
    CallOutcome outcome;
    outcome.state = CallState::unknown;
    outcome.executed = true;
    outcome.effect = policy::Effect::at_most_once;
    outcome.rule = "at_most_once";
    outcome.text = "Error: the server stopped while " + step.name + " ran: whether it took effect is not known. Do not repeat it by yourself. To find out, " +
                   (tool && !tool->probe.empty() ? tool->probe : std::string("look at what it would have changed")) + ".";
    store::StepIntent intent = intent_of(step);
    std::string state(name(outcome.state));
    outcome.wall = wall_of(flight);
    Json row = row_of(outcome);
    emit_span(flight, "tool", outcome, step.input);
    co_await dispatch.writer.end(std::move(intent), step.id, std::move(state), std::move(row));
    co_return outcome;
}

}  // namespace

std::string_view name(CallState state) {
    switch (state) {
        case CallState::done: return "done";
        case CallState::failed: return "failed";
        case CallState::refused: return "refused";
        case CallState::unknown: return "unknown";
    }
    return "failed";
}

std::string cut_middle(const std::string& text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    const auto continues = [&](std::size_t at) { return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
    const std::size_t head = base::beginning(text, max_bytes * 2 / 3).size();
    std::size_t tail = text.size() - max_bytes / 3;
    while (continues(tail)) ++tail;
    return text.substr(0, head) + "\n[… " + std::to_string(tail - head) + " of " + std::to_string(text.size()) +
           " bytes cut here; ask for a smaller part to see them …]\n" + text.substr(tail);
}

policy::Decision decide_call(const policy::Principal& who, policy::Scope scope, const Tool& tool, bool offered, bool with_secret, policy::Integrity label, const policy::House& house) {
    policy::Action action{tool.name, tool.effect, tool.permissions, tool.scopes, offered};
    if (with_secret) action.permissions.push_back(policy::Permission::secret);
    return policy::decide(who, scope, action, label, house);
}

net::Task<policy::Decision> check(const Dispatch& dispatch, std::string tool_name, base::SpanId parent, policy::Integrity label) {
    const Tool* tool = dispatch.source.find(tool_name);
    policy::Decision decision{policy::Verdict::deny, "unknown_tool", "There is no tool \"" + tool_name + "\"."};
    if (!tool) co_return decision;
    std::optional<CallCount> counted;
    decision = co_await decide(dispatch, *tool, label, false, counted);
    router::ToolCall call;
    call.name = tool_name;
    const Flight flight{dispatch, call, parent, label, dispatch.clock.now(), dispatch.clock.steady()};
    const bool allowed = decision.verdict == policy::Verdict::allow;
    emit_span(flight, "policy", refusal(allowed ? CallState::done : CallState::refused, decision.message, decision.rule), nullptr);
    co_return decision;
}

net::Task<CallOutcome> invoke(const Dispatch& dispatch, router::ToolCall call, base::SpanId parent, policy::Integrity label) {
    const Flight flight{dispatch, call, parent, label, dispatch.clock.now(), dispatch.clock.steady()};
    const Tool* tool = dispatch.source.find(call.name);
    CallOutcome outcome;
    Json arguments = call.arguments;
    const store::Step* const before = dispatch.writer.recorded(call.id);
    if (before) note_differing(dispatch, *before, call);
    if (before && before->state != "intent") co_return restored(*before);  // its span was written by who made it
    if (before && before->effect == policy::name(policy::Effect::at_most_once)) co_return co_await in_doubt(flight, *before);
    if (dispatch.context.stop.stopped()) {
        outcome = refusal(CallState::failed, "Error: not begun: " + dispatch.context.stop.error("the run").text());
    } else if (!tool) {
        outcome = refusal(CallState::failed, "Error: there is no tool \"" + call.name + "\". The tools are: " +
                                                 listed(dispatch.source.list(dispatch.scope)) + ".");
        outcome.mendable = true;
    } else if (auto parsed = parse_arguments(*tool, call.arguments); !parsed) {
        outcome = refusal(CallState::failed, "Error: " + parsed.error().text());
        outcome.mendable = true;
    } else if (tool->effect != policy::Effect::pure && call.arguments.find(base::kRedactedBegins) != call.arguments.npos) {
        // From a history or a resumed run: what stood there is not known any more, and this would be done instead.
        outcome = refusal(CallState::failed, "Error: nothing was done: the arguments hold \"" + std::string(base::kRedactedBegins) + "…]\", which stands for a secret that was taken out." + std::string(kDoWithout));
    } else {
        co_return co_await decided(flight, *tool, *std::move(parsed));
    }
    co_return told(flight, std::move(outcome), std::move(arguments));
}

}  // namespace tools
