// The person's archive: what was said, in a repository beside the database.
#include "memory/archive.h"

#include "server/api/handlers.h"

namespace server::api {

using base::Json;

net::Task<Response> archive_memory(Request request, Caller caller, Services& services) {
    const auto done = co_await memory::archive(services.db, agents::identity_of(caller.principal), services.archive, request.gone);
    if (!done) co_return error_response(done.error());
    co_return json_response({{"object", "memory.archive"}, {"segments", done->segments}, {"episodes", done->episodes}, {"commits", done->commits}});
}

net::Task<Response> archived_text(Request request, Caller caller, Services& services) {
    const auto id = base::Uuid::parse(request.parameters["id"]);
    if (!id) co_return error_response(404, "there is nothing with that id in your archive", "not_found");
    const auto read = [&](store::Tx& tx) { return memory::archived_text(tx, services.archive, *id); };
    const auto found = co_await services.db.read(agents::identity_of(caller.principal), read);
    if (!found) co_return error_response(found.error());
    const Json run = found->run.empty() ? Json(nullptr) : Json(found->run);
    co_return json_response({{"id", id->text()}, {"object", "archived"}, {"kind", found->kind}, {"conversation_id", found->conversation}, {"run_id", run}, {"began", found->began}, {"ended", found->ended}, {"text", found->text}});
}

}  // namespace server::api
