// Asking a bare model for a client.
#pragma once

#include "server/api/chat_request.h"
#include "server/auth.h"
#include "server/services.h"

namespace server::api {

// The answer to a name that nothing has; none where there is such a model.
std::optional<Response> no_such_model(const std::string& alias, const Services& services);
// The request as it goes to the model: for whom, and how long a reply may be where the body does not say.
router::ModelRequest model_request(ChatBody body, const Caller& caller);
// The one place that calls a bare alias.
net::Task<base::Result<router::ModelReply>> call_model(router::ModelRequest request, router::DeltaSink sink, Services& services);

}  // namespace server::api
