// hearth approval: what runs wait for a person's word on, through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "base/id.h"

namespace app {
namespace {

base::Result<base::Json> answer_of(base::Result<Reply> reply) {
    if (!reply) return std::move(reply).error();
    auto body = base::parse_json(reply->body);
    if (!body || reply->status == 200) return body;
    const auto code = reply->status == 404 ? base::Code::not_found : reply->status == 409 ? base::Code::conflict : base::Code::unavailable;
    return base::error(code, (*body)["error"].value("message", "HTTP " + std::to_string(reply->status)), "hearth approval list tells what is open");
}

}  // namespace

int approval_list(const LoadedSettings& loaded, bool json) {
    const auto open = answer_of(ask_server(loaded.settings.server.socket, "GET", "/v1/approvals", nullptr));
    if (!open) return complain(open.error());
    const auto& data = (*open)["data"];
    if (json) {
        print_json(data, 2);
    } else {
        if (data.empty()) std::puts("nothing waits for your word");
        for (const auto& one : data)
            std::printf("%s  until %s\n    %s %s\n    %s\n", one.value("id", "").c_str(), one.value("expires", "").substr(0, 16).c_str(), visible(one.value("tool", "")).c_str(),
                        visible(base::dump(one["arguments"])).c_str(), visible(one.value("reason", "")).c_str());
    }
    return 0;
}

int approval_decide(const LoadedSettings& loaded, const std::string& id, bool grant, bool json) {
    if (!base::Uuid::parse(id)) return complain(base::error(base::Code::not_found, "there is no approval '" + id + "'", "hearth approval list tells what is open"));
    const auto decided = answer_of(ask_server(loaded.settings.server.socket, "POST", "/v1/approvals/" + id, {{"decision", grant ? "grant" : "deny"}}));
    if (!decided) return complain(decided.error());
    if (json) print_json(*decided, 2);
    else std::printf("%s is %s; run %s goes on\n", visible(decided->value("tool", "")).c_str(), grant ? "granted, once" : "denied", decided->value("run_id", "").c_str());
    return 0;
}

}  // namespace app
