// Models of this process, loaded and unloaded while the others serve.
#include "server/api/handlers.h"

namespace server::api {
namespace {

Response set_loaded(const Request& request, Services& services, bool loaded) {
    const auto id = services.gateway.set_loaded(request.parameters.at("id"), loaded);
    if (!id) return error_response(id.error(), "id");
    return json_response({{"object", "model.state"}, {"id", *id}, {"state", router::name(services.gateway.backends().at(*id).status.state)}}, 202);
}

}  // namespace

net::Task<Response> load_model(Request request, Caller, Services& services) { co_return set_loaded(request, services, true); }
net::Task<Response> unload_model(Request request, Caller, Services& services) { co_return set_loaded(request, services, false); }

}  // namespace server::api
