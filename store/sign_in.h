// Signing in from a browser: links that are good for once, sessions, passwords. Secrets are 256 random bits, told once and stored
// as a hash; passwords are stored by Argon2id.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

using SessionId = base::Id<struct SessionTag>;

inline constexpr std::chrono::minutes kLinkTime{15};
inline constexpr std::chrono::hours kSessionTime{30 * 24};
inline constexpr std::size_t kLeastPassword = 10, kMostPassword = 1024;  // bytes

// The secret of a link by which whoever opens it first is that person. Error{permission_denied}: it is neither one's own nor is one
// the owner.
base::Result<std::string> make_link(Tx& tx, base::PersonId person);
// Whose it is; used up. Nothing: it is unknown, was used, or its time is over. In a transaction of nobody's.
std::optional<Identity> use_link(Tx& tx, const std::string& secret);

struct Session {
    SessionId id;
    std::string way;    // link | password: how it was begun
    std::string label;  // what the browser calls itself
    base::TimePoint begun{}, seen{}, expires{};
};
struct NewSession {
    Session session;
    std::string secret;
};
// In a transaction of the person.
NewSession begin_session(Tx& tx, const std::string& way, const std::string& label);
std::vector<Session> list_sessions(Tx& tx);  // the newest first
std::optional<Session> find_session(Tx& tx, SessionId id);
void see_session(Tx& tx, SessionId id);
bool end_session(Tx& tx, SessionId id);
void end_other_sessions(Tx& tx, SessionId kept);

struct SignedIn {
    Identity identity;
    std::string role;
    SessionId session;
};
// Error{unavailable}: the database is out of reach.
base::Result<std::optional<SignedIn>> session_of(Db& db, const std::string& secret);

bool has_password(Tx& tx);
// Error{invalid_argument}: too short or too long.
base::Result<void> set_password(Tx& tx, const std::string& password);
// Whether it is the person's own. Blocking, for as long as a hash takes.
bool own_password_fits(Tx& tx, const std::string& password);
// Who that is; takes as long for a name that nobody has. Blocking.
std::optional<Identity> who_has_password(Db& db, const std::string& name, const std::string& password);

}  // namespace store
