// The model's file as the settings want it loaded, and what a person is told when it cannot be.
#pragma once

#include <filesystem>

#include "app/settings.h"
#include "engine/engine.h"

namespace app {

engine::LoadOptions load_options(const Settings& settings, const std::filesystem::path& file);

// The engine's error with what to do about it on the command line.
base::Error model_error(base::Error error);

// Whether the embedded model could be loaded, before anything is: file, family, memory. Fine too when
// a script or an upstream answers in its place.
base::Result<void> check_model(const Settings& settings);

}  // namespace app
