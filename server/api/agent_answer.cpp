#include "server/api/agent_answer.h"

#include "server/api/prompts_field.h"

namespace server::api {

bool may_call(const Caller& caller, const agents::AgentRow& agent) {
    return caller.may(agent.key == "admin" ? Access::admin : agent.key == "dev" ? Access::dev : Access::user);
}

bool may_direct(const Caller& caller, const store::Run& run, const Services& services) {
    const agents::AgentRow* const agent = services.agents.cast().find(run.alias);
    return agent ? may_call(caller, *agent) : caller.may(Access::admin);
}

base::Error may_not_direct(const store::Run& run) {
    return base::error(base::Code::permission_denied, "what a run of " + run.alias + " does is for a key to say that may call that agent");
}

std::optional<Response> refused_agent(const std::string& alias, const char* field, const Caller& caller, const Services& services) {
    const agents::AgentRow* const agent = services.agents.cast().find(alias);
    if (!agent) return error_response(404, "there is no agent '" + alias + "'; there are " + services.agents.cast().names(), "model_not_found", field);
    if (!may_call(caller, *agent)) return error_response(403, "the agent " + alias + " needs a key with the scope " + agent->key, "forbidden", field);
    return std::nullopt;
}

std::optional<Response> refused_folder(const std::string& alias, const Services& services) {
    if (services.agents.cast().find(alias)->scope == policy::Scope::dev) return std::nullopt;
    return error_response(400, "workspace is not supported by '" + alias + "', which works in no folder of a client's", "unsupported", "workspace");
}

std::optional<Response> refused_by_agent(const ChatBody& body, const Caller& caller, const Services& services) {
    const std::string& alias = body.model.alias;
    if (auto refused = refused_agent(alias, "model", caller, services)) return refused;
    if (!body.workspace.path.empty())
        if (auto refused = refused_folder(alias, services)) return refused;
    if (auto refused = refused_prompts(body.prompts, caller)) return refused;
    using Kind = router::ToolChoice::Kind;
    const auto kind = body.model.tool_choice.kind;
    const std::pair<const char*, bool> fields[] = {{body.names->format, body.model.response_schema || body.model.json_object || body.model.response_rules},
                                                   {"stop", !body.model.stop_texts.empty()},
                                                   {body.thinking_field.c_str(), !body.thinking_field.empty()},
                                                   {"parallel_tool_calls", body.model.tool_choice.most == 1},
                                                   {"tool_choice", kind == Kind::required || kind == Kind::named}};
    for (const auto& [field, used] : fields)
        if (used) return error_response(400, std::string(field) + " is not supported by '" + alias + "'; a bare model takes it", "unsupported", field);
    return std::nullopt;
}

agents::ChatRequest agent_request(const ChatBody& body, const Caller& caller) {
    agents::ChatRequest chat;
    chat.principal = caller.principal;
    chat.alias = body.model.alias;
    chat.messages = body.messages;
    if (body.model.tool_choice.kind != router::ToolChoice::Kind::none) chat.client_tools = body.model.tools;
    chat.prompts = body.prompts;
    chat.sampling = body.model.sampling;
    if (body.limited) chat.max_tokens = body.model.max_tokens;
    return chat;
}

std::optional<Response> join_conversation(const Request& request, agents::ChatRequest& chat) {
    const std::string& id = request.header("x-hearth-conversation");
    if (id.empty()) return std::nullopt;
    const auto conversation = base::ConversationId::parse(id);
    if (!conversation) return error_response(404, "there is no conversation '" + id + "'", "not_found", "X-Hearth-Conversation");
    chat.conversation = *conversation;
    return std::nullopt;
}

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
