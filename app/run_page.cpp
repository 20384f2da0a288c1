#include "app/run_page.h"

#include "app/terminal.h"

namespace app {
namespace {

using base::Json;

constexpr std::size_t kMostOfLine = 200;  // bytes

std::string row(const char* name, const std::string& value) {
    std::string label = name;
    label.resize(10, ' ');
    return label + value + "\n";
}

// An OpenTelemetry collector finds the run by it.
std::string trace_id(const std::string& run) {
    std::string out = run;
    std::erase(out, '-');
    return out;
}

std::string used(const Json& run) {
    const Json usage = run.value("usage", Json::object());
    int tools = 0;
    for (const Json& step : run.value("steps", Json::array())) tools += step.value("kind", "") == "tool";
    return std::to_string(usage.value("prompt_tokens", 0)) + " prompt tokens (" + std::to_string(usage.value("cached_tokens", 0)) + " cached), " +
           std::to_string(usage.value("output_tokens", 0)) + " output tokens, " + std::to_string(tools) + " tool calls";
}

}  // namespace

std::string approval_lines(const Json& approval) {
    return visible(approval.value("tool", "")) + " " + visible(base::dump(approval.value("arguments", Json()))) + "\n" + visible(approval.value("reason", "")) +
           " (rule " + visible(approval.value("rule", "")) + ")\n";
}

std::string run_page(const Json& run) {
    const std::string id = run.value("id", ""), error = run.value("error", ""), answer = run.value("answer", "");
    const Json turn = run.value("turn", Json()), approval = run.value("approval", Json());
    std::string out = row("run", id) + row("agent", visible(run.value("model", ""))) + row("state", visible(run.value("status", "")));
    const Json asked = run.value("stop_asked", Json());
    if (asked.is_string() && run.value("status", "") == "running") out += row("stopped", asked.get<std::string>() + "; whoever works on it has not ended it yet");
    if (!error.empty()) out += row("error", visible(error));
    if (turn.is_object() && turn.contains("phase")) out += row("phase", visible(turn.value("phase", ""))) + row("class", visible(turn.value("class", "")));
    out += row("question", one_line(run.value("question", ""), kMostOfLine));
    for (const Json& input : run.value("inputs", Json::array()))
        out += row("added", one_line(input.value("text", ""), kMostOfLine) + (input.value("read", false) ? "" : " (not read)"));
    if (approval.is_object()) out += row("waits for", "your word; hearth run approve " + id + " grant, or deny") + approval_lines(approval);
    if (const Json from = run.value("forked_from", Json()); from.is_object()) out += row("fork of", from.value("run", "") + " behind its step " + from.value("step", ""));
    out += row("usage", used(run)) + row("trace", trace_id(id) + ", " + visible(run.value("chain", "")) + "; hearth trace show " + id);
    return answer.empty() ? out : out + "\n" + visible(answer) + "\n";
}

}  // namespace app
