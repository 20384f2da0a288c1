// hearth model load, unload: a model of the running server, while its others serve.
#include <chrono>
#include <cstdio>
#include <thread>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"

namespace app {
namespace {

using base::Json;

// As /health tells of it, whatever else is wrong there.
base::Result<Json> state_of(const std::string& socket, const std::string& id) {
    const auto reply = ask_server(socket, "GET", "/health", nullptr);
    if (!reply) return reply.error();
    const auto body = base::parse_json(reply->body);
    if (!body) return body.error();
    const Json& backends = body->value("backends", Json::object());
    if (!backends.contains(id)) return base::error(base::Code::unavailable, "the server does not tell how '" + id + "' is", "see hearth doctor");
    return backends.at(id);
}

void show(const std::string& state, const Json& backend) {
    if (state == "loading") show_progress("loading " + visible(backend.value("stage", "")), std::uint64_t(backend.value("percent", 0)), 100);
    else show_progress("waiting for its requests to end", 0, 0);
}

}  // namespace

int model_set_loaded(const LoadedSettings& loaded, const std::string& name, bool wanted) {
    const std::string& socket = loaded.settings.server.socket;
    auto begun = ask_server_json(socket, "POST", "/v1/models/" + name + (wanted ? "/load" : "/unload"));
    if (!begun) return complain(begun.error());
    const std::string id = (*begun)["id"];
    for (;;) {
        const auto backend = state_of(socket, id);
        if (!backend) return end_progress(), complain(backend.error());
        const std::string state = backend->value("state", "");
        if (state != "loading" && state != "draining") {
            end_progress();
            if (state == "down") return complain(base::error(base::Code::unavailable, "'" + id + "' was not loaded: " + backend->value("detail", "")));
            std::printf("%s is %s%s\n", visible(id).c_str(), state.c_str(), state == "ready" ? (": " + visible(backend->value("detail", ""))).c_str() : "");
            return 0;
        }
        if (interrupted) return end_progress(), std::fprintf(stderr, "%s goes on with it: GET /health tells how far\n", "the server"), 130;
        show(state, *backend);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

}  // namespace app
