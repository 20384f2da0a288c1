#include "agents/layout.h"

#include <algorithm>

#include "agents/run_agent.h"
#include "router/gateway.h"

namespace agents {
namespace {

constexpr int kReplyReserve = 1024;    // tokens of the context kept for the answer
constexpr int kUnknownContext = 8192;  // when a backend does not say

ToolDiscipline discipline_of(const Options& options, const std::string& alias) {
    const auto found = options.discipline.find(alias);
    return found == options.discipline.end() ? options.default_discipline : found->second;
}

// The request's words, for admission and intake: the last thing that the person said.
std::string request_text(const std::vector<router::Message>& messages) {
    for (auto it = messages.rbegin(); it != messages.rend(); ++it)
        if (it->role == router::MessageRole::user) return it->text();
    return {};
}

// The turns of a prompt of worked examples.
base::Result<std::vector<router::Message>> examples_of(const std::string& name, const std::string& text) {
    auto turns = prompts::examples(text);
    if (!turns) return base::error(base::Code::corrupt, "prompt " + name + ": " + turns.error().message);
    auto messages = messages_of(*turns);
    if (!messages) return std::move(messages).error();
    for (auto& message : *messages) message.trusted = true;  // ours
    return messages;
}

}  // namespace

std::shared_ptr<const Menu> menu_of(const Parts& parts, const Options& options, const AgentRow& row) {
    const bool asks = discipline_of(options, options.model) == ToolDiscipline::free;
    return std::make_shared<Menu>(parts.tools, row, asks ? asking_tools(*options.cast, row, parts.gateway) : std::vector<tools::Tool>());
}

base::Result<Layout> lay_out_turn(Frame& frame, const History& stored, Turn& turn) {
    auto history = history_of(stored.messages, stored.work);
    if (!history) return std::move(history).error();
    turn.request = request_text(*history);
    frame.at_hand = {frame.memory ? stored.at_hand.collections : std::vector<store::Collection>(), stored.at_hand.note};  // none where others read the answer
    const AgentRow& row = *frame.row;
    const Options& options = frame.options;
    const auto none = base::Result<std::string>(std::string());
    auto system = system_of(frame, row.prompt);
    auto purpose = prompt(frame, "answer_tool");
    auto worked = row.examples.empty() ? none : prompt(frame, row.examples);
    auto plain = row.answer.empty() ? system : system_of(frame, row.answer);
    auto wishes = wishes_of(frame);
    auto answered = row.answer_examples.empty() ? none : prompt(frame, row.answer_examples);
    for (const auto* text : {&system, &purpose, &worked, &plain, &answered, &wishes})
        if (!*text) return text->error();

    const router::Capabilities can = frame.parts.gateway.capabilities(options.model);
    Layout layout;
    layout.discipline = discipline_of(options, options.model);
    layout.grammars = can.grammars;
    if (can.tools) layout.tools = tool_menu(frame, layout.discipline, *purpose, turn.request);
    std::vector<router::Message> examples, answers;
    if (layout.discipline == ToolDiscipline::guided && !layout.tools.empty()) {
        auto of_calls = examples_of(row.examples, *worked), of_answers = examples_of(row.answer_examples, *answered);
        if (!of_calls) return std::move(of_calls).error();
        if (!of_answers) return std::move(of_answers).error();
        examples = *std::move(of_calls);
        answers = *std::move(of_answers);
    }
    // Before what is old is left out: its traces are in later answers.
    turn.label = policy::meet(turn.label, policy::meet(stored.label, label_of(*history)));
    instruct(*history, frame.instructions);
    instruct(*history, *wishes, !stored.at_hand.note || stored.at_hand.note->trusted);  // before those of the client
    const int context = can.context > 0 ? can.context : kUnknownContext;
    const int room = std::max(context - kReplyReserve, context / 2) - tokens_of(layout.tools);
    layout.shared = lay_out(*std::move(plain), answers, *history, {room, options.window});
    layout.calling = lay_out(std::move(*system), examples, std::move(*history), {room, options.window});
    return layout;
}

}  // namespace agents
