// What a tool may ask of layers above its own: kept narrow, handed over in ToolContext::ports.
#pragma once

#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "store/db.h"
#include "tools/tool.h"

namespace tools {

// Other agents that take tasks: those on the menu of the agent whose call it is.
class Delegates {
public:
    virtual ~Delegates() = default;
    virtual net::Task<base::Result<ToolOutput>> ask(base::Json arguments, ToolContext& context) = 0;
};

struct Ports {
    store::Db& db;
    store::Identity who;   // whose rows the tool sees
    base::RunId run;       // that asks
    const base::Clock& clock;
    // Of a transactional tool: what it writes, committed with the outcome of its step, or never.
    std::vector<std::function<void(store::Tx&)>> writes{};
    Delegates* delegates = nullptr;  // null: none can be asked
};

}  // namespace tools
