// Work that nobody waits for lets people go first.
#pragma once

#include <functional>

#include "base/stop.h"
#include "net/task.h"
#include "router/types.h"

namespace agents {

// While `busy` says so, until `stop`.
net::Task<void> let_people_first(std::function<bool()> busy, base::StopToken stop);

// Whether a call that gives way (router/gateway_calls.cpp) ended because somebody else called a model meanwhile.
bool gave_way(const base::Result<router::ModelReply>& reply, const base::StopToken& stop);

}  // namespace agents
