// Who is asking. A key, a signed-in browser, or a known user on the Unix socket; foreign hosts and origins are refused
// before anything else.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "policy/types.h"
#include "server/http.h"
#include "server/tries.h"
#include "store/keys.h"
#include "store/sign_in.h"

namespace server {

enum class Access { open, user, dev, admin };

struct Caller {
    policy::Principal principal;
    std::vector<std::string> scopes;
    store::SessionId session{};  // nil: no browser's
    bool may(Access access) const;
};
// What somebody may who has signed in; nobody's: nothing.
std::vector<std::string> scopes_of(policy::Role role);

struct AuthOptions {
    std::vector<std::string> hosts;   // in lower case; beside 127.0.0.1, localhost and [::1]
    bool trust_loopback = false;
    bool tls = false;                 // TCP speaks nothing else
    std::vector<unsigned> owner_uids; // act as the owner on the Unix socket, beside root
    store::Identity owner;
};

// Whether the client is on this machine: the Unix socket, or loopback without a proxy in between.
bool is_local(const Request& request);

class Auth {
public:
    Auth(store::Db& db, AuthOptions options) : db_(db), options_(std::move(options)) {}

    // Host and Origin; an empty Result is fine.
    base::Result<void> check_origin(const Request& request) const;
    // The caller, when it may use `access`; else 401 or 403 as an Error with that status.
    struct Refusal {
        int status = 401;
        std::string code, message;
    };
    net::Task<std::variant<Caller, Refusal>> identify(const Request& request, Access access, boost::asio::thread_pool& blocking);
    void forget_keys();               // after one was revoked, or a session ended
    bool tls() const { return options_.tls; }
    Tries& tries() { return tries_; }  // of passwords; on the I/O thread only

private:
    using Identified = std::variant<Caller, Refusal>;
    using Lookup = std::function<base::Result<std::optional<Caller>>()>;
    std::optional<Caller> by_socket(const Request& request) const;
    std::optional<Caller> by_loopback(const Request& request, Access access) const;
    net::Task<Identified> by_key(const Request& request, Access access, boost::asio::thread_pool& blocking);
    net::Task<Identified> by_session(const Request& request, std::string secret, Access access, boost::asio::thread_pool& blocking);
    // Who had that secret when it was last looked up, if that is no longer ago than callers are kept, and `longer`.
    std::optional<Caller> cached(const std::string& hash, std::chrono::seconds longer) const;
    // `unknown`: what is said where nobody has that secret.
    net::Task<Identified> by_secret(std::string hash, bool stops, Access access, Lookup look_up, Refusal unknown, boost::asio::thread_pool& blocking);

    struct Cached {
        std::chrono::steady_clock::time_point until;
        Caller who;
    };
    store::Db& db_;
    AuthOptions options_;
    std::unordered_map<std::string, Cached> cache_;  // by the secret's hash; on the I/O thread only
    int forgotten_ = 0;                              // how often
    Tries tries_;
};

}  // namespace server
