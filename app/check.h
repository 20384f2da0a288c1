// Whether the settings fit together and name what is there: what `hearth config check` says, and what
// `hearth serve` refuses before it makes anything.
#pragma once

#include "app/settings.h"
#include "base/result.h"

namespace app {

// Makes, changes and connects to nothing; the model's file is not opened (check_model does that). Errors name
// the setting.
base::Result<void> check_settings(const Settings& settings);

}  // namespace app
