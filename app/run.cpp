// hearth run: runs that outlive the terminal that they were begun in, through the running server.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "app/client.h"
#include "app/commands.h"
#include "app/ending.h"
#include "app/folder.h"
#include "app/follow.h"
#include "app/lines.h"
#include "app/loading.h"
#include "app/partner.h"
#include "app/question.h"
#include "app/run_named.h"
#include "app/run_page.h"
#include "app/terminal.h"
#include "app/word.h"
#include "base/edits.h"

namespace app {
namespace {

using base::Code;
using base::Json;

constexpr const char* kCommands[] = {"list", "show", "follow", "stop", "steer", "approve", "fork"};

int wrong(const std::string& what, const std::string& remedy) {
    complain(base::error(Code::invalid_argument, what, remedy));
    return 2;
}

// Empty, as of a variable that nobody has set, names no run.
base::Result<std::string> run_of(const std::string& socket, const std::string& wanted) { return wanted.empty() ? no_run(wanted) : run_named(socket, wanted); }

struct Named {
    std::string id;
    Json answer;
};

// Asks of the run that the person means.
base::Result<Named> ask_of(const std::string& socket, const std::string& wanted, const std::string& method, const std::string& what = "", const Json& body = nullptr) {
    const auto id = run_of(socket, wanted);
    if (!id) return id.error();
    auto answer = ask_server_json(socket, method, "/v1/runs/" + *id + what, body);
    if (!answer) return answer.error().code == Code::not_found ? no_run(*id) : answer.error();
    return Named{*id, *std::move(answer)};
}

int leave(const std::string& id) {
    std::fprintf(stderr, "\nthe run is left as it is: %s\nhearth run follow %s shows it, hearth run stop %s ends it\n", id.c_str(), id.c_str(), id.c_str());
    return 130;
}

// What it rests for, where nobody can be asked.
void tell_wish(const Json& approval, const std::string& id) {
    std::fprintf(stderr, "%shearth run approve %s grant lets it happen, once; deny: it goes on without\n", approval_lines(approval).c_str(), id.c_str());
}

enum class Rest { asked, nobody, left };
// The run has come to rest, or is said to have: sees to the word that it waits for.
Rest see_to(const std::string& socket, Lines* lines, const Json& run, Turn& turn) {
    const Json approval = run.value("approval", Json());
    if (!approval.is_object()) return Rest::asked;  // it was given elsewhere
    if (turn.printed) std::fputs("\n", stdout);
    std::fflush(stdout);
    if (!lines) return tell_wish(approval, turn.run()), Rest::nobody;
    const auto word = have_word(socket, *lines, approval);
    if (!word) return complain(word.error()), Rest::left;
    return *word ? Rest::asked : Rest::left;
}

// Shows the run until it ends, or rests for a word and nobody can be asked. An interruption leaves it going.
int attend(const std::string& socket, const std::string& id, bool json) {
    catch_interrupts();
    wait_while_loading(socket);
    Turn turn;
    turn.result = {{"run_id", id}};
    Lines lines;
    const bool can_ask = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 && !json;
    for (;;) {
        const Followed followed = interrupted ? Followed::left : follow(socket, turn, json);
        if (followed == Followed::left) return leave(id);
        const auto run = ask_patiently(socket, "GET", "/v1/runs/" + id);
        if (!run && interrupted) return leave(id);
        if (!run) return complain(run.error().code == Code::not_found ? no_run(id) : run.error());
        turn.result = result_of(*run);
        turn.ended = true;
        const bool over = followed != Followed::waits;
        const Rest rest = over ? Rest::nobody : see_to(socket, can_ask ? &lines : nullptr, *run, turn);
        if (rest == Rest::asked) continue;
        if (rest == Rest::left) return leave(id);
        if (json) print_json(*run, 2);
        else if (over) show_rest(turn);
        return tell_end(turn);
    }
}

// What came of POST /v1/runs or of a fork: its id, shown until the run ends, or alone.
int began(const std::string& socket, const Json& run, bool detach, bool json) {
    const std::string id = run.value("id", "");
    if (!detach) {
        say_faintly("run " + id + " (Ctrl-C leaves it going)");
        return attend(socket, id, json);
    }
    if (json) print_json(run, 2);
    else std::puts(id.c_str());
    return 0;
}

// Why what stands where the message does is none; nothing when it may be one.
std::optional<int> refused_words(const std::vector<std::string>& words) {
    if (words.empty()) return std::nullopt;
    const std::string& first = words[0];
    std::string near;
    for (const char* command : kCommands) {
        const bool whole = words.size() > 1 || command == std::string_view("list");  // the others want an id
        if (whole && first.find(' ') == first.npos && base::edits_between(first, command) <= std::min<std::size_t>(2, first.size() / 2)) near = command;
    }
    if (!near.empty())
        return wrong("there is no command 'hearth run " + first + "'", "did you mean hearth run " + near + "? A message of that one word is piped in: echo " + first + " | hearth run");
    if (words.size() > 1) return wrong("the message ends at '" + words[0] + "', and '" + words[1] + "' follows it", "a message of several words stands in quotes: hearth run \"count the files here\"");
    return std::nullopt;
}

// The argument, and what is piped in; empty with an error or an interruption, which `status` says.
std::string message_of(const std::vector<std::string>& words, int& status) {
    std::string message = words.empty() ? std::string() : words[0];
    if (isatty(STDIN_FILENO) != 1) {
        catch_interrupts();
        const auto waiting = [] { std::fputs("hearth: reading standard input to its end; < /dev/null leaves it out\n", stderr); };
        const auto piped = read_input(STDIN_FILENO, message.empty() ? std::function<void()>() : waiting);
        if (!piped) return status = complain(piped.error()), std::string();
        if (interrupted) return status = 130, std::string();
        message = joined_question(message, *piped);
    }
    if (message.find_first_not_of(" \t\r\n") != message.npos) return message;
    status = wrong("there is no message", "hearth run \"count the files here\"; hearth run --help lists what else there is");
    return {};
}

}  // namespace

int run_start(const LoadedSettings& loaded, const RunOptions& options) {
    if (const auto refused = refused_words(options.words)) return *refused;
    int status = 0;
    const std::string message = message_of(options.words, status);
    if (message.empty()) return status;
    const std::string& socket = loaded.settings.server.socket;
    const auto partner = partner_named(socket, options.agent);
    if (!partner) return complain(partner.error());
    if (!partner->agent) return wrong(partner->name + " is a model alone, which has no runs", "hearth chat --agent " + partner->name + " talks to it");
    Json body = {{"input", message}, {"agent", partner->name}, {"read_only", options.read_only}};
    Folder folder;
    if (partner->in_folder || !options.workspace.empty()) {
        if (auto opened = folder.open(options.workspace); !opened) return complain(opened.error());
        body["workspace"] = folder.path();
    }
    Ask ask{socket, "POST", "/v1/runs", base::dump(body), folder.fd()};
    if (!options.key.empty()) ask.fields["Idempotency-Key"] = options.key;
    const auto reply = ask_server(ask);
    if (!reply) return complain(reply.error());
    const auto run = base::parse_json(reply->body);
    if (!run || reply->status != 202) {
        const std::string why = run && run->is_object() && run->contains("error") ? (*run)["error"].value("message", "") : "";
        complain(base::error(Code::unavailable, why.empty() ? "the server answered HTTP " + std::to_string(reply->status) : why));
        return reply->status == 503 ? 5 : 1;
    }
    if (reply->fields.contains("idempotent-replayed")) say_faintly("the key '" + options.key + "' was sent before: this is the run that it began");
    return began(socket, *run, options.detach, options.json);
}

int run_mixed(const RunOptions& options, const std::string& command) {
    return wrong("'" + options.words[0] + "' and the command " + command + " do not go together",
                 "a message of several words stands in quotes: hearth run \"count the files here\"; hearth run " + command + " --help tells what that takes");
}

int run_list(const LoadedSettings& loaded, const RunOptions& options, int limit) { return trace_list(loaded, limit, options.json); }

int run_show(const LoadedSettings& loaded, const RunOptions& options, const std::string& wanted) {
    const auto run = ask_of(loaded.settings.server.socket, wanted, "GET");
    if (!run) return complain(run.error());
    if (options.json) print_json(run->answer, 2);
    else std::fputs(run_page(run->answer).c_str(), stdout);
    return 0;
}

int run_follow(const LoadedSettings& loaded, const RunOptions& options, const std::string& wanted) {
    const std::string& socket = loaded.settings.server.socket;
    const auto id = run_of(socket, wanted);
    if (!id) return complain(id.error());
    return attend(socket, *id, options.json);
}

namespace {

constexpr std::chrono::seconds kLongestEnd{3};  // of a run whose holder hears of the stop

// A process that stands still hears nothing, and keeps its runs.
void tell_if_unheard(const std::string& socket, const std::string& id) {
    const auto end = SteadyClock::now() + kLongestEnd;
    for (;;) {
        const auto run = ask_server_json(socket, "GET", "/v1/runs/" + id);
        if (!run || run->value("status", "") != "running") return;
        if (SteadyClock::now() >= end) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    complain(base::error(Code::unavailable, "whoever works on " + id + " has not ended it within " + std::to_string(kLongestEnd.count()) + " s: no step of it begins any more, and what had begun may go on",
                         "hearth run show " + id + " tells when it has ended; a server that stands still is to be ended or woken"));
}

}  // namespace

int run_stop(const LoadedSettings& loaded, const RunOptions& options, const std::string& wanted) {
    const auto run = ask_of(loaded.settings.server.socket, wanted, "POST", "/stop");
    if (!run) return complain(run.error());
    if (!run->answer.value("stopping", false))
        return complain(base::error(Code::conflict, "the run " + run->id + " has ended already: " + run->answer.value("status", ""), "hearth run show " + run->id + " tells how"));
    if (options.json) print_json(run->answer, 2);
    else std::printf("%s is being stopped\n", run->id.c_str());
    std::fflush(stdout);
    tell_if_unheard(loaded.settings.server.socket, run->id);
    return 0;
}

int run_steer(const LoadedSettings& loaded, const RunOptions& options, const std::string& wanted, const std::string& text) {
    const auto input = ask_of(loaded.settings.server.socket, wanted, "POST", "/steer", {{"text", text}});
    if (!input) return complain(input.error());
    if (options.json) print_json(input->answer, 2);
    else std::printf("%s reads it at its next step\n", input->id.c_str());
    return 0;
}

int run_approve(const LoadedSettings& loaded, const RunOptions& options, const std::string& wanted, const std::string& word) {
    const std::string& socket = loaded.settings.server.socket;
    const auto run = ask_of(socket, wanted, "GET");
    if (!run) return complain(run.error());
    const Json approval = run->answer.value("approval", Json());
    if (!approval.is_object())
        return complain(base::error(Code::conflict, "the run " + run->id + " waits for no word: it is " + run->answer.value("status", ""), "hearth approval list tells what is open"));
    Word said = word == "grant" ? Word::grant : word == "deny" ? Word::deny : Word::none;
    if (said == Word::none) {
        if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) return tell_wish(approval, run->id), 6;
        catch_interrupts();
        Lines lines;
        said = ask_person(socket, lines, approval);
        if (said == Word::none) return std::fputs("\n", stderr), 130;
        if (said == Word::given) return 1;
    }
    // The very one that was shown, not one that it may have come to wait for since.
    const auto decided = hand_over(socket, approval, said);
    if (!decided) return complain(decided.error());
    if (options.json) print_json(*decided, 2);
    else std::printf("%s is %s; the run %s goes on\n", visible(approval.value("tool", "")).c_str(), said == Word::grant ? "granted, once" : "denied", run->id.c_str());
    return 0;
}

int run_fork(const LoadedSettings& loaded, const RunOptions& options, const std::string& wanted, const std::string& step, const std::string& text) {
    const std::string& socket = loaded.settings.server.socket;
    const auto from = ask_of(socket, wanted, "GET");
    if (!from) return complain(from.error());
    std::string behind = step;
    for (const Json& one : from->answer.value("steps", Json::array()))
        if (step.empty() && one.value("state", "") != "intent") behind = one.value("id", "");
    if (behind.empty()) return complain(base::error(Code::conflict, "the run " + from->id + " has no step yet to begin behind", "hearth run follow " + from->id + " shows when it has"));
    Json body = {{"step", behind}};
    if (!text.empty()) body["text"] = text;
    const auto fork = ask_server_json(socket, "POST", "/v1/runs/" + from->id + "/fork", body);
    if (!fork) return complain(fork.error());
    return began(socket, *fork, options.detach, options.json);
}

}  // namespace app
