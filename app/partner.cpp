#include "app/partner.h"

#include "app/client.h"

namespace app {
namespace {

// A name goes into a path as it is written, but for the blanks and the like that no name has.
bool is_name(const std::string& name) {
    return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/@+") == name.npos;
}

}  // namespace

base::Result<Partner> partner_named(const std::string& socket, const std::string& name) {
    if (name.empty()) return Partner{};
    const auto unknown = [&] {
        return base::error(base::Code::not_found, "there is no agent or model '" + name + "'", "those of docs/agents.md and of the roster can be named; GET /v1/models lists them");
    };
    if (!is_name(name)) return unknown();
    const auto found = ask_server_json(socket, "GET", "/v1/models/" + name);
    if (!found && found.error().code == base::Code::not_found) return unknown();
    if (!found) return found.error();
    const std::string scope = found->value("scope", "");
    return Partner{name, !scope.empty(), scope == "dev"};
}

std::string agents_of(const std::string& socket) {
    const auto models = ask_server_json(socket, "GET", "/v1/models");
    std::string out;
    if (!models) return out;
    for (const base::Json& one : models->value("data", base::Json::array()))
        if (one.contains("scope")) out += (out.empty() ? "" : ", ") + one.value("id", "");
    return out;
}

}  // namespace app
