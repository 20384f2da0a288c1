// Whether the settings fit together and name what is there: what `hearth config check` says, and what
// `hearth serve` refuses before it makes anything.
#pragma once

#include <memory>

#include "agents/cast.h"
#include "app/settings.h"
#include "base/result.h"

namespace app {

// What was read for it.
struct Checked {
    std::shared_ptr<const agents::Cast> cast;
};

// Makes, changes and connects to nothing; the model's file is not opened (check_model does that). Errors name
// the setting.
base::Result<Checked> check_settings(const Settings& settings);

}  // namespace app
