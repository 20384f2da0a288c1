// What a tool may ask of layers above its own: kept narrow, handed over in ToolContext::ports.
#pragma once

#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "store/db.h"

namespace tools {

struct Ports {
    store::Db& db;
    store::Identity who;   // whose rows the tool sees
    base::RunId run;       // that asks
    const base::Clock& clock;
    // Of a transactional tool: what it writes, committed with the outcome of its step, or never.
    std::vector<std::function<void(store::Tx&)>> writes{};
};

}  // namespace tools
