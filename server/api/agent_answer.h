// What the ways to an agent share: what it is asked with, and how a run's end is told over HTTP.
#pragma once

#include <optional>

#include "agents/service.h"
#include "server/api/chat_request.h"
#include "server/auth.h"
#include "server/http.h"
#include "server/services.h"
#include "store/runs.h"

namespace server::api {

// Whether the caller's key has the scope that the agent's row names.
bool may_call(const Caller& caller, const agents::AgentRow& agent);
// Who may not begin such a run may not direct one either: steer it, fork it, or grant what it asks for.
bool may_direct(const Caller& caller, const store::Run& run, const Services& services);
base::Error may_not_direct(const store::Run& run);
// The agent as a 404 or 403 where there is none of that name, or not for this caller; `field` is where it was named.
std::optional<Response> refused_agent(const std::string& alias, const char* field, const Caller& caller, const Services& services);
// That the agent works in no folder of a client's, where it does not.
std::optional<Response> refused_folder(const std::string& alias, const Services& services);
// What an agent cannot do and a bare model can, or may not for this caller.
std::optional<Response> refused_by_agent(const ChatBody& body, const Caller& caller, const Services& services);
agents::ChatRequest agent_request(const ChatBody& body, const Caller& caller);
// The conversation that the header X-Hearth-Conversation names; else the answer that refuses it.
std::optional<Response> join_conversation(const Request& request, agents::ChatRequest& chat);

// Whether the client wants its run to end when it leaves (X-Hearth-On-Disconnect: cancel); else the
// run goes on. Another value is Error{invalid_argument}.
base::Result<bool> cancel_on_disconnect(const Request& request);

// The error that a run without any answer is, under a shape that has no place for its state.
std::optional<base::Error> failure_of(const agents::ChatResult& result);

// Names run and conversation in the response's headers; nil ids are left out.
void name_run(Response& response, base::RunId run, base::ConversationId conversation);

// How long a stream waits before it begins, so that what is refused at once gets a status of its own.
constexpr std::chrono::milliseconds kFirstEvent{2000};

}  // namespace server::api
