// The folder that a request names, for the agent that works in one.
#pragma once

#include <optional>
#include <string>

#include "agents/service.h"
#include "base/json.h"
#include "server/routes.h"

namespace server::api {

// The body's `workspace`, `read_only` and `write_tier`; on failure `param` is the field's name.
struct WorkspaceField {
    std::string path;        // absolute; empty: the conversation's own
    bool read_only = false;
    agents::WriteTier tier = agents::WriteTier::code;
};
inline constexpr const char* kWorkspaceFields[] = {"workspace", "read_only", "write_tier"};
base::Result<WorkspaceField> read_workspace(const base::Json& body, std::string& param);

// Opens the folder and gives it to the request, before anything is committed; or the answer that refuses it. Also says
// whether this client may name one at all: only one on this machine may.
net::Task<std::optional<Response>> open_workspace(Request& request, const Caller& caller, const WorkspaceField& field, agents::ChatRequest& chat,
                                                  Services& services);

}  // namespace server::api
