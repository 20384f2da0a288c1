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
    const char* path;          // "/v1/runs/{id}"; "{id*}" takes slashes too
    Access access;
    RouteHandler run;
    const char* summary;
    const char* answer;        // a name of openapi_schemas.cpp, or a media type
    const char* body = "";     // a name of openapi_schemas.cpp; "" for none. A route that has it takes new work in
    const char* query = "";    // names of openapi_schemas.cpp's parameters, by comma
    int success = 200;
};
const std::vector<Route>& routes();

// The OpenAPI 3.1 document of the table.
base::Json openapi(const std::string& version);
// Its components: schemas, parameters, headers.
const base::Json& openapi_components();
const base::Json& openapi_responses();  // the schemas of /v1/responses among them

// Finds the route, checks host, origin and caller, runs the handler.
Handler dispatcher(Services& services);
// Refuses what the dispatcher would refuse whatever the body is.
Gate gate(Services& services);

}  // namespace server
