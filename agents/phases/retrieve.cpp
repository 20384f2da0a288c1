#include "agents/phases/phases.h"
#include "memory/recall.h"

namespace agents::phases {

net::Task<base::Result<Phase>> retrieve(Turn& turn, PhaseContext& context) {
    const Frame& frame = context.frame;
    if (!frame.memory) co_return after_retrieve(turn);
    const auto window = std::size_t(recall_window(turn.execution));
    const auto read = [&](store::Tx& tx) { return frame.memory->recall(tx, turn.request, frame.parts.clock.now(), window); };
    const std::vector<memory::RecalledFact> found = co_await frame.parts.db.read(frame.who, read);
    turn.facts.clear();
    turn.sources = base::Json::array();
    for (const memory::RecalledFact& one : memory::pack(found, memory::kRecallBytes)) {
        turn.facts.push_back(memory::told(one.fact));
        turn.sources.push_back(memory::source_of(one));
        if (!one.fact.trusted) turn.label = policy::Integrity::untrusted;
    }
    co_return after_retrieve(turn);
}

}  // namespace agents::phases
