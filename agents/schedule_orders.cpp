#include "agents/schedule_orders.h"

namespace agents {
namespace {

using base::Code;

base::Result<void> resume(store::Tx& tx, const store::Schedule& schedule, base::TimePoint now) {
    const auto next = next_of(schedule, now);
    if (!next) return next.error();
    if (!*next) return base::error(Code::conflict, "its time has passed while it was paused", "have it done now, or end it");
    store::resume_schedule(tx, schedule.id, **next);
    return {};
}

base::Result<void> change_found(store::Tx& tx, const store::Schedule& schedule, ScheduleChange change, base::TimePoint now) {
    const bool goes_on = change == ScheduleChange::pause || change == ScheduleChange::resume;
    if (goes_on && schedule.ended) return base::error(Code::conflict, "the schedule " + schedule.id.text() + " is over", "add it anew");
    switch (change) {
        case ScheduleChange::run: store::note_fire(tx, schedule.id, now, "due"); break;
        case ScheduleChange::pause: store::pause_schedule(tx, schedule.id); break;
        case ScheduleChange::resume: return resume(tx, schedule, now);
        case ScheduleChange::end: store::end_schedule(tx, schedule.id); break;
    }
    return {};
}

}  // namespace

base::Result<KeptSchedule> keep_schedule(store::Tx& tx, store::Schedule schedule, const std::string& channel) {
    if (!channel.empty()) {
        const auto chat = store::chat_of(tx, channel);
        if (!chat) return base::error(Code::not_found, "nobody has written to you from '" + channel + "' yet, so there is no chat to answer in", "write to the assistant there first (docs/bridges.md)");
        schedule.bridge = channel;
        schedule.chat = *chat;
    }
    const auto added = store::add_schedule(tx, schedule);
    if (!added) return added.error();
    auto kept = store::find_schedule(tx, added->id.text());
    if (!kept) return std::move(kept).error();
    return KeptSchedule{*std::move(kept), added->merged};
}

base::Result<store::Schedule> change_schedule(store::Tx& tx, const std::string& id, ScheduleChange change, base::TimePoint now) {
    const auto found = store::find_schedule(tx, id);
    if (!found) return found.error();
    if (auto done = change_found(tx, *found, change, now); !done) return std::move(done).error();
    return store::find_schedule(tx, found->id.text());
}

}  // namespace agents
