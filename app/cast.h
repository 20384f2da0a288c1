// The agents of this installation.
#pragma once

#include <memory>

#include "agents/cast.h"
#include "app/settings.h"

namespace app {

// Those that come with Hearth and those of agents.file. An error where a menu does not hold with the built-in tools.
base::Result<std::shared_ptr<const agents::Cast>> cast_of(const Settings& settings);

}  // namespace app
