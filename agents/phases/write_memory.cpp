#include "agents/phases/phases.h"
#include "agents/session.h"

namespace agents::phases {

net::Task<base::Result<Phase>> write_memory(Turn& turn, PhaseContext& context) {
    co_await store_answer(context.frame, turn.answer, turn.client_calls);
    co_return Phase::done;
}

}  // namespace agents::phases
