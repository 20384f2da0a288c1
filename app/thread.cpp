// hearth thread: lines of work and what they do, through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "base/id.h"

namespace app {
namespace {

using base::Json;

base::Error no_thread(const std::string& id) { return base::error(base::Code::not_found, "there is no thread '" + id + "'", "hearth thread list shows which there are"); }

base::Result<Json> ask(const LoadedSettings& loaded, const std::string& method, const std::string& id, const std::string& what) {
    if (!base::Uuid::parse(id)) return no_thread(id);
    auto answer = ask_server_json(loaded.settings.server.socket, method, "/v1/threads/" + id + what);
    if (!answer && answer.error().code == base::Code::not_found) return no_thread(id);
    return answer;
}

void print(const Json& thread, const char* indent) {
    std::printf("%s%s  %-9s  %-9s  %s  %s\n", indent, thread["id"].get<std::string>().c_str(), thread["state"].get<std::string>().c_str(), thread["rule"].get<std::string>().c_str(),
                thread["created"].get<std::string>().substr(0, 16).c_str(), visible(thread["label"].get<std::string>()).c_str());
}

}  // namespace

int thread_list(const LoadedSettings& loaded, int limit, bool json) {
    const auto threads = ask_server_json(loaded.settings.server.socket, "GET", "/v1/threads?limit=" + std::to_string(limit));
    if (!threads) return complain(threads.error());
    if (json) print_json((*threads)["data"], 2);
    else if ((*threads)["data"].empty()) std::puts("there are no threads yet");
    else
        for (const Json& thread : (*threads)["data"]) print(thread, thread["depth"] == 0 ? "" : "  ");
    return 0;
}

int thread_show(const LoadedSettings& loaded, const std::string& id, bool json) {
    const auto thread = ask(loaded, "GET", id, "");
    if (!thread) return complain(thread.error());
    if (json) return print_json(*thread, 2), 0;
    print(*thread, "");
    for (const Json& run : (*thread)["runs"])
        std::printf("  run %s  %-9s  %s\n", run["id"].get<std::string>().c_str(), run["status"].get<std::string>().c_str(), visible(run["question"].get<std::string>()).c_str());
    for (const Json& child : (*thread)["children"]) print(child, "  child ");
    return 0;
}

int thread_stop(const LoadedSettings& loaded, const std::string& id, bool json) {
    const auto thread = ask(loaded, "POST", id, "/stop");
    if (!thread) return complain(thread.error());
    if (json) print_json(*thread, 2);
    else std::printf("%s is %s\n", id.c_str(), (*thread)["state"].get<std::string>().c_str());
    return 0;
}

}  // namespace app
