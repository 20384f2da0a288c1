// Forward-only, checksummed migrations out of store/schema/NNNN_name.sql, embedded in the binary.
#pragma once

#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"

namespace store {

struct Migration {
    int number = 0;
    std::string name, sql;
};

struct MigrationReport {
    std::vector<int> applied;  // by this call
    int known = 0;             // of the binary
};

const std::vector<Migration>& migrations();
// Applies what is missing, as a set. A changed checksum or a number that the binary does not know
// is refused by name. `owner_url`: role hearth_owner. One process migrates at a time.
base::Result<MigrationReport> migrate(const std::string& owner_url);
base::Result<MigrationReport> migrate(const std::string& owner_url, const std::vector<Migration>& known);
base::Result<std::vector<int>> pending_migrations(const std::string& owner_url);

// First start: tenant, owner (person 1), node with its Ed25519 identity, prompts' version 1.
// Idempotent. `state_folder` receives the node's private key (0600).
struct Foundation {
    base::TenantId tenant;
    base::PersonId owner;
    base::NodeId node;
};
base::Result<Foundation> lay_foundation(const std::string& owner_url, const std::string& state_folder);

}  // namespace store
