#include "store/migrate.h"

#include <cctype>
#include <map>

#include "base/embedded.h"
#include "store/connection.h"
#include "store/digest.h"
#include "store/failure.h"

namespace store {

extern const base::EmbeddedFile schema_files[];
extern const unsigned long schema_files_count;

namespace {

using base::Code;

constexpr long long kLock = 7311250145;  // one process migrates at a time

struct Applied {
    std::string name, checksum;
};

std::map<int, Applied> applied_migrations(Connection& connection) {
    std::map<int, Applied> out;
    for (const Row& row : connection.exec("select number, name, checksum from schema_migration"))
        out[int(row.integer(0))] = {row.text(1), row.text(2)};
    return out;
}

void make_table(Connection& connection) {
    connection.exec("create table if not exists schema_migration (number integer primary key, name text not null,"
              " checksum text not null, applied_at timestamptz not null default now())");
}

// What was applied must be what this binary knows, to the letter.
base::Result<void> check_known(const std::map<int, Applied>& applied, const std::vector<Migration>& known) {
    for (const auto& [number, was] : applied) {
        const Migration* mine = nullptr;
        for (const auto& migration : known)
            if (migration.number == number) mine = &migration;
        if (!mine)
            return base::error(Code::conflict, "the database has migration " + std::to_string(number) + " (" + was.name +
                                                   "), which this program does not know",
                               "start the newer program that applied it");
        if (sha256_hex(mine->sql) != was.checksum)
            return base::error(Code::conflict, "migration " + std::to_string(number) + " (" + mine->name +
                                                   ") was changed after it had been applied",
                               "applied migrations stay as they are: add a new one");
    }
    return {};
}

// The tables must belong to hearth_owner: their policies name it, and no superuser's functions may
// run for everybody.
base::Result<void> check_owner(Connection& connection) {
    const Row row = connection.exec("select current_user, rolsuper, rolbypassrls, to_regrole('hearth_app') is not null from pg_roles where rolname = current_user").at(0);
    const std::string user = row.text(0), remedy = "hearth db roles prints the SQL that makes hearth_owner and hearth_app";
    if (row.boolean(1) || row.boolean(2))
        return base::error(Code::permission_denied, "the owner's database URL belongs to '" + user + "', which is a superuser or bypasses row-level security", remedy);
    if (user != "hearth_owner")
        return base::error(Code::permission_denied, "the owner's database URL belongs to '" + user + "', but the tables must belong to hearth_owner", remedy);
    if (!row.boolean(3)) return base::error(Code::not_found, "the database has no role hearth_app", remedy);
    return {};
}

}  // namespace

const std::vector<Migration>& migrations() {
    static const std::vector<Migration> all = [] {
        std::vector<Migration> out;
        for (unsigned long i = 0; i < schema_files_count; ++i) {
            const std::string file = schema_files[i].name;  // 0001_foundation.sql, sorted by name
            out.push_back({std::stoi(file), file.substr(5, file.rfind('.') - 5), std::string(schema_files[i].text, schema_files[i].size)});
        }
        return out;
    }();
    return all;
}

base::Result<MigrationReport> migrate(const std::string& owner_url) { return migrate(owner_url, migrations()); }

base::Result<MigrationReport> migrate(const std::string& owner_url, const std::vector<Migration>& known) {
    MigrationReport report;
    report.known = int(known.size());
    std::string at = "connecting to the database";
    try {
        Connection connection(owner_url);
        if (auto fine = check_owner(connection); !fine) return std::move(fine).error();
        connection.exec("select pg_advisory_lock($1)", {std::int64_t(kLock)});  // freed by the connection's end
        at = "the table of migrations";
        make_table(connection);
        const std::map<int, Applied> applied = applied_migrations(connection);
        if (auto fine = check_known(applied, known); !fine) return std::move(fine).error();
        for (const auto& migration : known) {
            if (applied.count(migration.number)) continue;
            at = "migration " + std::to_string(migration.number) + " (" + migration.name + ")";
            connection.script("begin");  // what fails is rolled back by the connection's end
            connection.script(migration.sql);
            connection.send("insert into schema_migration (number, name, checksum) values ($1, $2, $3)", {migration.number, migration.name, sha256_hex(migration.sql)});
            connection.exec("commit");
            report.applied.push_back(migration.number);
        }
        return report;
    } catch (const DbError& e) {
        return failure(at, e);
    }
}

base::Result<void> check_migrated(const std::string& app_url) {
    try {
        Connection connection(app_url);
        return check_migrated(connection);
    } catch (const DbError& e) {
        return failure("reading the migrations of the database", e);
    }
}

base::Result<void> check_migrated(Connection& connection) {
    const std::string where = "the database '" + connection.database() + "'";
    try {
        std::map<int, Applied> applied;
        // A database of before the grant on this table lacks that migration at least.
        if (!connection.exec("select 1 where has_table_privilege(to_regclass('public.schema_migration'), 'select')").empty()) applied = applied_migrations(connection);
        if (auto fine = check_known(applied, migrations()); !fine) return std::move(fine).error();
        std::string pending;
        for (const auto& migration : migrations())
            if (!applied.count(migration.number)) pending += (pending.empty() ? "" : ", ") + std::to_string(migration.number) + " (" + migration.name + ")";
        if (pending.empty()) return {};
        return base::error(Code::unavailable, where + (applied.empty() ? " has no tables of hearth yet" : " lacks the migrations " + pending), "hearth db migrate");
    } catch (const DbError& e) {
        return failure("reading the migrations of " + where, e);
    }
}

}  // namespace store
