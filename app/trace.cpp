// hearth trace show: a run as a tree of spans, through the running server.
#include <cstdio>
#include <map>
#include <set>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "base/id.h"

namespace app {
namespace {

constexpr const char* kHowToFind = "hearth trace show, without an id, shows the newest run; GET /v1/runs lists them";

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

// The run's tree; a span whose parent was never written, since the run broke off, begins one too.
void print_spans(const base::Json& spans) {
    std::set<std::string> known;
    for (const auto& span : spans) known.insert(span["id"].get<std::string>());
    Children children;
    for (const auto& span : spans) {
        const std::string parent = span["parent"].is_null() ? "" : span["parent"].get<std::string>();
        children.emplace(known.count(parent) ? parent : "", &span);
    }
    const auto [first, last] = children.equal_range("");
    for (auto it = first; it != last; ++it) print_span(*it->second, children, 0);
}

// What was begun and never told its outcome.
void print_doubts(const base::Json& steps) {
    for (const auto& step : steps) {
        const std::string state = step.value("state", "");
        if (state != "unknown" && state != "intent") continue;
        std::printf("%s: %s %s\n", state == "unknown" ? "in doubt" : "not finished", shown(step["name"]).c_str(), visible(base::dump(step["input"])).c_str());
        if (state == "unknown") std::puts("  it was begun, and nobody knows whether it was done: look for its effect before it is done again");
    }
}

base::Result<base::Json> get(const std::string& socket, const std::string& path) {
    auto reply = ask_server(socket, "GET", path, nullptr);
    if (!reply) return std::move(reply).error();
    auto body = base::parse_json(reply->body);
    if (!body) return std::move(body).error();
    if (reply->status != 200)
        return base::error(reply->status == 404 ? base::Code::not_found : base::Code::unavailable, (*body)["error"].value("message", "HTTP " + std::to_string(reply->status)));
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
    if (!base::RunId::parse(id)) return complain(base::error(base::Code::invalid_argument, "'" + id + "' is no run's id", kHowToFind));
    auto run = get(socket, "/v1/runs/" + id);
    if (!run && run.error().code == base::Code::not_found) return complain(base::error(base::Code::not_found, "there is no run '" + id + "'", kHowToFind));
    if (!run) return complain(run.error());
    if (json) {
        print_json(*run, 2);
        return 0;
    }
    std::printf("run %s  %s  %s\n", visible(id).c_str(), shown((*run)["model"]).c_str(), shown((*run)["status"]).c_str());
    if (const std::string error = (*run).value("error", ""); !error.empty()) std::printf("error: %s\n", visible(error).c_str());
    print_spans((*run)["spans"]);
    print_doubts((*run)["steps"]);
    std::printf("chain: %s\n", shown((*run)["chain"]).c_str());
    return 0;
}

}  // namespace app
