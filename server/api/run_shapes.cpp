#include "server/api/run_shapes.h"

namespace server::api {

base::Json run_json(const store::Run& run) {
    const std::string id = run.id.text(), path = "/v1/runs/" + id;
    base::Json out = {{"id", id},                  {"object", "run"},
                      {"conversation_id", run.conversation.text()}, {"model", run.alias},
                      {"question", run.question},  {"status", run.status},      {"error", run.error},
                      {"usage", run.usage},        {"metadata", run.metadata},  {"started", base::rfc3339(run.started)}};
    out["finished"] = run.finished.time_since_epoch().count() ? base::Json(base::rfc3339(run.finished)) : base::Json(nullptr);
    out["stop_asked"] = run.stop_asked.time_since_epoch().count() ? base::Json(base::rfc3339(run.stop_asked)) : base::Json(nullptr);
    if (!run.forked_from.is_nil()) out["forked_from"] = {{"run", run.forked_from.text()}, {"step", run.forked_step.text()}};
    out["urls"] = {{"self", path}, {"events", path + "/events"}, {"stop", path + "/stop"}, {"steer", path + "/steer"}, {"approve", path + "/approve"}, {"fork", path + "/fork"}};
    return out;
}

base::Json approval_json(const store::Approval& approval) {
    const auto& asked = approval.request;
    const bool decided = !approval.decided_via.empty();
    return {{"id", approval.id.text()}, {"object", "approval"},  {"run_id", asked.run.text()},
            {"tool", asked.tool},       {"arguments", asked.arguments}, {"rule", asked.rule},
            {"reason", asked.reason},   {"state", store::name(approval.state)},
            {"asked", base::rfc3339(approval.asked)}, {"expires", base::rfc3339(approval.expires)},
            {"decided", decided ? base::Json({{"by", approval.decided_by}, {"via", approval.decided_via}}) : base::Json(nullptr)}};
}

}  // namespace server::api
