// Signing in from a browser: by a link that is good for once, then by a password.
#include <algorithm>
#include <cctype>

#include "server/api/body.h"
#include "server/api/handlers.h"
#include "server/own_page.h"
#include "store/people.h"
#include "store/sign_in.h"

namespace server::api {
namespace {

using base::Json;

constexpr std::chrono::minutes kFresh{15};  // since a session by link began: then it sets a password without the old one

Json session_json(const store::Session& session, const Caller& caller) {
    return {{"id", session.id.text()},          {"object", "session"},
            {"way", session.way},               {"label", session.label},
            {"begun", base::rfc3339(session.begun)}, {"seen", base::rfc3339(session.seen)},
            {"expires", base::rfc3339(session.expires)}, {"current", session.id == caller.session}};
}

// What the dashboard needs to know of who looks at it.
Json who_json(store::Tx& tx, const Caller& caller) {
    const store::Person person = store::this_person(tx);
    Json out = {{"object", "session"}, {"person", {{"id", person.id.text()}, {"name", person.name}, {"role", person.role}}}, {"scopes", caller.scopes}, {"has_password", store::has_password(tx)}};
    const auto session = store::find_session(tx, caller.session);
    out["session"] = session ? session_json(*session, caller) : Json(nullptr);
    return out;
}

// What the browser calls itself, in one line.
std::string label_of(const Request& request) {
    std::string out = request.header("user-agent");
    std::erase_if(out, [](unsigned char c) { return c < ' ' || c > '~'; });
    return out;
}

struct Begun {
    Json body;
    std::string secret;
};

net::Task<Response> begin(Request request, store::Identity who, const char* way, Services& services) {
    auto work = [&](store::Tx& tx) -> Begun {
        Caller caller;
        caller.principal.person = who.person;
        const auto role = policy::parse_role(store::this_person(tx).role);
        if (role) caller.scopes = scopes_of(*role);
        if (caller.scopes.empty()) return {};
        const auto made = store::begin_session(tx, way, label_of(request));
        caller.session = made.session.id;
        return {who_json(tx, caller), made.secret};
    };
    Begun begun = co_await services.db.run(who, work);
    if (begun.secret.empty()) co_return error_response(403, "this person signs in nowhere", "forbidden");
    begun.body["csrf"] = csrf_token(begun.secret);
    Response response = json_response(begun.body);
    response.headers["Set-Cookie"] = cookie_of(request, services.auth.tls(), begun.secret);
    response.headers["Cache-Control"] = "no-store";
    co_return response;
}

net::Task<Response> begin_by_link(Request request, std::string secret, Services& services) {
    auto use = [&](store::Tx& tx) { return store::use_link(tx, secret); };
    const auto who = co_await services.db.run({}, use);
    if (!who) co_return error_response(401, "the link was used before, or is older than a quarter of an hour: hearth open makes another", "link_used", "link");
    co_return co_await begin(std::move(request), *who, "link", services);
}

Response too_many(std::chrono::seconds wait) {
    Response response = error_response(429, "too many passwords were tried: wait " + std::to_string(wait.count()) + " s, or sign in by a link (hearth open)", "too_many_tries", "password");
    response.headers["Retry-After"] = std::to_string(wait.count());
    return response;
}

std::chrono::seconds take_try(Services& services, const std::string& name, const std::string& address) {
    const auto now = services.clock.steady();
    return std::max(services.auth.tries().take("name " + name, now), services.auth.tries().take("address " + address, now));
}

net::Task<Response> begin_by_password(Request request, std::string name, std::string password, Services& services) {
    const auto wait = take_try(services, name, request.peer.address);
    if (wait.count() > 0) co_return too_many(wait);
    // PostgreSQL's texts hold no zero byte, and so does no name.
    const bool may_be = name.find('\0') == std::string::npos;
    auto look = [&] { return may_be ? store::who_has_password(services.db, name, password) : std::nullopt; };
    const auto who = co_await net::on_pool(services.blocking, look);
    if (!who) co_return error_response(401, "name and password do not belong together", "wrong_password", "password");
    services.auth.tries().forget("name " + name);
    co_return co_await begin(std::move(request), *who, "password", services);
}

// Behind the answer, since a page waits for that and nobody for this.
net::Task<void> note_seen(store::Identity who, store::SessionId session, Services& services) {
    auto see = [&](store::Tx& tx) { store::see_session(tx, session); };
    co_await services.db.run(who, see);
}

}  // namespace

net::Task<Response> begin_session(Request request, Caller, Services& services) {
    if (auto foreign = from_no_foreign_page(request, services.auth.tls()); !foreign) co_return error_response(403, foreign.error().text(), "foreign_page");
    const auto body = object_of(request.body);
    if (!body) co_return error_response(body.error());
    auto link = base::optional_string(*body, "link");
    if (!link) co_return error_response(link.error(), "link");
    if (*link) co_return co_await begin_by_link(std::move(request), std::move(**link), services);
    auto name = base::string_field(*body, "name"), password = base::string_field(*body, "password");
    if (!name) co_return error_response(name.error(), "name");
    if (!password) co_return error_response(password.error(), "password");
    co_return co_await begin_by_password(std::move(request), *std::move(name), *std::move(password), services);
}

net::Task<Response> get_session(Request request, Caller caller, Services& services) {
    const store::Identity who = agents::identity_of(caller.principal);
    auto read = [&](store::Tx& tx) { return who_json(tx, caller); };
    Json body = co_await services.db.read(who, read);
    if (!caller.session.is_nil()) {
        body["csrf"] = csrf_token(session_cookie(request, services.auth.tls()));
        const auto home = co_await boost::asio::this_coro::executor;
        net::spawn(home, note_seen(who, caller.session, services), {});  // on a full disk it is not noted, and that is all
    }
    Response response = json_response(body);
    response.headers["Cache-Control"] = "no-store";
    co_return response;
}

net::Task<Response> end_session(Request request, Caller caller, Services& services) {
    if (caller.session.is_nil()) co_return error_response(409, "no browser has signed in here: a key is revoked by DELETE /v1/keys/{id}", "conflict");
    auto end = [&](store::Tx& tx) { return store::end_session(tx, caller.session); };
    co_await services.db.run(agents::identity_of(caller.principal), end);
    services.auth.forget_keys();
    Response response = json_response({{"ended", true}});
    response.headers["Set-Cookie"] = no_cookie(request, services.auth.tls());
    response.headers["Clear-Site-Data"] = "\"storage\"";
    co_return response;
}

net::Task<Response> set_password(Request request, Caller caller, Services& services) {
    const auto body = object_of(request.body);
    if (!body) co_return error_response(body.error());
    const auto password = base::string_field(*body, "password");
    if (!password) co_return error_response(password.error(), "password");
    if (caller.session.is_nil()) co_return error_response(409, "a password is set by a browser that has signed in: hearth open makes a link", "conflict");
    const auto current = base::optional_string(*body, "current");
    if (!current) co_return error_response(current.error(), "current");
    if (const auto wait = services.auth.tries().take("own " + caller.principal.person.text(), services.clock.steady()); wait.count() > 0) co_return too_many(wait);
    auto work = [&](store::Tx& tx) -> base::Result<void> {
        const auto session = store::find_session(tx, caller.session);
        const bool fresh = session && session->way == "link" && services.clock.now() - session->begun < kFresh;
        if (!fresh && store::has_password(tx) && !store::own_password_fits(tx, current->value_or("")))
            return base::error(base::Code::permission_denied, "the current password is another one", "sign in by a link (hearth open) if it is forgotten");
        store::end_other_sessions(tx, caller.session);
        return store::set_password(tx, *password);
    };
    const auto set = co_await services.db.run(agents::identity_of(caller.principal), work);
    if (!set) co_return error_response(set.error(), set.error().code == base::Code::permission_denied ? "current" : "password");
    services.auth.forget_keys();
    co_return json_response({{"has_password", true}});
}

net::Task<Response> make_link(Request request, Caller caller, Services& services) {
    const auto body = object_of(request.body);
    if (!body) co_return error_response(body.error());
    const auto who = base::optional_string(*body, "person");
    if (!who) co_return error_response(who.error(), "person");
    auto work = [&](store::Tx& tx) -> base::Result<std::string> {
        const auto person = *who ? store::find_person(tx, **who) : base::Result<store::Person>(store::this_person(tx));
        if (!person) return person.error();
        const auto role = policy::parse_role(person->role);
        const auto scopes = role ? scopes_of(*role) : std::vector<std::string>{};
        if (scopes.empty()) return base::error(base::Code::permission_denied, person->name + " signs in nowhere");
        for (const auto& scope : scopes)
            if (std::find(caller.scopes.begin(), caller.scopes.end(), scope) == caller.scopes.end())
                return base::error(base::Code::permission_denied, "a key without the scope " + scope + " makes no link for somebody who has it");
        return store::make_link(tx, person->id);
    };
    const auto secret = co_await services.db.run(agents::identity_of(caller.principal), work);
    if (!secret) co_return error_response(secret.error(), "person");
    Response response = json_response({{"object", "link"}, {"url", (services.address ? services.address() : std::string()) + "/#link=" + *secret}, {"expires", base::rfc3339(services.clock.now() + store::kLinkTime)}}, 201);
    response.headers["Cache-Control"] = "no-store";
    co_return response;
}

net::Task<Response> list_sessions(Request, Caller caller, Services& services) {
    auto list = [](store::Tx& tx) { return store::list_sessions(tx); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list)) data.push_back(session_json(one, caller));
    co_return list_response(std::move(data));
}

net::Task<Response> revoke_session(Request request, Caller caller, Services& services) {
    const auto id = store::SessionId::parse(request.parameters["id"]);
    bool ended = false;
    if (id) {
        auto end = [&](store::Tx& tx) { return store::end_session(tx, *id); };
        ended = co_await services.db.run(agents::identity_of(caller.principal), end);
    }
    services.auth.forget_keys();
    if (!ended) co_return error_response(404, "there is no such session", "not_found");
    co_return json_response({{"id", id->text()}, {"ended", true}});
}

}  // namespace server::api
