// hearth memory export: what the person asked and was answered well, as a file that models are trained on.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/private_file.h"
#include "app/terminal.h"
#include "store/node_days.h"

namespace app {
namespace {

using base::Code;
using base::Json;

constexpr std::size_t kPage = 500;

base::Result<std::string> lines_of(const std::string& socket, const std::string& days, int& count) {
    std::string out, before;
    for (;;) {
        const auto page = ask_server_json(socket, "GET", "/v1/memory/interactions?limit=" + std::to_string(kPage) + days + before);
        if (!page) return page.error();
        for (const Json& one : (*page)["data"]) out += base::dump(one) + "\n", ++count;
        if ((*page)["data"].size() < kPage) return out;
        before = "&before=" + (*page)["data"].back()["metadata"]["id"].get<std::string>();
    }
}

}  // namespace

int memory_export(const LoadedSettings& loaded, const std::string& file, const std::string& since, const std::string& until) {
    int count = 0;
    std::string days;
    for (const auto& [field, day] : {std::pair{"since", since}, {"until", until}}) {
        if (day.empty()) continue;
        if (!store::parse_day(day)) return complain(base::error(Code::invalid_argument, std::string("--") + field + " is '" + day + "'", "it takes a day such as 2026-03-01"));
        days += std::string("&") + field + "=" + day;
    }
    const auto lines = lines_of(loaded.settings.server.socket, days, count);
    if (!lines) return complain(lines.error());
    if (count == 0) return complain(base::error(Code::not_found, "the critic has let no answer of that time pass", "name the model that judges by backend.critic, and ask something"));
    if (auto written = write_private(file, *lines, IfThere::replace); !written) return complain(written.error());
    std::printf("%d interactions in %s\n", count, visible(file).c_str());
    return 0;
}

}  // namespace app
