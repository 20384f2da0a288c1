#include <algorithm>

#include "agents/depth.h"
#include "agents/phases/phases.h"
#include "agents/transcript.h"
#include "base/utf8.h"

namespace agents::phases {
namespace {

using base::Json;

constexpr const char* kMachines[] = {"talk", "act", "explain"};
constexpr std::size_t kGoalBytes = 300;

base::OrderedJson schema() {
    base::OrderedJson machines = base::OrderedJson::array();
    for (const char* machine : kMachines) machines.push_back(machine);
    return {{"type", "object"},
            {"properties",
             {{"goal", {{"type", "string"}, {"maxLength", 200}}},
              {"tools", {{"type", "boolean"}}},
              {"class", {{"enum", {"normal", "heavy"}}}},
              {"machine", {{"enum", machines}}}}},
            {"required", {"goal", "tools", "class", "machine"}},
            {"additionalProperties", false}};
}

// What the words alone suggest, when the model's reply is no use.
void fall_back(Turn& turn, const std::string& why) {
    turn.reasons.push_back("intake by default: " + why);
    turn.goal = base::beginning(turn.request, kGoalBytes);
    turn.needs_tools = turn.outside;
    turn.machine = turn.outside ? "act" : "talk";
}

void take(Turn& turn, const Json& reply) {
    turn.goal = base::beginning(reply.value("goal", turn.request), kGoalBytes);
    // A file that is named cannot be answered about without a look, whatever the model makes of it.
    turn.needs_tools = turn.needs_tools || reply.value("tools", turn.outside);
    turn.machine = reply.value("machine", "talk");
    if (std::find(std::begin(kMachines), std::end(kMachines), turn.machine) == std::end(kMachines)) turn.machine = "talk";
    if (reply.value("class", "normal") == "heavy" && turn.execution != router::ExecutionClass::heavy) {
        set_class(turn, "intake", router::ExecutionClass::heavy, "needs several steps of thought");
        turn.reasons.push_back("intake: heavy");
    }
}

}  // namespace

net::Task<base::Result<Phase>> intake(Turn& turn, PhaseContext& context) {
    const auto refused = co_await refuse_foreign_tools(turn, context);
    if (!refused) co_return refused.error();
    if (*refused) co_return after_intake(turn);
    auto instruction = prompt(context.frame, context.row.prompt);
    if (!instruction) co_return std::move(instruction).error();
    router::ModelRequest request = request_of(context, with_note(context.layout.shared, *instruction));
    request.response_schema = schema();
    base::Result<router::ModelReply> reply = co_await model_step(context.frame, std::move(request), context.span);
    const bool own_deadline = !context.frame.stop.stopped();
    if (!reply) {
        if (reply.error().code != base::Code::deadline || !own_deadline) co_return std::move(reply).error();
        fall_back(turn, reply.error().message);
    } else if (reply->finish == router::FinishReason::cancelled) {
        co_return base::error(base::Code::cancelled, "the run was stopped");
    } else if (auto parsed = base::parse_json(reply->message.text()); parsed && parsed->is_object()) {
        try {
            take(turn, *parsed);
        } catch (const Json::exception& e) {
            fall_back(turn, e.what());
        }
    } else {
        fall_back(turn, parsed ? "the reply is no JSON object" : parsed.error().message);
    }
    if (context.layout.tools.empty()) turn.needs_tools = false;
    choose_depth(turn, context.frame);
    co_return after_intake(turn);
}

}  // namespace agents::phases
