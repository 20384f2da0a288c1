// What people do with their schedules, whichever way they say it. In a transaction of the person.
#pragma once

#include <string>

#include "agents/schedule.h"

namespace agents {

struct KeptSchedule {
    store::Schedule schedule;
    bool merged = false;  // there was one of the same
};
// `channel`: where its answers go, in the chat where the person was last answered; empty: nowhere. Error{not_found}: there is no such chat.
base::Result<KeptSchedule> keep_schedule(store::Tx& tx, store::Schedule schedule, const std::string& channel);

enum class ScheduleChange {
    run,     // now, beside its times
    pause,
    resume,  // what came due meanwhile is not made up for
    end,
};
// As it is then. `id`: or its beginning. Error{not_found}; {conflict}: it is over.
base::Result<store::Schedule> change_schedule(store::Tx& tx, const std::string& id, ScheduleChange change, base::TimePoint now);

}  // namespace agents
