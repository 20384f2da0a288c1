// What the routes of memory share.
#pragma once

#include <string>
#include <vector>

#include "server/auth.h"
#include "server/http.h"
#include "server/services.h"
#include "store/facts.h"

namespace server::api {

// "true", "false", or nothing, which is false.
base::Result<bool> query_flag(const Request& request, const std::string& name);
// How much is forgotten, or would be, and what that cannot reach.
Response forgotten_response(const std::string& id, bool preview, const std::vector<store::Forgotten>& gone);

// Once more of what is forgotten by then: indexes, what models hold of the person's conversations and of those of `others`, and files of blobs that nothing counts on.
net::Task<void> forget_copies(Caller caller, Services& services, std::vector<base::PersonId> others = {});
net::Task<void> sweep_blobs(Caller caller, Services& services);
// A file, read and remembered as a document, by its sections.
struct GivenFile {
    std::string name, type, bytes;
};
net::Task<Response> remember_file(GivenFile file, Caller caller, Services& services);

}  // namespace server::api
