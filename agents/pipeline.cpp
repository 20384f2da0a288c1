#include "agents/pipeline.h"

#include <algorithm>

#include "agents/depth.h"
#include "agents/events.h"
#include "agents/phases/phases.h"
#include "agents/run_agent.h"
#include "agents/sayings.h"
#include "store/traces.h"

namespace agents {
namespace {

using namespace std::chrono_literals;

const PhaseRow& row_of(Phase phase) {
    for (const PhaseRow& row : phase_table())
        if (row.phase == phase) return row;
    throw std::logic_error("no phase " + std::string(name(phase)));
}

// How a phase went, as telemetry has it.
const char* status_of(base::Code code) {
    return code == base::Code::deadline ? "timeout" : code == base::Code::cancelled ? "cancelled" : "error";
}

// What a phase began with.
struct Before {
    base::SteadyPoint start;
    std::size_t changes = 0;               // of the class
    std::chrono::microseconds queued{0};   // by the run's calls of models
};

void report(Frame& frame, const PhaseRow& row, base::Span span, const Before& before, const Turn& turn, const std::string& error, const char* status) {
    span.duration = since(frame, before.start);
    span.error = error;
    span.attributes = {{"class", router::name(turn.execution)}, {"next", name(turn.phase)}};
    for (std::size_t i = before.changes; i < turn.changes.size(); ++i) span.attributes["class_changes"].push_back(to_json(turn.changes[i]));
    // What was said stands in the body, which can be forgotten.
    if (row.phase == Phase::recompose && !turn.claims.empty()) span.body["claims"] = to_json(turn)["claims"];
    if (row.phase == Phase::arbiter) span.attributes["reasons"] = turn.reasons;
    if (!turn.depth.is_null() && (row.phase == Phase::intake || row.phase == Phase::arbiter)) span.attributes["depth"] = turn.depth;
    if (row.phase == Phase::intake) {
        span.attributes.update({{"machine", turn.machine}, {"tools", turn.needs_tools}});
        span.body["goal"] = turn.goal;
    }
    if (row.phase == Phase::recompose && turn.asked_language) span.attributes["language"] = "asked for anew";
    if (row.phase == Phase::retrieve) span.attributes.update({{"facts", turn.facts.size()}, {"sources", turn.sources}});
    store::TelemetryEvent event;
    event.event = "GRAPH_NODE_DONE";
    event.node = name(row.phase);
    event.latency_ms = double(span.duration.count()) / 1000.0;
    event.error = error;
    event.tenant = frame.who.tenant;
    event.person = frame.who.person;
    event.run = frame.run;
    if (status == std::string_view("ok") && span.duration >= row.deadline) status = "timeout";  // it made do with what there was
    event.status = status;
    event.execution = router::name(turn.execution);
    note_cost(frame, turn, row.phase, span.duration, frame.sums.usage.queued - before.queued, status);
    frame.writer.emit(std::move(event));
    frame.writer.emit(std::move(span));
    frame.parts.metrics.observe("hearth_phase_seconds", std::chrono::duration<double>(since(frame, before.start)).count(),
                                {{"phase", std::string(name(row.phase))}});
}

// A phase that fails ends the turn with what there is. An answer is still written down, and that it was cut is said.
Phase failed(Frame& frame, Turn& turn, Phase phase, const base::Error& error) {
    turn.state = final_state(end_of(error));
    turn.error = error.text();
    turn.code = error.code;
    if (error.code == base::Code::deadline && phase != Phase::write_memory) say_cut(frame, turn);
    return phase == Phase::write_memory || turn.answer.empty() ? Phase::done : Phase::write_memory;
}

}  // namespace

const std::vector<PhaseRow>& phase_table() {
    // phase | function | deadline | temperature | reply tokens | prompt
    static const std::vector<PhaseRow> table = {
        {Phase::arbiter, phases::arbiter, 1s, 0, 0, ""},
        {Phase::intake, phases::intake, 60s, 0, 160, "intake"},
        {Phase::retrieve, phases::retrieve, 5s, 0, 0, "retrieve"},
        {Phase::copilot, phases::copilot, 180s, 0, 512, "copilot"},
        {Phase::thinking, phases::thinking, 120s, 0.3, 512, "thinking"},
        {Phase::recompose, phases::recompose, 300s, 0.3, 8192, "recompose"},
        {Phase::write_memory, phases::write_memory, 10s, 0, 0, ""},
    };
    return table;
}

std::string alias_of(const Options& options, Phase phase) {
    const auto found = options.phase_alias.find(std::string(name(phase)));
    return found == options.phase_alias.end() ? options.model : found->second;
}

Phase after_arbiter(const Turn& turn) {
    if (turn.errand || turn.resumes_client) return Phase::copilot;
    return turn.execution == router::ExecutionClass::fast ? Phase::retrieve : Phase::intake;
}

Phase after_intake(const Turn& turn) { return turn.state == "refused" ? Phase::write_memory : Phase::retrieve; }

Phase after_retrieve(const Turn& turn) {
    if (turn.execution == router::ExecutionClass::fast) return Phase::recompose;
    if (turn.needs_tools) return Phase::copilot;
    return turn.execution == router::ExecutionClass::heavy ? Phase::thinking : Phase::recompose;
}

Phase after_copilot(const Turn& turn) {
    if (!turn.client_calls.empty()) return Phase::write_memory;
    if (!turn.claims.empty()) return Phase::recompose;  // which asked for it
    return turn.execution == router::ExecutionClass::heavy ? Phase::thinking : Phase::recompose;
}

void say_cut(const Frame& frame, Turn& turn) {
    const base::Language language = language_spoken(turn.request);
    ChatEvent event;
    event.text = turn.answer.empty() ? said(language, Saying::cut_before) : "\n\n" + said(language, Saying::cut_within);
    turn.answer += event.text;
    frame.emit(std::move(event));
}

int section_window(router::ExecutionClass execution) {
    switch (execution) {
        case router::ExecutionClass::fast: return 1;
        case router::ExecutionClass::normal: return 2;
        case router::ExecutionClass::heavy: return 4;
    }
    return 2;
}

int segment_window(router::ExecutionClass execution) {
    switch (execution) {
        case router::ExecutionClass::fast: return 1;
        case router::ExecutionClass::normal: return 3;
        case router::ExecutionClass::heavy: return 6;
    }
    return 3;
}

// A short memory for chit-chat, a long one for research.
int recall_window(router::ExecutionClass execution) {
    switch (execution) {
        case router::ExecutionClass::fast: return 3;
        case router::ExecutionClass::normal: return 8;
        case router::ExecutionClass::heavy: return 20;
    }
    return 8;
}

net::Task<void> run_pipeline(Frame& frame, const Layout& layout, Turn& turn) {
    while (turn.phase != Phase::done) {
        const PhaseRow& row = row_of(turn.phase);
        const auto start = frame.parts.clock.steady();
        // What is written down is written down after a stop too.
        const base::StopSource timed(row.phase == Phase::write_memory ? base::StopToken() : frame.stop, start + row.deadline);
        if (turn.span.is_nil()) turn.span = base::SpanId::make(frame.parts.clock.now());
        base::Span span = span_of(frame, turn.span, frame.root, "phase", std::string(name(row.phase)));
        ChatEvent event;
        event.kind = ChatEvent::Kind::phase;
        event.name = name(row.phase);
        frame.emit(std::move(event));

        PhaseContext context{frame, layout, row, span.id, timed.token()};
        const Before before{start, turn.changes.size(), frame.sums.usage.queued};
        base::Result<Phase> next = Phase::done;
        try {
            next = co_await row.run(turn, context);
        } catch (const std::exception& e) {
            report(frame, row, std::move(span), before, turn, e.what(), "cancelled");  // the phase is not over; what hangs from it is written already
            throw;
        }
        turn.phase = next ? *next : failed(frame, turn, row.phase, next.error());
        report(frame, row, std::move(span), before, turn, next ? std::string() : next.error().text(), next ? "ok" : status_of(next.error().code));
        turn.span = base::SpanId::make(frame.parts.clock.now());
        turn.sums = frame.sums;
        turn.told = frame.told->last();
        frame.writer.defer_turn(to_json(turn));
    }
}

}  // namespace agents
