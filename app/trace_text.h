// Runs as a person reads them in a terminal. Pure; the runs as GET /v1/runs and GET /v1/runs/{id} give them.
#pragma once

#include <cstddef>
#include <string>

#include "base/json.h"

namespace app {

struct Look {
    std::size_t columns = 80;
    bool coloured = false;
};

// Question, answer, and the timeline of the run's spans with what each did; what is long is cut, and says so.
std::string run_text(const base::Json& run, Look look);
// One line a run, under a line of headings.
std::string runs_text(const base::Json& runs, Look look);
// The part of a run's id that the list shows and that names it: of its time, to the millisecond.
std::string short_id(const std::string& id);

}  // namespace app
