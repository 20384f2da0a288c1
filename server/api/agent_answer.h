// What chat_completions and dev_chat share: how a run's end is told over HTTP.
#pragma once

#include <optional>

#include "agents/service.h"
#include "server/http.h"

namespace server::api {

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
