// What is to be done when, and each time that it came due. A time comes due once, whichever processes look: its row (schedule, instant)
// is written in the transaction that moves the schedule on, and gets its run in the transaction that takes the run in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/db.h"

namespace store {

using ScheduleId = base::Id<struct ScheduleTag>;

// What becomes of times that passed while nobody was there to see to them.
enum class Missed {
    skip,  // nothing
    once,  // the last of them is made up for
    all,   // each of them, in order
};
std::string_view name(Missed missed);
std::optional<Missed> parse_missed(std::string_view text);

struct Schedule {
    ScheduleId id;
    std::string said, cron, zone;  // cron empty: once
    std::string prompt, agent;
    Missed missed = Missed::once;
    bool silent = false;           // nothing is said where there is nothing to say
    bool trusted = true;           // what it was made from
    std::string bridge, chat;      // where the answer goes; empty: it is kept with its run
    bool paused = false;
    std::optional<base::TimePoint> next;
    base::TimePoint created{};
    std::optional<base::TimePoint> ended;
};

inline constexpr int kMostSchedules = 100;  // of a person, that have not ended

struct Added {
    ScheduleId id;
    bool merged = false;  // there was one of the same
};
// With its first time in `next`. Error{invalid_argument}: a prompt that is empty or too long; {resource_exhausted} beyond kMostSchedules.
base::Result<Added> add_schedule(Tx& tx, const Schedule& schedule);
// Whose clock schedules go by that name none: of the household, as its servers' settings have it. Empty: the machine's.
std::string household_zone(Tx& tx);
// In a transaction of the owner.
void set_household_zone(Tx& tx, const std::string& zone);
// The next to come first; with `ended` also those that never will.
std::vector<Schedule> list_schedules(Tx& tx, bool ended);
// By id or the beginning of one. Error{not_found}; {conflict}: several begin so.
base::Result<Schedule> find_schedule(Tx& tx, const std::string& id);
void pause_schedule(Tx& tx, ScheduleId id);
void resume_schedule(Tx& tx, ScheduleId id, base::TimePoint next);
void end_schedule(Tx& tx, ScheduleId id);
// Where this person is answered alone on the channel, the chat of last; nothing: nowhere yet.
std::optional<std::string> chat_of(Tx& tx, const std::string& bridge);
// The channel and the chat in which the conversation is held; nothing: in none.
std::optional<std::pair<std::string, std::string>> chat_with(Tx& tx, base::ConversationId conversation);

struct Fire {
    ScheduleId schedule;
    base::TimePoint instant{};
    std::string state;    // due | working | done | skipped | refused
    base::RunId run;      // nil: it has none
    std::string outcome;  // "told", "kept", "nothing to say"; why it was skipped or refused
};
// The newest first.
std::vector<Fire> fires_of(Tx& tx, ScheduleId id, int most);

// In a transaction that knows the tenant; of no person.
struct DueSchedule {
    ScheduleId id;
    Identity who;
};
std::vector<DueSchedule> due_schedules(Tx& tx, base::TimePoint now, int most);
struct OpenFire {
    ScheduleId schedule;
    base::TimePoint instant{};
    Identity who;
    std::string role;
    base::RunId run;  // that has ended; nil: it waits for one
};
std::vector<OpenFire> open_fires(Tx& tx, int most);

// In a transaction of its person. Held until its end; nothing: it is not due any more, or another process has it.
std::optional<Schedule> take_due(Tx& tx, ScheduleId id, base::TimePoint now);
// `state`: due, or skipped with why. False: that time came due before.
bool note_fire(Tx& tx, ScheduleId id, base::TimePoint instant, const std::string& state, const std::string& outcome = {});
void move_on(Tx& tx, ScheduleId id, std::optional<base::TimePoint> next);
// The run is for it. False: it has one already.
bool give_run(Tx& tx, const OpenFire& fire, base::RunId run);
// False: somebody has settled it meanwhile.
bool settle_fire(Tx& tx, const OpenFire& fire, const std::string& state, const std::string& outcome);

// Those of all houses that ended before; how many, at most so many. Needs no person.
std::int64_t erase_fires(Tx& tx, base::TimePoint before, int most);

}  // namespace store
