#include "store/sign_in.h"

#include <sodium.h>

#include <stdexcept>

#include "store/digest.h"

namespace store {
namespace {

constexpr std::size_t kLongestLabel = 200;  // bytes
constexpr const char* kTooWeak = "a password has from 10 to 1024 bytes";

std::string new_secret() { return base64url(random_bytes(32)); }

const std::string& columns() {
    static const std::string all = "id, way, label, " + micros("begun_at") + ", " + micros("seen_at") + ", " + micros("expires_at");
    return all;
}

Session session_from(const Row& row) { return {row.id<SessionId>(0), row.text(1), row.text(2), row.time(3), row.time(4), row.time(5)}; }

std::string hash_of(const std::string& password) {
    std::string out(crypto_pwhash_STRBYTES, '\0');
    if (crypto_pwhash_str(out.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        throw std::runtime_error("there is no memory left to hash a password with");
    out.resize(out.find('\0'));
    return out;
}

bool fits(const std::string& hash, const std::string& password) {
    return password.size() <= kMostPassword && crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace

base::Result<std::string> make_link(Tx& tx, base::PersonId person) {
    const std::string secret = new_secret();
    try {
        tx.exec("insert into sign_in_link (hash, person_id, expires_at) values ($1, $2, clock_timestamp() + make_interval(secs => $3))",
                {sha256_hex(secret), person, std::int64_t(std::chrono::seconds(kLinkTime).count())});
    } catch (const DbError& e) {
        if (e.condition != "42501") throw;  // row-level security
        return base::error(base::Code::permission_denied, "only the owner makes a link for somebody else");
    }
    return secret;
}

std::optional<Identity> use_link(Tx& tx, const std::string& secret) {
    const auto rows = tx.exec("select tenant_id, person_id from hearth_use_link($1)", {sha256_hex(secret)});
    if (rows.empty()) return std::nullopt;
    return Identity{rows[0].id<base::TenantId>(0), rows[0].id<base::PersonId>(1)};
}

NewSession begin_session(Tx& tx, const std::string& way, const std::string& label) {
    const std::string secret = new_secret();
    const auto id = SessionId::make(base::SystemClock().now());
    const auto rows = tx.exec("insert into browser_session (id, hash, way, label, expires_at) values ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5)) returning " + columns(),
                              {id, sha256_hex(secret), way, label.substr(0, kLongestLabel), std::int64_t(std::chrono::seconds(kSessionTime).count())});
    tx.send("delete from browser_session where expires_at <= clock_timestamp()");
    return {session_from(rows.at(0)), secret};
}

std::vector<Session> list_sessions(Tx& tx) {
    std::vector<Session> out;
    for (const Row& row : tx.exec("select " + columns() + " from browser_session where expires_at > clock_timestamp() order by id desc")) out.push_back(session_from(row));
    return out;
}

std::optional<Session> find_session(Tx& tx, SessionId id) {
    const auto rows = tx.exec("select " + columns() + " from browser_session where id = $1 and expires_at > clock_timestamp()", {id});
    return rows.empty() ? std::nullopt : std::optional(session_from(rows[0]));
}

void see_session(Tx& tx, SessionId id) { tx.send("update browser_session set seen_at = clock_timestamp() where id = $1", {id}); }

bool end_session(Tx& tx, SessionId id) { return !tx.exec("delete from browser_session where id = $1 returning 1", {id}).empty(); }

void end_other_sessions(Tx& tx, SessionId kept) { tx.send("delete from browser_session where id <> $1", {kept}); }

base::Result<std::optional<SignedIn>> session_of(Db& db, const std::string& secret) {
    // By the hash of a 256-bit secret: how long it takes tells nothing about others.
    auto look_up = [&](Tx& tx) { return tx.exec("select tenant_id, person_id, role, id from hearth_session($1)", {sha256_hex(secret)}); };
    try {
        const auto rows = db.run_blocking({}, look_up, Db::Access::read);
        if (rows.empty()) return std::optional<SignedIn>{};
        const Row& row = rows[0];
        return std::optional(SignedIn{{row.id<base::TenantId>(0), row.id<base::PersonId>(1)}, row.text(2), row.id<SessionId>(3)});
    } catch (const DbError& e) {
        return base::error(base::Code::unavailable, std::string("sessions cannot be checked: ") + e.what());
    }
}

bool has_password(Tx& tx) { return !tx.exec("select 1 from password where person_id = hearth_person()").empty(); }

base::Result<void> set_password(Tx& tx, const std::string& password) {
    if (password.size() < kLeastPassword || password.size() > kMostPassword) return base::error(base::Code::invalid_argument, kTooWeak, "a sentence of a few words is a good one");
    tx.send("insert into password (hash) values ($1) on conflict (person_id) do update set hash = $1, changed_at = clock_timestamp()", {hash_of(password)});
    return {};
}

bool own_password_fits(Tx& tx, const std::string& password) {
    const auto rows = tx.exec("select hash from password where person_id = hearth_person()");
    return !rows.empty() && fits(rows[0].text(0), password);
}

std::optional<Identity> who_has_password(Db& db, const std::string& name, const std::string& password) {
    static const std::string nobodys = hash_of(new_secret());
    auto look_up = [&](Tx& tx) { return tx.exec("select tenant_id, person_id, hash from hearth_password($1)", {name}); };
    const auto rows = db.run_blocking({}, look_up, Db::Access::read);
    const bool right = fits(rows.empty() ? nobodys : rows[0].text(2), password);
    if (rows.empty() || !right) return std::nullopt;
    return Identity{rows[0].id<base::TenantId>(0), rows[0].id<base::PersonId>(1)};
}

}  // namespace store
