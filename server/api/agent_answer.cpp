#include "server/api/agent_answer.h"

namespace server::api {

base::Result<bool> cancel_on_disconnect(const Request& request) {
    const std::string& wish = request.header("x-hearth-on-disconnect");
    if (wish.empty() || wish == "continue") return false;
    if (wish == "cancel") return true;
    return base::error(base::Code::invalid_argument, "the header X-Hearth-On-Disconnect is '" + wish + "' but must be cancel or continue");
}

std::optional<base::Error> failure_of(const agents::ChatResult& result) {
    if (result.final_state == "no_backend" || result.final_state == "interrupted") return base::error(base::Code::unavailable, result.error.text());
    if (!result.response.empty()) return std::nullopt;
    if (result.error.code == base::Code::context_length_exceeded) return base::error(result.error.code, result.error.text());
    if (result.final_state == "failed") return base::error(result.error.code, result.error.text());
    return std::nullopt;
}

void name_run(Response& response, base::RunId run, base::ConversationId conversation) {
    if (!run.is_nil()) response.headers["X-Hearth-Run"] = run.text();
    if (!conversation.is_nil()) response.headers["X-Hearth-Conversation"] = conversation.text();
}

}  // namespace server::api
