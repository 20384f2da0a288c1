#include "agents/phases/phases.h"
#include "agents/session.h"

namespace agents::phases {

net::Task<base::Result<Phase>> write_memory(Turn& turn, PhaseContext& context) {
    append_answer(context.frame, turn);
    co_return Phase::done;
}

}  // namespace agents::phases
