#include "tools/bash.h"

#include "sandbox/launcher.h"
#include "tools/files.h"

namespace tools {
namespace {

constexpr std::int64_t kMostSeconds = 30;
constexpr std::uint64_t kKeptOutput = 64 << 10;

std::string status_of(const sandbox::Outcome& outcome, std::int64_t seconds, const sandbox::Limits& limits) {
    if (outcome.cancelled) return "[cancelled]";
    if (outcome.timed_out) return "[killed: the deadline of " + std::to_string(seconds) + " s passed]";
    if (outcome.out_of_memory) return "[killed: out of memory, " + std::to_string(limits.memory_bytes >> 20) + " MiB for all its processes together; exit code " + std::to_string(outcome.exit_code) + "]";
    if (outcome.exit_code > 128) return "[exit code " + std::to_string(outcome.exit_code) + ": signal " + std::to_string(outcome.exit_code - 128) + "]";
    return "[exit code " + std::to_string(outcome.exit_code) + "]";
}

}  // namespace

net::Task<base::Result<ToolOutput>> bash(base::Json arguments, ToolContext& context) {
    auto workspace = workspace_of(context);
    if (!workspace) co_return workspace.error();
    if (!context.launcher)
        co_return base::error(base::Code::unavailable, "there is no sandbox on this machine, so that no program is run", "see hearth doctor");
    const auto text = base::string_field(arguments, "command");
    if (!text) co_return text.error();
    const auto seconds = bounded(arguments, "timeout_seconds", kMostSeconds, 1, kMostSeconds);
    if (!seconds) co_return seconds.error();
    const auto input = base::optional_string(arguments, "stdin");
    if (!input) co_return input.error();
    if (text->find('\0') != std::string::npos) co_return base::error(base::Code::invalid_argument, "command holds a NUL byte");
    sandbox::Command command;
    command.argv = {"bash", "-c", *text};
    command.stdin_text = input->value_or("");
    command.workspace = *workspace;
    command.limits.wall = std::chrono::seconds(*seconds);
    command.limits.output_bytes = kKeptOutput;
    auto work = [&] { return context.launcher->run(command, sandbox::Level::t2, context.stop); };
    const auto outcome = co_await net::on_pool(context.blocking, work);
    if (!outcome) co_return outcome.error();
    ToolOutput out;
    out.text = readable(outcome->output);
    if (!out.text.empty() && out.text.back() != '\n') out.text += '\n';
    for (const std::string& line : outcome->disarmed) out.text += "[" + readable(line) + "]\n";
    out.text += status_of(*outcome, *seconds, command.limits);
    out.truncated = outcome->output_cut;
    out.facts = {{"exit_code", outcome->exit_code}, {"timed_out", outcome->timed_out}, {"out_of_memory", outcome->out_of_memory},
                 {"output_bytes", outcome->output_bytes}, {"milliseconds", outcome->wall.count()}, {"level", sandbox::name(outcome->level)}};
    if (!outcome->disarmed.empty()) out.facts["disarmed"] = outcome->disarmed.size();
    co_return out;
}

}  // namespace tools
