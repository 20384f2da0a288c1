// The command line: which subcommand, with which settings.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>

#include "app/subcommands.h"
#include "app/version.h"
#include "base/edits.h"
#include "base/split.h"
#include "sandbox/launcher.h"

namespace {

base::Result<app::LoadedSettings> load(const app::Arguments& a, app::FileUse use = app::FileUse::whole) {
    std::map<std::string, std::string> flags;
    for (const auto& pair : a.set) {
        const auto equals = pair.find('=');
        if (equals == pair.npos)
            return base::error(base::Code::invalid_argument, "--set wants name=value, found '" + pair + "'", "for example --set server.port=8081");
        flags[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    return app::load_settings(a.settings_file, flags, use);
}

// The words that are no option, no option's value and no name=value.
std::vector<std::string> words_of(int argc, char** argv) {
    std::vector<std::string> out;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--settings" || word == "--set") ++i;
        else if (word[0] != '-' && word.find('=') == word.npos) out.push_back(word);
    }
    return out;
}

// What of the settings file the command does not do without.
app::FileUse use_of(const std::vector<std::string>& words, const app::Arguments& a) {
    const auto is = [&](const char* group, const char* name) { return words.size() > 1 && words[0] == group && words[1] == name; };
    if (words.at(0) == "serve" || words[0] == "config") return app::FileUse::whole;
    const bool of_a_file = is("model", "convert") || (is("model", "inspect") && !a.name.empty());
    return words[0] == "doctor" || is("db", "roles") || of_a_file ? app::FileUse::none : app::FileUse::places;
}

bool takes_arguments(const CLI::App& command) {
    const auto options = command.get_options();
    return std::any_of(options.begin(), options.end(), [](const CLI::Option* one) { return one->get_positional(); });
}

// A first word that is no command, or after a group's name one that is none of its own. CLI11 would tell that
// "a subcommand is required", and print the help with success where --help follows.
base::Result<void> check_words(const CLI::App& root, const std::vector<std::string>& words) {
    const CLI::App* at = &root;
    std::string path = "hearth";
    for (const auto& word : words) {
        const auto commands = at->get_subcommands([](const CLI::App*) { return true; });
        if (commands.empty()) break;  // what follows are arguments
        const CLI::App* next = nullptr;
        std::string nearest;
        std::size_t least = 4;
        for (const CLI::App* command : commands) {
            if (command->get_name() == word) next = command;
            const std::size_t edits = base::edits_between(word, command->get_name());
            if (edits < least && edits <= word.size() / 2) {
                least = edits;
                nearest = command->get_name();
            }
        }
        if (!next && takes_arguments(*at)) break;
        if (!next)
            return base::error(base::Code::invalid_argument, "there is no command '" + path + " " + word + "'",
                               (nearest.empty() ? "" : "did you mean " + path + " " + nearest + "? ") + path + " --help lists what there is");
        at = next;
        path += " " + word;
    }
    return {};
}

// Of these "" says something: no tone, and a reason that is asked for in words of its own.
constexpr std::string_view kMayBeEmpty[] = {"--tone", "--override"};

// An option that is given empty, as from a variable that nobody set, would be taken for one that is left out: without a key for the owner's own command.
base::Result<void> check_given(const CLI::App& command) {
    for (const CLI::Option* option : command.get_options()) {
        const std::string name = option->get_name();
        const auto results = option->results();
        if (option->get_positional() || std::find(std::begin(kMayBeEmpty), std::end(kMayBeEmpty), name) != std::end(kMayBeEmpty)) continue;
        if (std::find(results.begin(), results.end(), "") != results.end())
            return base::error(base::Code::invalid_argument, name + " is given empty", "give it a value, or leave it out");
    }
    for (const CLI::App* below : command.get_subcommands())
        if (auto fine = check_given(*below); !fine) return fine;
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    // Secrets pass through this memory, also in buffers of libraries: no core of it is written. Of a limit of 0 a program that
    // the machine has core files piped to would still be given one, of 1 not (fs/coredump.c).
    const rlimit no_core{1, 1};
    setrlimit(RLIMIT_CORE, &no_core);
    app::Arguments a;
    app::Action chosen;
    // The launcher is forked before CPU threads, secrets and the model exist; only these commands need it.
    std::unique_ptr<sandbox::Launcher> launcher;
    std::string no_launcher;
    const std::vector<std::string> words = words_of(argc, argv);
    if (!words.empty() && (words[0] == "serve" || words[0] == "doctor")) {
        auto started = sandbox::Launcher::start();
        if (started) launcher = *std::move(started);
        else no_launcher = started.error().text();
    }
    CLI::App root("Hearth: an assistant of your own, on your own machine", "hearth");
    root.set_version_flag("--version", std::string("hearth ") + app::kVersion);
    root.require_subcommand(1);
    root.add_option("--settings", a.settings_file, "settings file; default: ~/.config/hearth/hearth.yaml, or /etc/hearth/hearth.yaml where only the machine has one");
    root.add_option("--set", a.set, "name=value; overrides file and environment");
    root.fallthrough();
    app::command(root, "serve", "Run the server", "hearth serve --set server.port=8081", chosen,
            [&](const auto& s) { return app::serve(s, [&a] { return load(a); }, std::move(launcher), no_launcher); });
    app::command(root, "doctor", "Look at this machine and say what to mend", "hearth doctor", chosen,
            [&](const auto& s) { return app::doctor(s, launcher.get(), no_launcher, a.json); })->add_flag("--json", a.json, "as JSON, for scripts");
    app::add_subcommands(root, a, chosen);
    if (auto known = check_words(root, words); !known) return app::complain(known.error()), 2;
    try {
        root.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const int status = root.exit(e);
        return status == 0 ? 0 : 2;
    }
    if (auto given = check_given(root); !given) return app::complain(given.error()), 2;
    try {
        auto settings = load(a, use_of(words, a));
        if (!settings) return app::complain(settings.error()), 2;
        return chosen(*settings);
    } catch (const std::exception& e) {
        return app::complain(base::error(base::Code::internal, e.what()));
    }
}
