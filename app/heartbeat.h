// What the settings say of the heartbeat.
#pragma once

#include "agents/heartbeat.h"
#include "app/settings.h"

namespace app {

// Error{invalid_argument} naming a kind that there is not.
base::Result<agents::Heartbeat::Options> heartbeat_options(const Settings& settings);

}  // namespace app
