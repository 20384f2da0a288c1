#include "app/follow.h"

#include <thread>

#include "app/client.h"
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

// Reads the stream once; nothing when it broke off.
std::optional<Followed> listen(const std::string& socket, Turn& turn, bool quiet) {
    std::optional<Followed> out;
    Ask ask{socket, "GET", "/v1/runs/" + turn.run() + "/events", {}};
    if (turn.last_event.empty()) turn.told.begin_anew();
    else ask.fields["Last-Event-ID"] = turn.last_event;
    const auto reply = ask_server(ask, [&](const ServerEvent& event) {
        const auto json = base::parse_json(event.data);
        if (!json || !json->is_object()) return true;
        turn.last_event = event.id;
        if (event.name == "done") out = Followed::ended;
        if (event.name == "waiting" && turn.approvals.insert(json->value("approval_id", "")).second) out = Followed::waits;
        if (!out && !quiet) show_told(event.name, *json, turn);
        turn.told.mark(event.id);
        return !out;
    });
    if (out || !reply) return out;
    if (reply->status == 204) return Followed::ended;
    if (reply->status != 200 && reply->status != 503) return Followed::refused;
    return std::nullopt;
}

}  // namespace

Followed follow(const std::string& socket, Turn& turn, bool quiet) {
    const base::Error away = base::error(Code::unavailable, "the server went away");
    for (bool told = false;;) {
        if (const auto followed = listen(socket, turn, quiet)) return *followed;
        if (!wait_for_server(away, told)) return Followed::left;
        wait_while_loading(socket);
    }
}

base::Result<Json> ask_patiently(const std::string& socket, const std::string& method, const std::string& path, const Json& body) {
    for (bool told = false;;) {
        wait_while_loading(socket);
        auto answer = ask_server_json(socket, method, path, body);
        if (answer || !wait_for_server(answer.error(), told)) return answer;
    }
}

Json result_of(const Json& run) {
    Json out = {{"response", run.value("answer", "")}, {"run_id", run.value("id", "")}, {"conversation_id", run.value("conversation_id", "")},
                {"state", run.value("status", "")}, {"usage", run.value("usage", Json::object())}};
    int tools = 0;
    for (const Json& step : run.value("steps", Json::array())) tools += step.value("kind", "") == "tool";
    out["tools_used"] = tools;
    if (const std::string why = run.value("error", ""); !why.empty()) out["error"] = why;
    return out;
}

}  // namespace app
