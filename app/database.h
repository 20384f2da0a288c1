// The database that the settings name: the private cluster under the state folder, or a PostgreSQL
// of one's own (database.url).
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "app/settings.h"
#include "base/probe.h"
#include "store/cluster.h"
#include "store/db.h"
#include "store/migrate.h"

namespace app {

bool has_private_cluster(const Settings& settings);
store::ClusterOptions cluster_options(const Settings& settings);

// Of both roles. With a PostgreSQL of one's own the owner's may be empty: then the tables are only
// checked, and `hearth db migrate` is run elsewhere.
struct DatabaseUrls {
    std::string owner, app;
};
DatabaseUrls database_urls(const Settings& settings);

// Makes the state folder, and makes sure that this user may write there.
base::Result<void> prepare_state_folder(const Settings& settings);

// Started, its tables up to date, first rows laid. `progress` may be empty.
base::Result<store::Foundation> prepare_database(const Settings& settings, const std::function<void(const std::string&)>& progress);

// The prepared database, and who acts on it from the command line.
struct OwnersDb {
    std::unique_ptr<store::Db> db;
    store::Identity owner;
};
base::Result<OwnersDb> open_as_owner(const Settings& settings);

// Runs `work` in one transaction of the owner's: its Result, or why the database does not open.
template <class F>
auto as_owner(const Settings& settings, F work) -> std::invoke_result_t<F&, store::Tx&> {
    auto opened = open_as_owner(settings);
    if (!opened) return std::move(opened).error();
    return opened->db->run_blocking(opened->owner, work);
}

// The SQL by which the administrator of a PostgreSQL makes the two roles and the database; with
// fresh passwords, and the settings that go with them.
std::string roles_sql();

base::Probe database_probe(const Settings& settings);

}  // namespace app
