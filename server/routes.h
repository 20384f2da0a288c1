// The endpoint table and its dispatch.
#pragma once

#include <vector>

#include "server/auth.h"
#include "server/http.h"
#include "server/services.h"

namespace server {

using RouteHandler = net::Task<Response> (*)(Request, Caller, Services&);

struct Route {
    const char* method;
    const char* path;          // "/v1/runs/{id}"
    Access access;
    RouteHandler run;
    const char* summary;
    const char* request_schema = "";  // a name of openapi.cpp's schemas; "" for none. One that has it takes new work in
};
const std::vector<Route>& routes();

// The OpenAPI 3.1 document of the table.
base::Json openapi(const std::string& version);

// Finds the route, checks host, origin and caller, runs the handler.
Handler dispatcher(Services& services);

}  // namespace server
