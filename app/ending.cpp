#include "app/ending.h"

#include <algorithm>

#include "app/commands.h"

namespace app {
namespace {

using base::Json;

struct Ending {
    const char* state;
    int status;  // of the process; `hearth chat --help` and `hearth run --help` list them
    const char* advice;
};
constexpr Ending kEndings[] = {
    {"partial", 3, "ask it to go on, or raise agents.rounds, agents.output_tokens or agents.deadline_seconds"},
    {"refused", 4, "hearth trace show names the rule; ask for something else"},
    {"no_backend", 5, "hearth doctor tells why; then ask again"},
    {"interrupted", 5, "ask again when the server is back"},
    {"cancelled", 130, ""},
    {"waiting_person", 6, "hearth approval list shows what it asks, hearth approval grant or deny answers"},
    {"waiting_client", 6, "send the results of the client's tools in a run of the same conversation"},
    {"unknown_effect", 1, "look whether it was done, then tell the agent"},
    {"failed", 1, "hearth trace show tells how far it came; ask again"},
};

}  // namespace

int tell_end(const Turn& turn) {
    const auto said = turn.result.find("error");
    const bool has_error = turn.result.is_object() && said != turn.result.end();
    if (!turn.ended) {
        const Json error = has_error && said->is_object() ? *said : Json::object();
        const bool busy = error.value("type", "") == "service_unavailable";  // HTTP 503
        complain(base::error(base::Code::unavailable, error.value("message", "the request failed")));
        return busy ? 5 : 1;
    }
    const std::string state = turn.result.value("state", ""), why = has_error && said->is_string() ? said->get<std::string>() : "";
    if (state == "answered") {
        if (!turn.result.value("response", "").empty()) return 0;
        return complain(base::error(base::Code::corrupt, why.empty() ? "the model ended its answer without a word" : why, turn.result.value("remedy", "ask again in other words")));
    }
    const auto* ending = std::find_if(std::begin(kEndings), std::end(kEndings), [&](const Ending& e) { return e.state == state; });
    const bool known = ending != std::end(kEndings);
    complain(base::error(base::Code::unavailable, state + (why.empty() ? "" : ": " + why), known ? ending->advice : "hearth trace show tells more"));
    return known ? ending->status : 1;
}

}  // namespace app
