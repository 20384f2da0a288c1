// What the routes of memory share.
#pragma once

#include <string>
#include <vector>

#include "server/http.h"
#include "store/facts.h"

namespace server::api {

// "true", "false", or nothing, which is false.
base::Result<bool> query_flag(const Request& request, const std::string& name);
// How much is forgotten, or would be, and what that cannot reach.
Response forgotten_response(const std::string& id, bool preview, const std::vector<store::Forgotten>& gone);

}  // namespace server::api
