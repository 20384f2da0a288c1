#include "tools/schedule.h"

#include "tools/ports.h"
#include "tools/schemas.h"

namespace tools {
namespace {

net::Task<base::Result<ToolOutput>> schedule(base::Json arguments, ToolContext& context) {
    if (!context.ports || !context.ports->schedule) co_return base::error(base::Code::unavailable, "nothing can be scheduled here", "say so to the person");
    co_return co_await context.ports->schedule(std::move(arguments), context);
}

}  // namespace

Tool schedule_tool() {
    base::OrderedJson properties;
    properties["when"] = schemas::text("in the person's words, such as 'every weekday at 8am', 'tomorrow at 18:30', 'in 20 minutes'");
    properties["task"] = schemas::text("what is to be done or said then, whole: nothing of this conversation will be known");
    properties["end"] = schemas::text("the id of one that is to end");
    return {kSchedule,
            "Remind the person, or do something for them, at a later time or again and again: with when and task. With nothing it lists what is scheduled.",
            schemas::object(std::move(properties)),
            schemas::facts({{"schedules", "array"}}),
            {policy::Scope::home},
            policy::Effect::transactional,
            {policy::Permission::threads},
            std::chrono::milliseconds(5000),
            schedule};
}

}  // namespace tools
