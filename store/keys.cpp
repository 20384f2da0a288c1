#include "store/keys.h"

#include "base/split.h"
#include "store/digest.h"

namespace store {
namespace {

std::string joined(const std::vector<std::string>& scopes) {
    std::string out;
    for (const auto& scope : scopes) out += (out.empty() ? "" : ",") + scope;
    return out;
}

}  // namespace

NewKey create_key(Tx& tx, base::PersonId person, const std::string& label, const std::vector<std::string>& scopes) {
    NewKey out;
    out.secret = "hk_" + base64url(random_bytes(32));
    out.key.id = base::KeyId::make(base::SystemClock().now());
    out.key.person = person;
    out.key.label = label;
    out.key.scopes = scopes;
    out.key.prefix = out.secret.substr(0, 8);
    out.key.created = base::SystemClock().now();
    tx.send("insert into api_key (id, person_id, label, scopes, prefix, hash) values ($1, $2, $3, $4, $5, $6)",
            {out.key.id, person, label, joined(scopes), out.key.prefix, sha256_hex(out.secret)});
    return out;
}

std::vector<Key> list_keys(Tx& tx) {
    std::vector<Key> out;
    for (const Row& row : tx.exec("select id, person_id, label, scopes, prefix, " + micros("created_at") +
                                  ", revoked_at is not null from api_key order by id"))
        out.push_back({row.id<base::KeyId>(0), row.id<base::PersonId>(1), row.text(2), base::split(row.text(3), ','), row.text(4),
                       row.time(5), row.boolean(6)});
    return out;
}

bool revoke_key(Tx& tx, base::KeyId id) {
    return !tx.exec("update api_key set revoked_at = now() where id = $1 and revoked_at is null returning 1", {id}).empty();
}

base::Result<std::optional<Authenticated>> authenticate(Db& db, const std::string& secret) {
    // The lookup is by the hash of a 256-bit secret, so its timing tells nothing about other keys.
    auto look_up = [&](Tx& tx) {
        return tx.exec("select key_id, tenant_id, person_id, role, label, scopes, prefix from hearth_authenticate($1)",
                       {sha256_hex(secret)});
    };
    try {
        const auto rows = db.run_blocking({}, look_up, Db::Access::read);
        if (rows.empty()) return std::optional<Authenticated>{};
        const Row& row = rows[0];
        Authenticated found;
        found.identity = {row.id<base::TenantId>(1), row.id<base::PersonId>(2)};
        found.role = row.text(3);
        found.key.id = row.id<base::KeyId>(0);
        found.key.person = found.identity.person;
        found.key.label = row.text(4);
        found.key.scopes = base::split(row.text(5), ',');
        found.key.prefix = row.text(6);
        return std::optional{std::move(found)};
    } catch (const DbError& e) {
        return base::error(base::Code::unavailable, std::string("keys cannot be checked: ") + e.what());
    }
}

}  // namespace store
