#include "app/word.h"

#include <cctype>
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/follow.h"

namespace app {

using base::Code;
using base::Json;

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
        if (word == "y" || word == "yes") return Word::grant;
        if (word == "n" || word == "no") return Word::deny;
    }
}

base::Result<void> hand_over(const std::string& socket, const Json& approval, Word word) {
    const auto said = ask_patiently(socket, "POST", "/v1/approvals/" + approval.value("id", ""), {{"decision", word == Word::grant ? "grant" : "deny"}});
    if (said) return {};
    if (said.error().code != Code::conflict) return said.error();
    complain(said.error());
    return {};
}

void see_through(const std::string& socket, Lines& lines, Turn& turn) {
    const std::string run_path = "/v1/runs/" + turn.run();
    // The run stays as it is: nothing was stopped.
    const auto leave = [](const base::Error* why) {
        if (why) complain(*why);
        interrupted = 0;
    };
    Followed heard = Followed::ended;
    while (turn.ended && (turn.state() == "waiting_person" || heard == Followed::waits)) {
        auto run = ask_patiently(socket, "GET", run_path);
        if (!run) return leave(&run.error());
        const Json approval = run->value("approval", Json());
        if (approval.is_object()) {
            if (turn.printed) std::fputs("\n", stdout);
            std::fflush(stdout);
            const Word word = ask_person(lines, approval);
            if (word == Word::none) return leave(nullptr);
            if (auto said = hand_over(socket, approval, word); !said) return leave(&said.error());
            turn.approvals.insert(approval.value("id", ""));
        }
        heard = follow(socket, turn);
        if (heard == Followed::left) {
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
