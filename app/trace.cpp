// hearth trace list, hearth trace show: what runs did, through the running server.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/run_named.h"
#include "app/terminal.h"
#include "app/trace_text.h"
#include "net/config.h"

namespace app {
namespace {

Look look() {
    winsize size{};
    const bool wide = on_terminal() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return {wide ? std::size_t(size.ws_col) : 80, on_terminal() && !net::environment("NO_COLOR")};
}

}  // namespace

int trace_show(const LoadedSettings& loaded, const std::string& wanted, bool json) {
    const std::string& socket = loaded.settings.server.socket;
    const auto id = run_named(socket, wanted);
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
