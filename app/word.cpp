#include "app/word.h"

#include <cctype>
#include <cstdio>
#include <set>
#include <thread>

#include "app/client.h"
#include "app/commands.h"
#include "app/loading.h"

namespace app {
namespace {

using base::Code;
using base::Json;

constexpr auto kBetweenTries = std::chrono::seconds(1);

// Whether to try again what failed because no server is there.
bool wait_for_server(const base::Error& error, bool& told) {
    if (interrupted || error.code != Code::unavailable) return false;
    if (!told) say_faintly("no server answers now; what was said so far is kept, and goes on when it is back (Ctrl-C leaves)");
    told = true;
    std::this_thread::sleep_for(kBetweenTries);
    return !interrupted;
}

base::Result<Json> ask_patiently(const std::string& socket, const std::string& method, const std::string& path, const Json& body = nullptr) {
    for (bool told = false;;) {
        wait_while_loading(socket);
        auto answer = ask_server_json(socket, method, path, body);
        if (answer || !wait_for_server(answer.error(), told)) return answer;
    }
}

enum class Word { yes, no, none };

Word ask_person(Lines& lines, const Json& approval) {
    const std::string tool = visible(approval.value("tool", ""));
    std::fprintf(stderr, "%s %s\n%s (rule %s)\n", tool.c_str(), visible(base::dump(approval.value("arguments", Json()))).c_str(), visible(approval.value("reason", "")).c_str(),
                 visible(approval.value("rule", "")).c_str());
    lines.forget();
    for (std::string line;;) {
        std::fprintf(stderr, "Let %s happen, once and with these arguments? [y/n] ", tool.c_str());
        if (lines.next(line) != Lines::Got::line) return Word::none;
        std::string word;
        for (const char c : line)
            if (!std::isspace(static_cast<unsigned char>(c))) word += char(std::tolower(static_cast<unsigned char>(c)));
        if (word == "y" || word == "yes") return Word::yes;
        if (word == "n" || word == "no") return Word::no;
    }
}

// Shows what the run tells until it ends or asks for another word than those that were given. False: it was left.
bool follow(const std::string& socket, const std::set<std::string>& given, Turn& turn) {
    const std::string path = "/v1/runs/" + turn.run() + "/events";
    for (bool told = false;;) {
        bool over = false;
        turn.told.begin_anew();
        const auto reply = ask_server(socket, "GET", path, nullptr, -1, [&](const std::string& name, const std::string& data) {
            const auto json = base::parse_json(data);
            if (!json || !json->is_object()) return true;
            over = name == "done" || (name == "waiting" && !given.contains(json->value("approval_id", "")));
            if (!over) show_told(name, *json, turn);
            return !over;
        });
        if (over) return true;
        if (interrupted) return false;
        const bool refused = reply && reply->status != 200 && reply->status != 503;
        if (refused) return true;  // what became of the run tells the run
        const base::Error away = base::error(Code::unavailable, "the server went away");
        if (!wait_for_server(away, told)) return false;
        wait_while_loading(socket);
    }
}

// As the last event of the question's own stream would have told it.
Json result_of(const Json& run) {
    Json out = {{"response", run.value("answer", "")}, {"run_id", run.value("id", "")}, {"conversation_id", run.value("conversation_id", "")},
                {"state", run.value("status", "")}, {"usage", run.value("usage", Json::object())}};
    int tools = 0;
    for (const Json& step : run.value("steps", Json::array())) tools += step.value("kind", "") == "tool";
    out["tools_used"] = tools;
    if (const std::string why = run.value("error", ""); !why.empty()) out["error"] = why;
    return out;
}

}  // namespace

void see_through(const std::string& socket, Lines& lines, Turn& turn) {
    const std::string run_path = "/v1/runs/" + turn.run();
    std::set<std::string> given;
    // The run stays as it is: nothing was stopped.
    const auto leave = [](const base::Error* why) {
        if (why) complain(*why);
        interrupted = 0;
    };
    while (turn.ended && turn.state() == "waiting_person") {
        auto run = ask_patiently(socket, "GET", run_path);
        if (!run) return leave(&run.error());
        const Json approval = run->value("approval", Json());
        if (approval.is_object()) {
            if (turn.printed) std::fputs("\n", stdout);
            std::fflush(stdout);
            const Word word = ask_person(lines, approval);
            if (word == Word::none) return leave(nullptr);
            const auto said = ask_patiently(socket, "POST", "/v1/approvals/" + approval.value("id", ""), {{"decision", word == Word::yes ? "grant" : "deny"}});
            // What was decided elsewhere meanwhile, or has expired, is told, and the run goes on with that.
            if (!said && said.error().code != Code::conflict) return leave(&said.error());
            if (!said) complain(said.error());
            given.insert(approval.value("id", ""));
        }
        const bool seen = follow(socket, given, turn);
        if (!seen && interrupted) {
            interrupted = 0;
            (void)ask_server_json(socket, "POST", run_path + "/stop");
            interrupted = 1;
            return;
        }
        run = ask_patiently(socket, "GET", run_path);
        if (!run) return leave(&run.error());
        turn.result = result_of(*run);
    }
}

}  // namespace app
