// The dashboard: files that are compiled into the program. They tell nothing of anybody; what they show comes from the API.
#pragma once

#include <optional>

#include "server/http.h"

namespace server {

// The page at / and at the address of each of its views (/runs/ID), and the files under /ui/. Nothing: none of these.
std::optional<Response> dashboard_file(const Request& request);
// What somebody is shown who has opened an address at which there is nothing, with the way back; 404. Nothing: no page was asked for.
std::optional<Response> page_of_nothing(const Request& request);

}  // namespace server
