// Which run a person means who names one on the command line.
#pragma once

#include <string>

#include "base/result.h"

namespace app {

// The id that `wanted` is, or begins as the list shows it; the newest for nothing. Asks the server; Error{not_found}, or
// {invalid_argument} for what is no id and for the beginning of several.
base::Result<std::string> run_named(const std::string& socket, const std::string& wanted);

// "there is no run …", and how to find one.
base::Error no_run(const std::string& wanted);

}  // namespace app
