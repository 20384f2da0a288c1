#include "agents/phases/phases.h"
#include "memory/recall.h"

namespace agents::phases {

net::Task<base::Result<Phase>> retrieve(Turn& turn, PhaseContext& context) {
    const int window = recall_window(turn.execution);
    const auto similar = [&](store::Tx& tx) { return store::similar_facts(tx, turn.request, window); };
    const std::vector<store::Fact> found = co_await context.frame.parts.db.read(context.frame.who, similar);
    turn.facts.clear();
    for (const store::Fact& fact : memory::pack(found, memory::kRecallBytes)) {
        turn.facts.push_back(memory::told(fact));
        if (!fact.trusted) turn.label = policy::Integrity::untrusted;
    }
    co_return after_retrieve(turn);
}

}  // namespace agents::phases
