#include "agents/phases/phases.h"
#include "agents/session.h"

namespace agents::phases {

net::Task<base::Result<Phase>> write_memory(Turn& turn, PhaseContext& context) {
    const auto append = [&](store::Tx& tx) { append_answer(tx, context.frame, turn); };
    co_await context.frame.parts.db.run(context.frame.who, append);
    co_return Phase::done;
}

}  // namespace agents::phases
