// hearth heartbeat: what there is for the owner to act on, as the server saw it last.
#include "app/heartbeat.h"

#include <algorithm>
#include <cstdio>

#include "app/commands.h"
#include "app/database.h"
#include "app/terminal.h"
#include "base/split.h"

namespace app {

base::Result<agents::Heartbeat::Options> heartbeat_options(const Settings& s) {
    agents::Heartbeat::Options out{std::chrono::minutes(s.heartbeat.minutes), s.heartbeat.channel, {}};
    const std::vector<std::string> known = base::split(agents::finding_kinds(), ',');
    for (const auto& kind : base::split(s.heartbeat.silence, ',')) {
        if (std::find(known.begin(), known.end(), kind) == known.end())
            return base::error(base::Code::invalid_argument, "heartbeat.silence holds '" + kind + "', which the heartbeat does not see", "it sees " + agents::finding_kinds());
        out.silenced.insert(kind);
    }
    return out;
}

int heartbeat(const LoadedSettings& loaded, bool json) {
    const auto found = as_owner(loaded.settings, [](store::Tx& tx) -> base::Result<std::vector<store::Finding>> { return store::list_findings(tx); });
    if (!found) return complain(found.error());
    base::Json out = base::Json::array();
    for (const store::Finding& one : *found) {
        out.push_back({{"kind", one.kind}, {"key", one.key}, {"body", one.body}, {"first", base::rfc3339(one.first)}, {"told", one.told}});
        if (!json) std::printf("%s  %-16s %s%s\n", base::rfc3339(one.first).substr(0, 16).c_str(), one.kind.c_str(), visible(one.body).c_str(), one.told ? "" : "  (not said yet)");
    }
    if (json) print_json(out);
    else if (found->empty()) std::puts("there is nothing to act on");
    return 0;
}

}  // namespace app
