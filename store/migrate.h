// Forward-only, checksummed migrations out of store/schema/NNNN_name.sql, embedded in the binary.
#pragma once

#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"

namespace store {

class Connection;

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
// is refused by name, and a URL that is not of the role hearth_owner. One process migrates at a time.
base::Result<MigrationReport> migrate(const std::string& owner_url);
base::Result<MigrationReport> migrate(const std::string& owner_url, const std::vector<Migration>& known);
// Whether the database has all tables of this program, as hearth_app sees it; else the error names
// the database and what it lacks, or what this program does not know.
base::Result<void> check_migrated(const std::string& app_url);
base::Result<void> check_migrated(Connection& connection);

// The first rows: who lives here, and the node whose private key lies in the state folder.
struct Foundation {
    base::TenantId tenant;
    base::PersonId owner;
    base::NodeId node;
};
// Lays them: tenant, owner (person 1), this node with its Ed25519 key (node.key in `state_folder`,
// 0600), version 1 of the prompts. Idempotent.
base::Result<Foundation> lay_foundation(const std::string& owner_url, const std::string& state_folder);
// Reads them as hearth_app; Error{not_found} when they, or this node, were never laid.
base::Result<Foundation> read_foundation(const std::string& app_url, const std::string& state_folder);

}  // namespace store
