// API keys: shown once, stored as a hash. "hk_" + 43 characters of base64url (256 random bits).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace store {

struct Key {
    base::KeyId id;
    base::PersonId person;
    std::string label;
    std::vector<std::string> scopes;  // "chat", "dev", "admin"
    std::string prefix;               // first 8 characters: how people recognise it
    base::TimePoint created{};
    bool revoked = false;
};

struct NewKey {
    Key key;
    std::string secret;
};

NewKey create_key(Tx& tx, base::PersonId person, const std::string& label, const std::vector<std::string>& scopes);
std::vector<Key> list_keys(Tx& tx);
bool revoke_key(Tx& tx, base::KeyId id);

struct Authenticated {
    Identity identity;
    std::string role;  // owner | member | guest
    Key key;
};
// Looks the hash up across people (a definer function of the database); compares in constant time.
base::Result<std::optional<Authenticated>> authenticate(Db& db, const std::string& secret);

}  // namespace store
