// What holds of a run whenever it was added to, stopped and taken over, looked at from outside.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/db.h"

namespace schedules {

// What the clients of a run have done and heard.
struct Heard {
    std::string key, question;                // like no other's
    base::RunId run;                          // nil: nobody has heard of one
    bool begun = false;                       // somebody was told that his request began it
    std::vector<std::string> added, refused;  // texts
    std::optional<std::int64_t> steps_at_stop;
    bool stop_refused = false;
    std::vector<std::string> faults;          // that were seen at once
};

struct Verdict {
    std::string state;
    bool taken_over = false;
    int read_by_turn = 0;  // inputs
    std::vector<std::string> faults;
};
Verdict judge(store::Tx& tx, const Heard& heard);

}  // namespace schedules
