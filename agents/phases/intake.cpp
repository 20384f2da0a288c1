#include <algorithm>
#include <cctype>

#include "agents/phases/phases.h"
#include "agents/transcript.h"

namespace agents::phases {
namespace {

using base::Json;

constexpr const char* kMachines[] = {"talk", "act", "explain"};
constexpr std::size_t kGoalBytes = 300;
constexpr const char* kNothing = "none";

base::OrderedJson schema(const std::vector<std::string>& foreign) {
    base::OrderedJson machines = base::OrderedJson::array();
    for (const char* machine : kMachines) machines.push_back(machine);
    base::OrderedJson out = {{"type", "object"},
                             {"properties",
                              {{"goal", {{"type", "string"}, {"maxLength", 200}}},
                               {"tools", {{"type", "boolean"}}},
                               {"class", {{"enum", {"normal", "heavy"}}}},
                               {"machine", {{"enum", machines}}}}},
                             {"required", {"goal", "tools", "class", "machine"}},
                             {"additionalProperties", false}};
    if (foreign.empty()) return out;
    base::OrderedJson wants = {kNothing};
    for (const std::string& tool : foreign) wants.push_back(tool);
    out["properties"]["wants"] = {{"enum", wants}};
    out["required"].push_back("wants");
    return out;
}

std::string joined(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
}

// What the words alone suggest, when the model's reply is no use.
void fall_back(Turn& turn, const std::string& why) {
    turn.reasons.push_back("intake by default: " + why);
    turn.goal = turn.request.substr(0, kGoalBytes);
    turn.needs_tools = turn.outside;
    turn.machine = turn.outside ? "act" : "talk";
}

void take(Turn& turn, const Json& reply) {
    turn.goal = reply.value("goal", turn.request).substr(0, kGoalBytes);
    turn.needs_tools = reply.value("tools", turn.outside);
    turn.machine = reply.value("machine", "talk");
    if (std::find(std::begin(kMachines), std::end(kMachines), turn.machine) == std::end(kMachines)) turn.machine = "talk";
    if (reply.value("class", "normal") == "heavy" && turn.execution != router::ExecutionClass::heavy) {
        turn.execution = router::ExecutionClass::heavy;
        turn.reasons.push_back("intake: heavy");
    }
}

// The tools of `foreign` that the request asks for, as intake understood it; without a word of its own, as it wants tools.
std::vector<std::string> wanted(const std::vector<std::string>& foreign, const Json& reply, const Turn& turn) {
    const std::string wants = reply.is_object() && reply.contains("wants") && reply["wants"].is_string() ? reply["wants"].get<std::string>() : "";
    if (wants.empty()) return turn.needs_tools ? foreign : std::vector<std::string>{};
    return std::find(foreign.begin(), foreign.end(), wants) == foreign.end() ? std::vector<std::string>{} : std::vector<std::string>{wants};
}

// A tool that the person asks for and this scope does not have is refused before anything is tried,
// by the same policy and with the same record as a call of it.
void refuse(Turn& turn, PhaseContext& context, const std::vector<std::string>& tools) {
    tools::Ports ports{context.frame.parts.db, context.frame.who, context.frame.run, context.frame.parts.clock};
    const tools::Dispatch dispatch = dispatch_of(context.frame, ports, context.stop);
    for (const std::string& tool : tools) {
        const policy::Decision decision = tools::check(dispatch, tool, context.span, policy::Integrity::trusted);
        if (decision.verdict == policy::Verdict::allow) continue;
        turn.state = "refused";
        turn.error = decision.message;
        turn.answer = decision.message;
        ++context.frame.refused_calls;
        ChatEvent event;
        event.text = turn.answer;
        context.frame.emit(std::move(event));
        return;
    }
}

}  // namespace

std::vector<std::string> foreign_tools(const Turn& turn, const PhaseContext& context) {
    std::string words = " ";
    for (char c : turn.request) words += std::isalnum(static_cast<unsigned char>(c)) || c == '_' ? char(std::tolower(static_cast<unsigned char>(c))) : ' ';
    words += ' ';
    std::vector<std::string> out;
    const auto& offered = context.layout.tools;
    for (policy::Scope scope : {policy::Scope::dev, policy::Scope::home})
        for (const tools::Tool* tool : context.frame.parts.tools.list(scope)) {
            const bool named = words.find(" " + tool->name + " ") != std::string::npos;
            const bool ours = std::any_of(offered.begin(), offered.end(), [&](const auto& one) { return one.name == tool->name; });
            if (named && !ours && std::find(out.begin(), out.end(), tool->name) == out.end()) out.push_back(tool->name);
        }
    return out;
}

net::Task<base::Result<Phase>> intake(Turn& turn, PhaseContext& context) {
    auto instruction = prompt(context.frame, context.row.prompt);
    if (!instruction) co_return std::move(instruction).error();
    const std::vector<std::string> foreign = foreign_tools(turn, context);
    if (!foreign.empty()) {
        auto more = prompt(context.frame, "intake_wants", {{"tools", joined(foreign)}});
        if (!more) co_return std::move(more).error();
        *instruction += "\n" + *more;
    }
    router::ModelRequest request = request_of(context, with_note(context.layout.shared, *instruction));
    request.response_schema = schema(foreign);
    base::Result<router::ModelReply> reply = co_await model_step(context.frame, std::move(request), context.span);
    const bool own_deadline = !context.frame.stop.stopped();
    Json understood;
    if (!reply) {
        if (reply.error().code != base::Code::deadline || !own_deadline) co_return std::move(reply).error();
        fall_back(turn, reply.error().message);
    } else if (reply->finish == router::FinishReason::cancelled) {
        co_return base::error(base::Code::cancelled, "the run was stopped");
    } else if (auto parsed = base::parse_json(reply->message.text()); parsed && parsed->is_object()) {
        try {
            take(turn, *parsed);
            understood = *std::move(parsed);
        } catch (const Json::exception& e) {
            fall_back(turn, e.what());
        }
    } else {
        fall_back(turn, parsed ? "the reply is no JSON object" : parsed.error().message);
    }
    if (context.layout.tools.empty()) turn.needs_tools = false;
    refuse(turn, context, wanted(foreign, understood, turn));
    co_return after_intake(turn);
}

}  // namespace agents::phases
