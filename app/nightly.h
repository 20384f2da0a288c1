// What the settings say of the nightly batch and of MathCore's part in the routing.
#pragma once

#include <chrono>
#include <optional>

#include "app/settings.h"
#include "router/node_metrics.h"

namespace app {

// None: "off".
std::optional<std::chrono::minutes> nightly_time(const Settings& settings);
router::DepthSettings depth_settings(const Settings& settings);
// Errors name the setting.
base::Result<void> check_nightly(const Settings& settings);

}  // namespace app
