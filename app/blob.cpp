// hearth blob list, show, save, remember and forget: what came with messages, through the running server.
#include <cstdio>

#include "app/client.h"
#include "app/commands.h"
#include "app/json_text.h"
#include "app/private_file.h"
#include "app/terminal.h"
#include "base/id.h"

namespace app {
namespace {

using base::Code;
using base::Json;

// Of one of them; `rest` behind its path.
base::Result<Json> ask(const LoadedSettings& loaded, const std::string& method, const std::string& id, const std::string& rest = {}) {
    if (!base::Uuid::parse(id)) return base::error(Code::not_found, "there is no blob '" + id + "'", "hearth blob list shows which there are");
    return ask_server_json(loaded.settings.server.socket, method, "/v1/blobs/" + id + rest);
}

void print_line(const Json& one) {
    const std::string name = text_of(one, "name"), error = text_of(one, "error");
    std::printf("%s  %s  %-6s  %8ld  %s, %s%s%s\n", text_of(one, "id").c_str(), text_of(one, "arrived").substr(0, 16).c_str(), text_of(one, "state").c_str(), one["bytes"].get<long>(), text_of(one, "media").c_str(), text_of(one, "type").c_str(),
                name.empty() ? "" : ("  " + name).c_str(), error.empty() ? "" : ("  " + error).c_str());
}

}  // namespace

int blob_list(const LoadedSettings& loaded, int limit, bool json) {
    const auto all = ask_server_json(loaded.settings.server.socket, "GET", "/v1/blobs?limit=" + std::to_string(limit));
    if (!all) return complain(all.error());
    if (json) return print_json((*all)["data"], 2), 0;
    if ((*all)["data"].empty()) std::puts("nothing has come with a message yet");
    for (const Json& one : (*all)["data"]) print_line(one);
    return 0;
}

int blob_show(const LoadedSettings& loaded, const std::string& id, bool json) {
    const auto one = ask(loaded, "GET", id, "/about");
    if (!one) return complain(one.error());
    if (json) return print_json(*one, 2), 0;
    print_line(*one);
    std::printf("  came by   %s%s\n", text_of(*one, "channel").c_str(), (*one)["run"].is_string() ? (", answered by run " + text_of(*one, "run")).c_str() : "");
    if ((*one)["digest"].is_string()) std::printf("  SHA-256   %s\n", text_of(*one, "digest").c_str());
    return 0;
}

int blob_save(const LoadedSettings& loaded, const std::string& id, const std::string& file, bool json) {
    const auto about = ask(loaded, "GET", id, "/about");
    if (!about) return complain(about.error());
    auto reply = ask_server(loaded.settings.server.socket, "GET", "/v1/blobs/" + id, nullptr);
    if (reply && reply->status != 200) return complain(answer_of(std::move(reply)).error());
    if (!reply) return complain(reply.error());
    if (auto written = write_private(file, reply->body, IfThere::refuse); !written) return complain(written.error());
    if (json) print_json({{"id", id}, {"file", file}, {"bytes", reply->body.size()}});
    else std::printf("%zu bytes in %s\n", reply->body.size(), visible(file).c_str());
    return 0;
}

int blob_remember(const LoadedSettings& loaded, const std::string& id, bool json) {
    const auto kept = ask(loaded, "POST", id, "/remember");
    if (!kept) return complain(kept.error());
    if (json) print_json(*kept, 2);
    else print_document(*kept);
    return 0;
}

int blob_forget(const LoadedSettings& loaded, const std::string& id, bool json) {
    const auto gone = ask(loaded, "DELETE", id);
    if (!gone) return complain(gone.error());
    if (json) print_json(*gone, 2);
    else std::puts("it is gone, and its file; what was said of it stays where it was said");
    return 0;
}

}  // namespace app
