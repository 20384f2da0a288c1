// The subcommands of the command line and their options: what is typed is written into Arguments, and what is to be done into an Action.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/mathcore_days.h"

namespace app {

struct Arguments {
    std::string settings_file;
    std::vector<std::string> set;
    bool json = false, quiet = false, fresh = false, qr = false;
    int limit = 20, seconds = 60, questions = 300;
    std::size_t facts = 0, of_person = 0;
    ChatOptions chat;
    std::string replies, effort, role = "member";
    std::optional<std::string> tone;
    BenchOptions bench;
    std::string version, other_version, model, prompt;
    std::optional<std::string> override_reason;
    QualityOptions quality;
    MathcoreBenchOptions mathcore;
    SimulatedDays simulated;
    int number = 0, days = 90;
    std::vector<std::string> tools, files, people;
    std::string name, out, person, label = "key", scopes = "chat", host;
    bool shared = false, master = false, all = false, list = false, yes = false;
    RuleOptions rule;
    RunOptions run;
    ScheduleOptions schedule;
    std::string step, text, word, key_file;
};

using Action = std::function<int(const LoadedSettings&)>;

// A subcommand that runs `run`.
CLI::App* command(CLI::App& parent, const char* name, const char* help, const char* example, Action& chosen, Action run);
// One that has subcommands of its own, and does nothing without.
CLI::App* group(CLI::App& parent, const char* name, const char* help);
void add_subcommands(CLI::App& root, Arguments& arguments, Action& chosen);
// Parts of them.
void add_bench(CLI::App& root, Arguments& arguments, Action& chosen);
void add_channels(CLI::App& root, Arguments& arguments, Action& chosen);
void add_memory(CLI::App& root, Arguments& arguments, Action& chosen);
void add_nights(CLI::App& root, Arguments& arguments, Action& chosen);

}  // namespace app
