#include "app/word.h"

#include <cctype>
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/follow.h"

namespace app {

using base::Code;
using base::Json;

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{1000};

// How it was settled, and by whom; empty while the run waits.
std::string settled(const Json& approval) {
    const std::string state = approval.value("state", ""), status = approval.value("run_status", "");
    if (state == "open") return status == "cancelled" ? "the run was stopped, and waits for no word any more" : "";
    if (state == "expired") return "nobody gave a word in time; the run goes on without it";
    const Json decided = approval.value("decided", Json());
    const std::string by = decided.is_object() ? decided.value("by", "") : "", via = decided.is_object() ? decided.value("via", "") : "";
    return approval.value("tool", "") + " was " + (state == "used" ? "granted" : state) + " elsewhere" + (by.empty() ? "" : ", by " + by) + (via.empty() ? "" : " (" + via + ")");
}

}  // namespace

Word ask_person(const std::string& socket, Lines& lines, const Json& approval) {
    const std::string tool = visible(approval.value("tool", ""));
    std::fprintf(stderr, "%s %s\n%s (rule %s)\n", tool.c_str(), visible(base::dump(approval.value("arguments", Json()))).c_str(), visible(approval.value("reason", "")).c_str(),
                 visible(approval.value("rule", "")).c_str());
    std::string how;
    const auto is_settled = [&] {
        const auto now = ask_server_json(socket, "GET", "/v1/approvals/" + approval.value("id", ""));
        if (now) how = settled(*now);
        return !how.empty();
    };
    lines.forget();
    for (std::string line;;) {
        std::fprintf(stderr, "Let %s happen, once and with these arguments? [y/n] ", tool.c_str());
        const Lines::Got got = lines.next(line, kBetweenLooks, is_settled);
        if (got == Lines::Got::over) {
            std::fprintf(stderr, "\n%s\n", visible(how).c_str());
            return Word::given;
        }
        if (got != Lines::Got::line) return Word::none;
        std::string word;
        for (const char c : line)
            if (!std::isspace(static_cast<unsigned char>(c))) word += char(std::tolower(static_cast<unsigned char>(c)));
        if (word == "y" || word == "yes") return Word::grant;
        if (word == "n" || word == "no") return Word::deny;
    }
}

base::Result<Json> hand_over(const std::string& socket, const Json& approval, Word word) {
    return ask_patiently(socket, "POST", "/v1/approvals/" + approval.value("id", ""), {{"decision", word == Word::grant ? "grant" : "deny"}});
}

base::Result<bool> have_word(const std::string& socket, Lines& lines, const Json& approval) {
    const Word word = ask_person(socket, lines, approval);
    if (word == Word::none || word == Word::given) return word == Word::given;
    const auto said = hand_over(socket, approval, word);
    if (!said && said.error().code != Code::conflict) return said.error();
    if (!said) complain(said.error());
    return true;
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
            const auto word = have_word(socket, lines, approval);
            if (!word) return leave(&word.error());
            if (!*word) return leave(nullptr);
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
