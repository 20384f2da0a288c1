// A run as hearth run show tells it. Pure; the run as GET /v1/runs/{id} gives it.
#pragma once

#include <string>

#include "base/json.h"

namespace app {

// What it is asked, how far it is, what it waits for, what it used, and its answer last.
std::string run_page(const base::Json& run);
// What an approval is about: the call with its arguments, why a word is needed, and by which rule.
std::string approval_lines(const base::Json& approval);

}  // namespace app
