// A schedule as it is ordered, and what becomes of it when its time has come. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agents/when.h"
#include "base/json.h"
#include "policy/types.h"
#include "store/schedules.h"

namespace agents {

struct ScheduleOrder {
    std::string when, prompt;      // in words
    std::string zone;              // whose clock; empty: the system's
    std::string agent = "hearth";
    store::Missed missed = store::Missed::once;
    bool silent = false;
};
// As it is kept, without its place. Error{invalid_argument}: what the words say cannot be; {not_found}: there is no such zone.
base::Result<std::variant<store::Schedule, Question>> schedule_of(const ScheduleOrder& order, base::TimePoint now);
// As clients read it. Times also by the clock of its zone.
base::Json to_json(const store::Schedule& schedule);
base::Json to_json(const store::Fire& fire);

// How whoever acts for a schedule has come in (policy::Principal::via), and whether somebody has come in so.
std::string via_schedule(store::ScheduleId id);
bool is_scheduled(const policy::Principal& principal);

// What is seen to later than that was missed.
inline constexpr std::chrono::minutes kStillOnTime{5};

// How many of those that were missed Missed::all makes up for, the last ones.
inline constexpr int kMostMadeUp = 24;

struct Due {
    std::optional<base::TimePoint> fires;    // for which a run begins
    std::optional<base::TimePoint> skipped;  // the first of those that nothing comes of
    std::string why;                         // of what was skipped
    std::optional<base::TimePoint> next;     // when it comes due again; of Missed::all maybe at once
};
// Of one that is due at schedule.next, and it is `now`. Error{corrupt}: its row cannot be read; {not_found}: its zone is gone.
base::Result<Due> due_of(const store::Schedule& schedule, base::TimePoint now);
// The first time after `now`; nothing: it is over. Errors as above.
base::Result<std::optional<base::TimePoint>> next_of(const store::Schedule& schedule, base::TimePoint now);

// Each time from now until then, of each day there the first so many; none where it is paused or over. Errors as above.
base::Result<std::vector<base::TimePoint>> coming_of(const store::Schedule& schedule, base::TimePoint until, std::size_t most_of_day);

// What an agent is told that works on it, beside what is to be done.
std::string scheduled_manner(const store::Schedule& schedule, base::TimePoint instant);
// Its answer as it is told: without phrases that nobody needs who has asked nothing. Empty: there is nothing to say.
std::string scheduled_words(const std::string& answer, bool silent);

}  // namespace agents
