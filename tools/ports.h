// What a tool may ask of layers above its own: kept narrow, handed over in ToolContext::ports.
#pragma once

#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "policy/types.h"
#include "store/db.h"
#include "tools/tool.h"

namespace memory {
class PersonIndexes;
}

namespace tools {

// Other agents that take tasks: those on the menu of the agent whose call it is.
class Delegates {
public:
    virtual ~Delegates() = default;
    virtual net::Task<base::Result<ToolOutput>> ask(base::Json arguments, ToolContext& context) = 0;
};

// A thread that is to be spawned; 0, "": what is usual.
struct ThreadOrder {
    std::string task, agent;
    std::string call;  // the id of the call that orders it
    int output_tokens = 0, seconds = 0, threads = 0;
    policy::Integrity label = policy::Integrity::trusted;  // of what the task was made from
};
struct SpawnedThread {
    base::ConversationId id;
    ThreadOrder order;  // as it was granted
};

struct Ports {
    store::Db& db;
    store::Identity who;   // whose rows the tool sees
    base::RunId run;       // that asks
    const base::Clock& clock;
    // Of a transactional tool: what it writes, committed with the outcome of its step, or never.
    std::vector<std::function<void(store::Tx&)>> writes{};
    Delegates* delegates = nullptr;  // null: none can be asked
    // Grants it out of the run's budget, and adds to `writes` what begins it. Empty: none can be spawned.
    std::function<base::Result<SpawnedThread>(ThreadOrder)> spawn{};
    // What the tool `schedule` does. Empty: nothing can be scheduled.
    std::function<net::Task<base::Result<ToolOutput>>(base::Json arguments, ToolContext&)> schedule{};
    memory::PersonIndexes* memory = nullptr;  // null: nothing is recalled
    base::AudienceId company{};  // others read the answer: the group of those who do, for whom what is told is remembered; nil: nobody else does
    std::function<std::string(base::TimePoint)> wall_clock{};  // as the household reads it, with its zone; empty: nobody says
};

}  // namespace tools
