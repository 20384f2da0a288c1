// What holds of a run however often its process was killed, looked at from outside.
#pragma once

#include <string>
#include <vector>

#include "life.h"

namespace kill_matrix {

// A run as it is without a kill.
struct Whole {
    base::Json transcript, spans;
};
Whole whole_of(store::Tx& tx, base::RunId run);

struct Verdict {
    std::string state;
    std::vector<std::string> faults;
};
Verdict judge(store::Tx& tx, const Setting& setting, base::RunId run, const Whole& expected);

}  // namespace kill_matrix
