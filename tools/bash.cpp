#include "tools/bash.h"

#include <algorithm>
#include <cctype>

#include "base/utf8.h"
#include "sandbox/launcher.h"
#include "store/secrets.h"
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

constexpr std::size_t kMostVariables = 32;

// NAME=VALUE of each, ended by a NUL; a secret's value goes from its locked memory into locked memory.
base::Result<base::SecretValue> environment_of(const base::Json& variables, const OpenSecrets* secrets) {
    const auto wrong = [](const std::string& what) { return base::error(base::Code::invalid_argument, what, "for example {\"env\": {\"TOKEN\": \"secret:github\"}}"); };
    if (variables.size() > kMostVariables) return wrong("env names more than " + std::to_string(kMostVariables) + " variables");
    std::vector<std::pair<std::string, std::string_view>> words;
    std::size_t size = 0;
    for (const auto& [name, value] : variables.items()) {
        const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
        if (name.empty() || !std::all_of(name.begin(), name.end(), fits) || std::isdigit(static_cast<unsigned char>(name[0]))) return wrong("env: '" + name + "' is no name of a variable");
        std::string_view text = value.get_ref<const std::string&>();
        if (text.find('\0') != text.npos) return wrong("env: " + name + " holds a NUL byte");
        if (store::secret_name(value.get_ref<const std::string&>())) {
            const auto found = secrets ? secrets->find(std::string(text)) : OpenSecrets::const_iterator();
            if (!secrets || found == secrets->end()) return base::error(base::Code::unavailable, "env: " + name + " names " + std::string(text) + ", which was not opened");
            text = found->second.reveal();
        }
        words.emplace_back(name + "=", text);
        size += name.size() + text.size() + 2;
    }
    base::SecretValue out(size);
    auto at = out.bytes().begin();
    for (const auto& [name, text] : words) {
        at = std::copy(name.begin(), name.end(), at);
        at = std::copy(text.begin(), text.end(), at);
        ++at;  // it is all zeros
    }
    return out;
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
    const auto environment = environment_of(arguments.value("env", base::Json::object()), context.secrets);
    if (!environment) co_return environment.error();
    if (text->find('\0') != std::string::npos) co_return base::error(base::Code::invalid_argument, "command holds a NUL byte");
    sandbox::Command command;
    command.argv = {"bash", "-c", *text};
    command.stdin_text = input->value_or("");
    command.environment = &*environment;
    command.workspace = *workspace;
    command.limits.wall = std::chrono::seconds(*seconds);
    command.limits.output_bytes = kKeptOutput;
    auto work = [&] { return context.launcher->run(command, sandbox::Level::t2, context.stop); };
    const auto outcome = co_await net::on_pool(context.blocking, work);
    if (!outcome) co_return outcome.error();
    ToolOutput out;
    out.text = base::valid_utf8(outcome->output);
    if (!out.text.empty() && out.text.back() != '\n') out.text += '\n';
    for (const std::string& line : outcome->disarmed) out.text += "[" + base::valid_utf8(line) + "]\n";
    out.text += status_of(*outcome, *seconds, command.limits);
    out.truncated = outcome->output_cut;
    out.facts = {{"exit_code", outcome->exit_code}, {"timed_out", outcome->timed_out}, {"out_of_memory", outcome->out_of_memory},
                 {"output_bytes", outcome->output_bytes}, {"milliseconds", outcome->wall.count()}, {"level", sandbox::name(outcome->level)}};
    if (!outcome->disarmed.empty()) out.facts["disarmed"] = outcome->disarmed.size();
    co_return out;
}

}  // namespace tools
