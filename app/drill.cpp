// hearth drill: each backend tried with what chains want of it, through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"

namespace app {
namespace {

using base::Json;

void print(const Json& one) {
    const std::string failure = one["failure"];
    const std::string worked = one["worked"].is_null() ? "never" : one["worked"].get<std::string>().substr(0, 16);
    std::printf("%-20s %-9s %-17s %s\n", visible(one["backend"].get<std::string>()).c_str(), one["traffic"].get<std::string>().c_str(), worked.c_str(), failure.empty() ? (one["worked"].is_null() ? "" : "works") : ("FAILS: " + visible(failure)).c_str());
}

}  // namespace

int drill(const LoadedSettings& loaded, const std::string& backend, bool list, bool json) {
    const std::string& socket = loaded.settings.server.socket;
    auto known = ask_server_json(socket, "GET", "/v1/drills");
    if (!known) return complain(known.error());
    Json results = Json::array();
    bool failed = false;
    std::string names;
    for (const Json& one : (*known)["data"]) {
        const std::string name = one["backend"];
        if (names.find("'" + name + "'") == names.npos) names += (names.empty() ? "'" : ", '") + name + "'";
        if (!backend.empty() && name != backend) continue;
        if (list) {
            results.push_back(one);
            continue;
        }
        show_progress("trying " + name + ", " + one["traffic"].get<std::string>(), 0, 0);
        auto done = ask_server_json(socket, "POST", "/v1/drills", {{"backend", name}, {"traffic", one["traffic"]}});
        if (!done) return end_progress(), complain(done.error());
        results.push_back(*std::move(done));
    }
    end_progress();
    if (results.empty())
        return complain(backend.empty() ? base::error(base::Code::unavailable, "no backend is ready yet", "wait until the model has loaded")
                                        : base::error(base::Code::not_found, "there is no backend '" + backend + "' that is ready", names.empty() ? "none is" : "there are " + names));
    if (!json) std::printf("%-20s %-9s %-17s\n", "backend", "traffic", "last worked (UTC)");
    for (const Json& one : results) {
        failed |= !one["failure"].get<std::string>().empty();
        if (!json) print(one);
    }
    if (json) print_json(results, 2);
    return failed ? 1 : 0;
}

}  // namespace app
