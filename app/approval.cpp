// hearth approval: what runs wait for a person's word on, through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "base/id.h"

namespace app {
namespace {

// What the server refused is told with where to look.
int refused(base::Error error) {
    if (error.remedy.empty()) error.remedy = "hearth approval list tells what is open";
    return complain(error);
}

}  // namespace

int approval_list(const LoadedSettings& loaded, bool json) {
    const auto open = ask_server_json(loaded.settings.server.socket, "GET", "/v1/approvals");
    if (!open) return refused(open.error());
    const auto& data = (*open)["data"];
    if (json) {
        print_json(data, 2);
    } else {
        if (data.empty()) std::puts("nothing waits for your word");
        for (const auto& one : data)
            std::printf("%s  until %s UTC\n    %s %s\n    %s\n", one.value("id", "").c_str(), one.value("expires", "").substr(0, 16).c_str(), visible(one.value("tool", "")).c_str(),
                        visible(base::dump(one["arguments"])).c_str(), visible(one.value("reason", "")).c_str());
    }
    return 0;
}

int approval_decide(const LoadedSettings& loaded, const std::string& id, bool grant, bool json) {
    if (!base::Uuid::parse(id)) return complain(base::error(base::Code::not_found, "there is no approval '" + id + "'", "hearth approval list tells what is open"));
    const auto decided = ask_server_json(loaded.settings.server.socket, "POST", "/v1/approvals/" + id, {{"decision", grant ? "grant" : "deny"}});
    if (!decided) return refused(decided.error());
    if (json) print_json(*decided, 2);
    else std::printf("%s is %s; run %s goes on\n", visible(decided->value("tool", "")).c_str(), grant ? "granted, once" : "denied", decided->value("run_id", "").c_str());
    return 0;
}

}  // namespace app
