// Who is asking. A key, or a known user on the Unix socket; foreign hosts and origins are refused
// before anything else.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "policy/types.h"
#include "server/http.h"
#include "store/keys.h"

namespace server {

enum class Access { open, user, dev, admin };

struct Caller {
    policy::Principal principal;
    std::vector<std::string> scopes;
    bool may(Access access) const;
};

struct AuthOptions {
    std::vector<std::string> hosts;   // in lower case; beside 127.0.0.1, localhost and [::1]
    bool trust_loopback = false;
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
    void forget_keys();               // after one was revoked

private:
    std::optional<Caller> by_peer(const Request& request, Access access) const;

    struct Cached {
        std::chrono::steady_clock::time_point until;
        store::Authenticated who;
    };
    store::Db& db_;
    AuthOptions options_;
    std::unordered_map<std::string, Cached> cache_;  // by the secret's hash; on the I/O thread only
    int forgotten_ = 0;                              // how often
};

}  // namespace server
