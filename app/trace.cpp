// hearth trace show: a run as a tree of spans, through the running server.
#include <cstdio>
#include <map>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"

namespace app {
namespace {

std::string shown(const base::Json& text) { return visible(text.get<std::string>()); }

using Children = std::multimap<std::string, const base::Json*>;

void print_span(const base::Json& span, const Children& children, int depth) {
    const double ms = span["duration_us"].get<double>() / 1000;
    const std::string error = span.value("error", "");
    std::printf("%*s%s %s  %.1f ms  %s%s\n", depth * 2, "", shown(span["kind"]).c_str(), shown(span["name"]).c_str(), ms,
                visible(base::dump(span["attributes"])).c_str(), error.empty() ? "" : ("  ERROR " + visible(error)).c_str());
    const auto [first, last] = children.equal_range(span["id"].get<std::string>());
    for (auto it = first; it != last; ++it) print_span(*it->second, children, depth + 1);
}

base::Result<base::Json> get(const std::string& socket, const std::string& path) {
    auto reply = ask_server(socket, "GET", path, nullptr);
    if (!reply) return std::move(reply).error();
    auto body = base::parse_json(reply->body);
    if (!body) return std::move(body).error();
    if (reply->status != 200) return base::error(base::Code::not_found, (*body)["error"].value("message", "HTTP " + std::to_string(reply->status)));
    return body;
}

}  // namespace

int trace_show(const LoadedSettings& loaded, const std::string& wanted, bool json) {
    const std::string& socket = loaded.settings.server.socket;
    std::string id = wanted;
    if (id.empty()) {
        auto newest = get(socket, "/v1/runs?limit=1");
        if (!newest) return complain(newest.error());
        if ((*newest)["data"].empty()) return complain(base::error(base::Code::not_found, "there are no runs yet"));
        id = (*newest)["data"][0]["id"];
    }
    auto run = get(socket, "/v1/runs/" + id);
    if (!run) return complain(run.error());
    if (json) {
        print_json(*run, 2);
        return 0;
    }
    std::printf("run %s  %s  %s\n", visible(id).c_str(), shown((*run)["model"]).c_str(), shown((*run)["status"]).c_str());
    if (const std::string error = (*run).value("error", ""); !error.empty()) std::printf("error: %s\n", visible(error).c_str());
    Children children;
    for (const auto& span : (*run)["spans"]) children.emplace(span["parent"].is_null() ? "" : span["parent"].get<std::string>(), &span);
    const auto [first, last] = children.equal_range("");
    for (auto it = first; it != last; ++it) print_span(*it->second, children, 0);
    std::printf("chain: %s\n", shown((*run)["chain"]).c_str());
    return 0;
}

}  // namespace app
