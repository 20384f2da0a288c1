#include "server/api/memory_shapes.h"

#include "memory/person_indexes.h"
#include "store/blobs.h"

namespace server::api {
namespace {

using base::Json;

// What forgetting cannot reach, said with each answer.
Json what_stays(std::int64_t open_runs) {
    Json out = {"of each step of a trace its name, times and the digests of what was erased; of traces that an earlier version wrote, the attributes too",
                "the archive's files, which nobody can read without their keys",
                "what was said of it elsewhere in other words, in runs that neither kept nor recalled it",
                "what left for somebody, where it arrived; and what a model holds in memory until this server ends",
                "documents, each of which is forgotten by itself", "backups of the database"};
    if (open_runs > 0) out.push_back(std::to_string(open_runs) + " runs that have not ended: forget again when they have");
    return out;
}

}  // namespace

base::Result<bool> query_flag(const Request& request, const std::string& name) {
    const std::string value = request.query_value(name);
    if (value.empty() || value == "false") return false;
    if (value == "true") return true;
    return base::error(base::Code::invalid_argument, name + " is '" + value + "' but must be true or false");
}

Response forgotten_response(const std::string& id, bool preview, const std::vector<store::Forgotten>& gone) {
    Json body = {{"id", id}, {"object", "forgotten"}, {"preview", preview}, {"counts", Json::object()}};
    std::int64_t open_runs = 0;
    for (const auto& [kind, number] : gone)
        if (kind == "open_runs") open_runs = number;
        else body["counts"][kind] = number;
    body["stays"] = what_stays(open_runs);
    return json_response(body);
}

net::Task<void> sweep_blobs(Caller caller, Services& services) {
    const std::string audience = caller.principal.person.text();
    const auto sweep = [&](store::Tx& tx) { return services.blobs->sweep(tx, audience); };
    co_await services.db.run(agents::identity_of(caller.principal), sweep);
}

net::Task<void> forget_copies(Caller caller, Services& services, std::vector<base::PersonId> others) {
    services.agents.memory().forget(caller.principal.tenant);
    others.push_back(caller.principal.person);
    auto erase = [&] {
        for (const base::PersonId one : others) services.gateway.forget(one.text());
    };
    co_await net::on_pool(services.blocking, erase);
    co_await sweep_blobs(std::move(caller), services);
}

}  // namespace server::api
