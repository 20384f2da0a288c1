#include "app/database.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/cluster_programs.h"
#include "store/db.h"
#include "store/digest.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Health;

void say(const std::function<void(const std::string&)>& progress, const std::string& what) {
    if (progress) progress(what);
}

base::Result<store::Foundation> bring_up_to_date(const Settings& s, const std::function<void(const std::string&)>& progress) {
    const auto urls = database_urls(s);
    auto migrated = store::migrate(urls.owner);
    if (!migrated) return std::move(migrated).error();
    if (!migrated->applied.empty()) say(progress, "applied " + std::to_string(migrated->applied.size()) + " migrations");
    return store::lay_foundation(urls.owner, s.state_folder.string());
}

}  // namespace

bool has_private_cluster(const Settings& s) { return s.database.url.empty(); }

store::ClusterOptions cluster_options(const Settings& s) {
    store::ClusterOptions options;
    options.folder = s.state_folder / "pg";
    options.binaries = s.database.binaries;
    options.run_as = geteuid() == 0 ? s.database.run_as : "";
    return options;
}

DatabaseUrls database_urls(const Settings& s) {
    if (!has_private_cluster(s)) return {s.database.owner_url, s.database.url};
    const auto cluster = cluster_options(s);
    return {store::owner_url(cluster), store::app_url(cluster)};
}

base::Result<void> prepare_state_folder(const Settings& s) {
    std::error_code failed;
    fs::create_directories(s.state_folder, failed);
    std::string why = failed ? failed.message() : "";
    if (!failed && ::access(s.state_folder.c_str(), W_OK | X_OK) != 0) why = std::strerror(errno);
    if (why.empty()) return {};
    return base::error(Code::io, "the state folder " + s.state_folder.string() + " cannot be used: " + why,
                       "give it to the user that hearth runs as, or set state.folder (HEARTH_STATE_FOLDER)");
}

base::Result<store::Foundation> prepare_database(const Settings& s, const std::function<void(const std::string&)>& progress) {
    if (auto usable = prepare_state_folder(s); !usable) return std::move(usable).error();
    if (!has_private_cluster(s)) {
        if (!s.database.owner_url.empty()) return bring_up_to_date(s, progress);
        if (auto migrated = store::check_migrated(s.database.url); !migrated) return std::move(migrated).error();
        return store::read_foundation(s.database.url, s.state_folder.string());
    }
    if (!s.database.owner_url.empty())
        return base::error(Code::invalid_argument, "database.owner_url is set, but database.url is not", "set both, or neither for the private cluster");
    auto cluster = cluster_options(s);
    cluster.progress = progress;
    auto started = store::start_cluster(cluster);
    if (!started) return std::move(started).error();
    return bring_up_to_date(s, progress);
}

base::Result<OwnersDb> open_as_owner(const Settings& settings) {
    auto foundation = prepare_database(settings, {});
    if (!foundation) return std::move(foundation).error();
    store::Db::Options options{database_urls(settings).app, 1, foundation->node};
    auto db = store::Db::open(options);
    if (!db) return std::move(db).error();
    return OwnersDb{*std::move(db), {foundation->tenant, foundation->owner}};
}

std::string roles_sql() {
    const std::string owner = store::base64url(store::random_bytes(18)), app = store::base64url(store::random_bytes(18));
    return "-- Run as the administrator of your PostgreSQL (15 or newer), for example: hearth db roles > roles.sql && psql -U postgres -f roles.sql\n"
           "create role hearth_owner login password '" + owner + "' nosuperuser nobypassrls;\n"
           "create role hearth_app login password '" + app + "' nosuperuser nobypassrls;\n"
           "create database hearth owner hearth_owner encoding 'UTF8' template template0;\n"
           "-- Then, with HOST for the server's name:\n"
           "-- HEARTH_DATABASE_URL=postgresql://hearth_app:" + app + "@HOST/hearth\n"
           "-- HEARTH_DATABASE_OWNER_URL=postgresql://hearth_owner:" + owner + "@HOST/hearth   (hearth db migrate needs it, hearth serve does not)\n";
}

base::Probe database_probe(const Settings& s) {
    const auto failed = [](const base::Error& e) { return base::Probe{"PostgreSQL", Health::failed, e.message, e.remedy}; };
    std::string found = "of your own (database.url)";
    if (has_private_cluster(s)) {
        auto status = store::cluster_status(cluster_options(s));
        if (!status) return failed(status.error());
        if (!status->initialised) {
            if (auto programs = store::find_programs(cluster_options(s), 0); !programs) return failed(programs.error());
            return {"PostgreSQL", Health::warning, "no cluster yet", "hearth db start"};
        }
        if (!status->running) return {"PostgreSQL", Health::warning, status->crashed ? "it broke off, and does not run" : "stopped", "hearth db start"};
        found = "version " + status->version + " runs, pid " + std::to_string(status->pid);
    }
    auto opened = store::Db::open({database_urls(s).app, 1, {}});
    if (!opened) return failed(opened.error());
    return {"PostgreSQL", Health::ok, found + ", all tables are there", {}};
}

}  // namespace app
