#include "server/auth.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "base/ascii.h"
#include "server/own_page.h"
#include "store/digest.h"

namespace server {
namespace {

constexpr auto kCacheTime = std::chrono::seconds(5);
constexpr auto kCacheTimeOfStops = std::chrono::minutes(10);  // what works can be stopped while keys cannot be looked up
constexpr auto kLongestLookUp = std::chrono::seconds(1);       // of a stop, where there is that to go by: a connection that is lost may hang for minutes
const std::vector<std::string> kAllScopes = {"chat", "dev", "admin"};

// "LocalHost:8080" → "localhost", "[::1]:80" → "[::1]", "home.lan." → "home.lan"
std::string host_of(const std::string& authority) {
    const bool literal = !authority.empty() && authority[0] == '[';
    std::string host = base::ascii_lower(authority.substr(0, literal ? authority.find(']') + 1 : authority.find(':')));
    if (host.size() > 1 && host.back() == '.') host.pop_back();
    return host;
}

std::string scope_of(Access access) { return access == Access::dev ? "dev" : access == Access::admin ? "admin" : "chat"; }

bool is_stop(const Request& request) { return request.method == "POST" && request.path.ends_with("/stop"); }

Caller caller_of(const store::Authenticated& who) {
    Caller caller;
    const auto role = policy::parse_role(who.role);
    caller.principal = {who.identity.tenant, who.identity.person, role.value_or(policy::Role::guest), "key:" + who.key.prefix, true};
    caller.scopes = who.key.scopes;
    // A guest talks, whatever his key was made for.
    if (role == policy::Role::guest) std::erase_if(caller.scopes, [](const std::string& scope) { return scope != "chat"; });
    return caller;
}

Caller caller_of(const store::SignedIn& who) {
    Caller caller;
    const auto role = policy::parse_role(who.role);
    caller.principal = {who.identity.tenant, who.identity.person, role.value_or(policy::Role::guest), "session", true};
    if (role) caller.scopes = scopes_of(*role);
    caller.session = who.session;
    return caller;
}

using FoundCaller = base::Result<std::optional<Caller>>;

// A look-up that goes on by itself where nobody waits for its end.
struct LookingUp {
    boost::asio::steady_timer wait;
    std::function<FoundCaller()> look_up;
    FoundCaller found = base::error(base::Code::deadline, "the database does not answer");
};
net::Task<void> finish_look_up(std::shared_ptr<LookingUp> one, boost::asio::thread_pool& blocking) {
    FoundCaller found = co_await net::on_pool(blocking, one->look_up);
    one->found = std::move(found);
    one->wait.cancel();
}

net::Task<FoundCaller> look_up_soon(std::function<FoundCaller()> look_up, boost::asio::thread_pool& blocking) {
    const auto home = co_await boost::asio::this_coro::executor;
    const auto one = std::make_shared<LookingUp>(boost::asio::steady_timer(home, kLongestLookUp), std::move(look_up));
    net::spawn(home, finish_look_up(one, blocking), {});
    boost::system::error_code ignored;
    co_await one->wait.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    co_return one->found;
}

}  // namespace

std::vector<std::string> scopes_of(policy::Role role) {
    switch (role) {
        case policy::Role::owner: return kAllScopes;
        case policy::Role::member: return {"chat", "dev"};
        case policy::Role::guest: return {"chat"};
        default: return {};
    }
}

// Behind a proxy the peer's address says nothing about the client.
bool is_local(const Request& request) {
    const bool forwarded = std::any_of(request.headers.begin(), request.headers.end(), [](const auto& field) {
        const std::string& name = field.first;
        return name == "forwarded" || name == "via" || name.starts_with("x-forwarded-") || name == "x-real-ip" || name == "x-client-ip" ||
               name == "true-client-ip" || name == "cf-connecting-ip";
    });
    return request.peer.unix_socket || (!forwarded && (request.peer.address == "127.0.0.1" || request.peer.address == "::1"));
}

bool Caller::may(Access access) const {
    auto has = [&](const char* scope) { return std::find(scopes.begin(), scopes.end(), scope) != scopes.end(); };
    switch (access) {
        case Access::open: return true;
        case Access::user: return has("chat") || has("dev") || has("admin");
        case Access::dev: return has("dev");
        case Access::admin: return has("admin");
    }
    return false;
}

base::Result<void> Auth::check_origin(const Request& request) const {
    auto known = [&](const std::string& host) {
        if (host == "127.0.0.1" || host == "localhost" || host == "[::1]") return true;
        return std::find(options_.hosts.begin(), options_.hosts.end(), host) != options_.hosts.end();
    };
    if (!request.peer.unix_socket && !known(host_of(request.header("host"))))
        return base::error(base::Code::permission_denied, "the host '" + request.header("host") + "' is not served here",
                           "add it to server.public_host if it is yours");
    // Same origin, or a host of ours: a page that another port of this machine serves is foreign.
    const std::string& origin = request.header("origin");
    const auto scheme = origin.find("://");
    const std::string authority = scheme == origin.npos ? std::string() : origin.substr(scheme + 3);
    const auto& ours = options_.hosts;
    const bool ok = base::ascii_lower(authority) == base::ascii_lower(request.header("host")) || std::find(ours.begin(), ours.end(), host_of(authority)) != ours.end();
    if (!origin.empty() && (authority.empty() || !ok))
        return base::error(base::Code::permission_denied, "requests from the origin '" + origin + "' are refused",
                           "add its host to server.public_host if it is yours");
    return {};
}

std::optional<Caller> Auth::by_socket(const Request& request) const {
    const auto& uids = options_.owner_uids;
    if (request.peer.uid != 0 && std::find(uids.begin(), uids.end(), request.peer.uid) == uids.end()) return std::nullopt;
    Caller owner;
    owner.principal = {options_.owner.tenant, options_.owner.person, policy::Role::owner, "socket", true};
    owner.scopes = kAllScopes;
    return owner;
}

std::optional<Caller> Auth::by_loopback(const Request& request, Access access) const {
    if (!options_.trust_loopback || !is_local(request) || access == Access::admin) return std::nullopt;
    Caller owner;
    owner.principal = {options_.owner.tenant, options_.owner.person, policy::Role::owner, "loopback", true};
    owner.scopes = {"chat", "dev"};
    return owner;
}

net::Task<std::variant<Caller, Auth::Refusal>> Auth::identify(const Request& request, Access access, boost::asio::thread_pool& blocking) {
    if (access == Access::open) co_return Caller{};
    if (!request.header("authorization").empty()) co_return co_await by_key(request, access, blocking);
    if (request.peer.unix_socket) {
        if (auto caller = by_socket(request)) co_return *caller;
        co_return Refusal{403, "forbidden", "the user with uid " + std::to_string(request.peer.uid) + " is not known here: auth.installer_uid names one beside root and the server's own"};
    }
    std::string secret = session_cookie(request, options_.tls);
    if (!secret.empty()) co_return co_await by_session(request, std::move(secret), access, blocking);
    if (auto caller = by_loopback(request, access)) co_return *caller;
    co_return Refusal{401, "invalid_api_key", "a key is needed: send 'Authorization: Bearer hk_…' (hearth key new makes one)"};
}

net::Task<std::variant<Caller, Auth::Refusal>> Auth::by_key(const Request& request, Access access, boost::asio::thread_pool& blocking) {
    const std::string& header = request.header("authorization");
    const std::string scheme = header.substr(0, header.find(' '));
    const bool bearer = scheme.size() == 6 && std::equal(scheme.begin(), scheme.end(), "bearer", [](char a, char b) { return std::tolower(a) == b; });
    if (!bearer) co_return Refusal{401, "invalid_api_key", "the Authorization header must be 'Bearer KEY'"};
    const std::string secret = header.substr(std::min(header.size(), std::size_t(7)));
    Lookup look_up = [this, secret]() -> base::Result<std::optional<Caller>> {
        const auto found = store::authenticate(db_, secret);
        if (!found) return found.error();
        return *found ? std::optional(caller_of(**found)) : std::nullopt;
    };
    Refusal unknown{401, "invalid_api_key", "the key is unknown or was revoked"};
    std::string hash = store::sha256_hex(secret);
    co_return co_await by_secret(std::move(hash), is_stop(request), access, std::move(look_up), std::move(unknown), blocking);
}

net::Task<std::variant<Caller, Auth::Refusal>> Auth::by_session(const Request& request, std::string secret, Access access, boost::asio::thread_pool& blocking) {
    if (auto own = from_own_page(request, options_.tls, secret); !own) co_return Refusal{403, "foreign_page", own.error().text()};
    Lookup look_up = [this, secret]() -> base::Result<std::optional<Caller>> {
        const auto found = store::session_of(db_, secret);
        if (!found) return found.error();
        return *found ? std::optional(caller_of(**found)) : std::nullopt;
    };
    Refusal unknown{401, "signed_out", "the session is over: sign in again"};
    std::string hash = "session " + store::sha256_hex(secret);  // not what a key would have: neither is taken for the other
    co_return co_await by_secret(std::move(hash), is_stop(request), access, std::move(look_up), std::move(unknown), blocking);
}

std::optional<Caller> Auth::cached(const std::string& hash, std::chrono::seconds longer) const {
    const auto it = cache_.find(hash);
    if (it == cache_.end() || it->second.until + longer <= std::chrono::steady_clock::now()) return std::nullopt;
    return it->second.who;
}

net::Task<std::variant<Caller, Auth::Refusal>> Auth::by_secret(std::string hash, bool stops, Access access, Lookup look_up, Refusal unknown, boost::asio::thread_pool& blocking) {
    auto known = cached(hash, stops ? kCacheTimeOfStops : std::chrono::seconds(0));
    if (known && !known->may(access)) known.reset();
    if (known && !stops) co_return *std::move(known);
    const auto now = std::chrono::steady_clock::now();
    const int forgotten = forgotten_;
    FoundCaller found = std::optional<Caller>();
    // What another process has revoked stops nothing.
    if (known) found = co_await look_up_soon(std::move(look_up), blocking);
    else found = co_await net::on_pool(blocking, look_up);
    if (!found && known && forgotten == forgotten_) co_return *std::move(known);
    if (!found) co_return Refusal{503, "unavailable", "keys cannot be checked: the database is out of reach"};
    if (!*found) co_return unknown;
    if (cache_.size() > 1000) cache_.clear();
    if (forgotten == forgotten_) cache_[hash] = {now + kCacheTime, **found};  // else it may have been revoked since it was found
    Caller caller = **found;
    if (caller.may(access)) co_return caller;
    const std::string who = caller.session.is_nil() ? "the key '" + caller.principal.via.substr(4) + "…'" : "who is signed in";
    co_return Refusal{403, "forbidden", who + " lacks the scope " + scope_of(access)};
}

void Auth::forget_keys() {
    cache_.clear();
    ++forgotten_;
}

}  // namespace server
