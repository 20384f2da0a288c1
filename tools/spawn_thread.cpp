#include "tools/spawn_thread.h"

#include "tools/ports.h"
#include "tools/schemas.h"

namespace tools {
namespace {

using base::Code;
using base::Json;
using base::OrderedJson;

constexpr std::size_t kLongestTask = 16000;  // bytes

net::Task<base::Result<ToolOutput>> spawn_thread(Json arguments, ToolContext& context) {
    auto task = base::string_field(arguments, "task");
    if (!task) co_return std::move(task).error();
    const bool blank = task->find_first_not_of(" \t\r\n") == std::string::npos;
    if (blank || task->size() > kLongestTask) co_return base::error(Code::invalid_argument, "task must say what to do, in at most " + std::to_string(kLongestTask) + " bytes");
    if (!context.ports || !context.ports->spawn) co_return base::error(Code::unavailable, "no thread can be spawned here", "do it yourself");
    ThreadOrder order;
    order.task = *std::move(task);
    order.call = context.call->id;
    order.agent = arguments.value("agent", "");
    order.output_tokens = arguments.value("output_tokens", 0);
    order.seconds = arguments.value("seconds", 0);
    order.threads = arguments.value("threads", 0);
    order.label = context.label;
    const auto made = context.ports->spawn(std::move(order));
    if (!made) co_return made.error();
    const auto& as = made->order;
    ToolOutput out{"The thread " + made->id.text() + " works on it now, with " + std::to_string(as.output_tokens) + " output tokens and " + std::to_string(as.seconds) +
                   " seconds. What comes of it will be told to you in a message; go on with what else there is to do, or end your reply to wait for it."};
    out.facts = {{"thread", made->id.text()}, {"agent", as.agent}, {"output_tokens", as.output_tokens}, {"seconds", as.seconds}, {"threads", as.threads}};
    out.integrity = policy::Integrity::trusted;
    co_return out;
}

}  // namespace

Tool spawn_thread_tool() {
    using policy::Scope;
    OrderedJson properties;
    properties["task"] = schemas::text("all that it has to know: it sees nothing of this conversation");
    properties["agent"] = schemas::text("the name of an agent; default: as you are");
    properties["output_tokens"] = schemas::whole("that it may write, of yours; default: half of what is left", 1, 1 << 24);
    properties["seconds"] = schemas::whole("that it may take; default 120", 1, 86400);
    properties["threads"] = schemas::whole("how many it may spawn itself; default none", 0, 16);
    OrderedJson facts = {{"type", "object"}, {"required", {"thread", "output_tokens", "seconds", "threads"}}};
    return {kSpawnThread,
            "Have a part of the work done beside yours, by a thread with a budget of its own out of yours.",
            schemas::object(std::move(properties), {"task"}),
            std::move(facts),
            {Scope::dev, Scope::home},
            policy::Effect::transactional,
            {policy::Permission::threads},
            std::chrono::milliseconds(5000),
            spawn_thread};
}

}  // namespace tools
