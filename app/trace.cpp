// hearth trace list, hearth trace show: what runs did, through the running server.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "app/trace_text.h"
#include "base/id.h"
#include "net/config.h"

namespace app {
namespace {

constexpr const char* kHowToFind = "hearth trace list tells which runs there are; hearth trace show, without an id, shows the newest";

Look look() {
    winsize size{};
    const bool wide = on_terminal() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return {wide ? std::size_t(size.ws_col) : 80, on_terminal() && !net::environment("NO_COLOR")};
}

base::Error no_run(const std::string& wanted) { return base::error(base::Code::not_found, "there is no run '" + wanted + "'", kHowToFind); }

// The id that `wanted` is, or begins as the list shows it; the newest for nothing.
base::Result<std::string> id_of(const std::string& socket, const std::string& wanted) {
    if (base::RunId::parse(wanted)) return wanted;
    constexpr const char* last_of_its_millisecond = "-7fff-bfff-ffffffffffff";
    const std::string last = wanted + last_of_its_millisecond;
    if (!wanted.empty() && (short_id(wanted) != wanted || !base::RunId::parse(last)))
        return base::error(base::Code::invalid_argument, "'" + wanted + "' is no run's id", kHowToFind);
    auto found = ask_server_json(socket, "GET", wanted.empty() ? "/v1/runs?limit=1" : "/v1/runs?limit=2&before=" + last);
    if (!found) return std::move(found).error();
    std::vector<std::string> ids;
    for (const auto& run : (*found)["data"])
        if (const std::string id = run["id"]; id.starts_with(wanted)) ids.push_back(id);
    if (ids.empty()) return wanted.empty() ? base::error(base::Code::not_found, "there are no runs yet") : no_run(wanted);
    if (ids.size() > 1) return base::error(base::Code::invalid_argument, "more than one run begins with '" + wanted + "': " + ids[0] + ", " + ids[1], "name one whole");
    return ids[0];
}

}  // namespace

int trace_show(const LoadedSettings& loaded, const std::string& wanted, bool json) {
    const std::string& socket = loaded.settings.server.socket;
    const auto id = id_of(socket, wanted);
    if (!id) return complain(id.error());
    const auto run = ask_server_json(socket, "GET", "/v1/runs/" + *id);
    if (!run) return complain(run.error().code == base::Code::not_found ? no_run(*id) : run.error());
    if (json) print_json(*run, 2);
    else std::fputs(run_text(*run, look()).c_str(), stdout);
    return 0;
}

int trace_list(const LoadedSettings& loaded, int limit, bool json) {
    const auto runs = ask_server_json(loaded.settings.server.socket, "GET", "/v1/runs?limit=" + std::to_string(limit));
    if (!runs) return complain(runs.error());
    if (json) print_json((*runs)["data"], 2);
    else if ((*runs)["data"].empty()) std::puts("there are no runs yet");
    else std::fputs(runs_text((*runs)["data"], look()).c_str(), stdout);
    return 0;
}

}  // namespace app
