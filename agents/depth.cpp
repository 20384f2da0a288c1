#include "agents/depth.h"

#include "router/node_metrics.h"

namespace agents {
namespace {

constexpr double kAsked = 0.5;      // a person, or a program for one, wanted it so
constexpr double kBelieved = 0.375; // the words, or intake, suggest it

}  // namespace

double gain_of(const Turn& turn) {
    for (const ClassChange& change : turn.changes)
        if (change.to == router::ExecutionClass::heavy && (change.who == "client" || change.who == "setting")) return kAsked;
    return kBelieved;
}

void choose_depth(Turn& turn, const Frame& frame) {
    if (turn.execution != router::ExecutionClass::heavy || !turn.depth.is_null() || !frame.parts.nodes) return;
    const router::DepthChoice choice = frame.parts.nodes->choose(gain_of(turn), frame.run.text(), frame.parts.clock.now());
    turn.depth = router::to_json(choice);
    if (choice.why == "probe") turn.reasons.push_back("mathcore: heavy all the same, to learn whether thinking is well again; " + choice.told());
    if (!choice.heavy) set_class(turn, "mathcore", router::ExecutionClass::normal, "too costly: " + choice.told());
}

void note_cost(const Frame& frame, const Turn& turn, Phase phase, std::chrono::microseconds took, std::chrono::microseconds queued, const std::string& status) {
    if (!frame.parts.nodes || status == "cancelled") return;
    router::NodeEvent event;
    event.ms = std::chrono::duration<double, std::milli>(took - std::min(queued, took)).count();
    event.failed = status == "error";
    event.timed_out = status == "timeout";
    const bool probe = phase == Phase::thinking && turn.depth.is_object() && turn.depth.value("why", "") == "probe";
    frame.parts.nodes->done(std::string(name(phase)), event, frame.parts.clock.now(), probe);
}

}  // namespace agents
