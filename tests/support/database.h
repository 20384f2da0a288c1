// A PostgreSQL cluster of this test binary's own, migrated, with two people in one tenant.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/cluster.h"
#include "store/db.h"
#include "store/migrate.h"
#include "support/fixtures.h"

namespace support {

class TestDatabase {
public:
    // The binary's database, started at the first call, stopped at exit. Null with `why_not` set when
    // PostgreSQL is missing: the test then calls GTEST_SKIP() << TestDatabase::why_not().
    static TestDatabase* get();
    static const std::string& why_not();

    store::Db& db() { return *db_; }
    const store::ClusterOptions& cluster() const { return options_; }
    store::Identity owner() const { return {foundation_.tenant, foundation_.owner}; }
    store::Identity member() const { return {foundation_.tenant, member_}; }  // another person
    const store::Foundation& foundation() const { return foundation_; }
    std::string state_folder() const { return folder_.path().string(); }  // holds the node's key
    // Of the cluster's administrator, for what only he may do.
    std::string admin_url() const;
    // SQL as hearth_owner, for looking behind the curtain; the first cell, or "".
    std::string sql(const std::string& statement);

    ~TestDatabase();

private:
    TestDatabase() = default;
    std::string start();  // empty, or why it cannot be

    TempDir folder_;
    store::ClusterOptions options_;
    store::Foundation foundation_;
    base::PersonId member_;
    std::unique_ptr<store::Db> db_;
};

}  // namespace support
