#include "app/run_named.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "app/client.h"
#include "base/id.h"

namespace app {
namespace {

constexpr const char* kHowToFind = "hearth trace list and hearth run list tell which runs there are; hearth trace show, without an id, shows the newest";
constexpr std::string_view kLastOfAll = "ffffffff-ffff-7fff-bfff-ffffffffffff";

}  // namespace

base::Error no_run(const std::string& wanted) { return base::error(base::Code::not_found, "there is no run '" + wanted + "'", kHowToFind); }

base::Result<std::string> run_named(const std::string& socket, const std::string& wanted) {
    if (base::RunId::parse(wanted)) return wanted;
    const std::string last = wanted + std::string(kLastOfAll.substr(std::min(wanted.size(), kLastOfAll.size())));
    if (!wanted.empty() && !base::RunId::parse(last))
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

}  // namespace app
