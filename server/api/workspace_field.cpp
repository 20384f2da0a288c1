#include "server/api/workspace_field.h"

#include "server/failure.h"

namespace server::api {
namespace {

using base::Code;

// One that came as a descriptor wins over a path: the server's user may not reach the path.
base::Result<void> open_folder(Request& request, agents::ChatRequest& chat, const Services& services) {
    using sandbox::Workspace;
    const auto access = chat.workspace_read_only ? Workspace::Access::read_only : Workspace::Access::read_write;
    const bool passed = request.peer.workspace && *request.peer.workspace;
    if (!passed && !chat.may_name_folders)
        return base::error(Code::permission_denied, "workspace names a folder of this machine, which only a client on it may do",
                           "leave workspace out: the conversation has a folder of its own");
    auto opened = passed ? Workspace::from_fd(std::move(*request.peer.workspace), chat.workspace_path, access, services.masked)
                         : Workspace::open(chat.workspace_path, access, services.masked);
    if (!opened) return std::move(opened).error();
    chat.workspace = *std::move(opened);
    return {};
}

}  // namespace

base::Result<WorkspaceField> read_workspace(const base::Json& body, std::string& param) {
    WorkspaceField out;
    param = "read_only";
    auto read_only = base::optional_bool(body, "read_only");
    if (!read_only) return std::move(read_only).error();
    out.read_only = read_only->value_or(false);
    param = "write_tier";
    auto named = base::optional_string(body, "write_tier");
    if (!named) return std::move(named).error();
    const auto tier = agents::parse_write_tier(named->value_or("code"));
    if (!tier) return base::error(Code::invalid_argument, "write_tier is '" + **named + "', expected prompts, skills or code");
    out.tier = *tier;
    param = "workspace";
    auto path = base::optional_string(body, "workspace");
    if (!path) return std::move(path).error();
    out.path = path->value_or("");
    if (!out.path.empty() && out.path[0] != '/')
        return base::error(Code::invalid_argument, "workspace is '" + out.path + "' but must be an absolute path");
    param.clear();
    return out;
}

net::Task<std::optional<Response>> open_workspace(Request& request, const Caller& caller, const WorkspaceField& field, agents::ChatRequest& chat,
                                                  Services& services) {
    chat.workspace_read_only = field.read_only;
    chat.write_tier = field.tier;
    chat.workspace_path = field.path;
    const auto role = caller.principal.role;
    const bool member = role == policy::Role::owner || role == policy::Role::member;
    chat.may_name_folders = member && is_local(request);
    if (field.path.empty()) co_return std::nullopt;
    if (!member) co_return error_response(403, "only the household's members may name a folder", "forbidden", "workspace");
    auto open = [&] { return open_folder(request, chat, services); };
    const auto opened = co_await net::on_pool(services.blocking, open);
    if (!opened) co_return error_response(opened.error(), "workspace");
    co_return std::nullopt;
}

}  // namespace server::api
