// API keys of the caller.
#include "server/api/body.h"
#include "server/api/handlers.h"

#include <algorithm>

namespace server::api {
namespace {

base::Json key_json(const store::Key& key) {
    return {{"id", key.id.text()},         {"label", key.label},     {"scopes", key.scopes}, {"prefix", key.prefix},
            {"created", base::rfc3339(key.created)}, {"revoked", key.revoked}};
}

struct KeyWish {
    std::string label;
    std::vector<std::string> scopes, ignored;
};

bool has(const std::vector<std::string>& scopes, const std::string& scope) { return std::find(scopes.begin(), scopes.end(), scope) != scopes.end(); }

// Unless they are named, the new key gets the scope chat, where its maker has that.
base::Result<KeyWish> read_wish(const std::string& body, const std::vector<std::string>& own) {
    auto json = object_of(body.empty() ? "{}" : body);
    if (!json) return std::move(json).error();
    auto label = base::optional_string(*json, "label");
    if (!label) return std::move(label).error();
    KeyWish wish{label->value_or("key"), {}, fields_beside({"label", "scopes"}, *json)};
    if (!json->contains("scopes")) {
        if (!has(own, "chat")) return base::error(base::Code::invalid_argument, "scopes must say what the key may do: its maker lacks the scope chat, which is given else");
        wish.scopes = {"chat"};
        return wish;
    }
    const auto& list = (*json)["scopes"];
    if (!list.is_array()) return base::error(base::Code::invalid_argument, "scopes must be a list");
    for (const auto& scope : list) {
        if (scope != "chat" && scope != "dev" && scope != "admin")
            return base::error(base::Code::invalid_argument, "scopes may hold chat, dev and admin, found " + base::dump(scope));
        wish.scopes.push_back(scope);
    }
    return wish;
}

}  // namespace

net::Task<Response> list_keys(Request, Caller caller, Services& services) {
    auto list = [](store::Tx& tx) { return store::list_keys(tx); };
    base::Json out = base::Json::array();
    for (const auto& key : co_await services.db.read(agents::identity_of(caller.principal), list)) out.push_back(key_json(key));
    co_return list_response(std::move(out));
}

net::Task<Response> create_key(Request request, Caller caller, Services& services) {
    auto wish = read_wish(request.body, caller.scopes);
    if (!wish) co_return error_response(wish.error());
    for (const std::string& scope : wish->scopes)
        if (!has(caller.scopes, scope)) co_return error_response(403, "a key without the scope " + scope + " makes none that has it", "forbidden", "scopes");
    auto create = [&](store::Tx& tx) { return store::create_key(tx, caller.principal.person, wish->label, wish->scopes); };
    const auto made = co_await services.db.run(agents::identity_of(caller.principal), create);
    base::Json body = key_json(made.key);
    body["secret"] = made.secret;
    Response response = json_response(body, 201);
    name_ignored(response, wish->ignored);
    co_return response;
}

net::Task<Response> revoke_key(Request request, Caller caller, Services& services) {
    const auto id = base::KeyId::parse(request.parameters["id"]);
    bool revoked = false;
    if (id) {
        auto revoke = [&](store::Tx& tx) { return store::revoke_key(tx, *id); };
        revoked = co_await services.db.run(agents::identity_of(caller.principal), revoke);
    }
    services.auth.forget_keys();
    if (!revoked) co_return error_response(404, "there is no such key", "not_found");
    co_return json_response({{"id", id->text()}, {"revoked", true}});
}

}  // namespace server::api
