// Responses that were stored, as what later requests go on from.
#pragma once

#include "server/auth.h"
#include "server/services.h"
#include "store/responses.h"

namespace server::api {

struct Earlier {
    std::vector<store::StoredResponse> chain;       // the oldest first; the last alone where its conversation goes on
    base::ConversationId conversation{};            // that goes on; nil: all of the chain is told anew
};
// What the response of that name goes on from. An agent goes on in an agent's conversation: Error{conflict} where that was
// answered since. Error{not_found} for a response that is not there, is another person's, or stands on one that is gone.
net::Task<base::Result<Earlier>> earlier_responses(std::string id, bool for_agent, Caller caller, Services& services);

}  // namespace server::api
