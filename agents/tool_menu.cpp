#include <algorithm>

#include "agents/run_agent.h"
#include "agents/spawn.h"
#include "agents/when_words.h"
#include "base/ascii.h"
#include "memory/collections.h"
#include "tools/collections.h"
#include "tools/note.h"
#include "tools/schedule.h"
#include "tools/spawn_thread.h"

namespace agents {
namespace {

std::string fields_of(const std::vector<store::Collection>& collections) {
    std::string out;
    for (const store::Collection& one : collections) out += (out.empty() ? " There are: " : "; ") + memory::fields_of(one);
    return out + ".";
}

}  // namespace

bool names_collection(const Frame& frame, const std::string& request) {
    const std::string said = base::ascii_lower(request);
    return std::any_of(frame.at_hand.collections.begin(), frame.at_hand.collections.end(), [&](const store::Collection& one) { return said.find(one.name) != std::string::npos; });
}

router::ToolMenu tool_menu(const Frame& frame, ToolDiscipline discipline, const std::string& answer_purpose, const std::string& request) {
    std::vector<router::ToolSchema> menu;
    // Who needs guidance to call a tool rightly is no one to divide work.
    const bool divides = discipline == ToolDiscipline::free && frame.within.empty() && may_spawn(frame);
    // And such a one takes it for an answer to whatever is asked.
    const bool schedules = frame.within.empty() && (discipline == ToolDiscipline::free || words::speak_of_later(request));
    const bool notes = discipline == ToolDiscipline::free && frame.within.empty();
    const bool collects = frame.within.empty() && !frame.at_hand.collections.empty() && (discipline == ToolDiscipline::free || names_collection(frame, request));
    for (const tools::Tool* tool : frame.menu->list(frame.row->scope)) {
        const bool of_collections = tools::is_of_collections(tool->name);
        if ((tool->name == tools::kSpawnThread && !divides) || (tool->name == tools::kSchedule && !schedules) || (tool->name == tools::kNote && !notes) || (of_collections && !collects)) continue;
        menu.push_back({tool->name, of_collections ? tool->purpose + fields_of(frame.at_hand.collections) : tool->purpose, tool->input});
    }
    menu.insert(menu.end(), frame.client_tools.begin(), frame.client_tools.end());
    if (discipline == ToolDiscipline::guided && !menu.empty()) {
        base::OrderedJson nothing = {
            {"type", "object"}, {"properties", base::OrderedJson::object()}, {"additionalProperties", false}};
        menu.push_back({kAnswerTool, answer_purpose, std::move(nothing)});
    }
    return menu;
}

}  // namespace agents
