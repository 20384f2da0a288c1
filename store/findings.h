// What the heartbeat sees, each with whether it was said. In transactions of the owner.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

// Whether it is time for the next beat; of several processes that ask, one is told so.
bool claim_beat(Tx& tx, std::chrono::seconds between);

// Of the database, counted and nothing more.
struct Surveyed {
    std::string kind, key, subject;
    std::int64_t count = 0;
};
std::vector<Surveyed> survey(Tx& tx);

struct Finding {
    std::string kind, key, body;
    base::TimePoint first{};
    bool told = false;
};
// They are what there is now. What comes again after less than kRest is the same as before.
inline constexpr std::chrono::hours kRest{6};
void note_findings(Tx& tx, const std::vector<Finding>& now);
// The oldest first.
std::vector<Finding> list_findings(Tx& tx);
void note_told(Tx& tx, const Finding& finding);
// Whether the person talks in the chat just now: a run works there, or something was said a moment ago.
bool talks_in(Tx& tx, const std::string& bridge, const std::string& chat);

}  // namespace store
