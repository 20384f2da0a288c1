#include "app/loading.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "app/client.h"
#include "app/terminal.h"

namespace app {
namespace {

// "weights 42 %"; empty when it does not load.
std::string stage_of(const std::string& socket) {
    const auto reply = ask_server(socket, "GET", "/health", nullptr);
    const auto body = reply ? base::parse_json(reply->body) : base::Result<base::Json>(base::Json());
    if (!body || !body->is_object() || body->value("status", "") != "loading") return {};
    return visible(body->value("stage", "")) + " " + std::to_string(body->value("percent", 0)) + " %";
}

}  // namespace

void wait_while_loading(const std::string& socket) {
    const bool terminal = isatty(STDERR_FILENO) == 1;
    std::string last;
    for (std::string stage; !interrupted && !(stage = stage_of(socket)).empty();) {
        if (stage != last) std::fprintf(stderr, terminal ? "\r%-60s" : "%s\n", ("the model loads: " + stage).c_str());
        last = stage;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    if (terminal && !last.empty()) std::fprintf(stderr, "\r%-60s\r", "");
}

}  // namespace app
