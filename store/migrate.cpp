#include "store/migrate.h"

#include <cctype>
#include <map>
#include <pqxx/pqxx>

#include "base/embedded.h"
#include "store/digest.h"

namespace store {

extern const base::EmbeddedFile schema_files[];
extern const unsigned long schema_files_count;

namespace {

using base::Code;

constexpr long long kLock = 7311250145;  // one process migrates at a time

struct Applied {
    std::string name, checksum;
};

std::map<int, Applied> applied_migrations(pqxx::transaction_base& work) {
    std::map<int, Applied> out;
    for (const auto& row : work.exec("select number, name, checksum from schema_migration"))
        out[row[0].as<int>()] = {row[1].c_str(), row[2].c_str()};
    return out;
}

void make_table(pqxx::transaction_base& work) {
    work.exec("create table if not exists schema_migration (number integer primary key, name text not null,"
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
    std::string at = "the connection";
    try {
        pqxx::connection connection(owner_url);
        {
            pqxx::nontransaction lock(connection);
            lock.exec("select pg_advisory_lock(" + std::to_string(kLock) + ")");  // freed by the connection's end
        }
        std::map<int, Applied> applied;
        {
            pqxx::work work(connection);
            make_table(work);
            applied = applied_migrations(work);
            work.commit();
        }
        if (auto fine = check_known(applied, known); !fine) return std::move(fine).error();
        for (const auto& migration : known) {
            if (applied.count(migration.number)) continue;
            at = "migration " + std::to_string(migration.number) + " (" + migration.name + ")";
            pqxx::work work(connection);
            work.exec(migration.sql);
            work.exec_params("insert into schema_migration (number, name, checksum) values ($1, $2, $3)", migration.number,
                             migration.name, sha256_hex(migration.sql));
            work.commit();
            report.applied.push_back(migration.number);
        }
        return report;
    } catch (const pqxx::failure& e) {
        return base::error(Code::unavailable, at + " failed: " + e.what(), "hearth db status tells whether PostgreSQL runs");
    }
}

base::Result<std::vector<int>> pending_migrations(const std::string& owner_url) {
    try {
        pqxx::connection connection(owner_url);
        pqxx::work work(connection);
        std::map<int, Applied> applied;
        if (!work.exec("select 1 where to_regclass('schema_migration') is not null").empty()) applied = applied_migrations(work);
        if (auto fine = check_known(applied, migrations()); !fine) return std::move(fine).error();
        std::vector<int> pending;
        for (const auto& migration : migrations())
            if (!applied.count(migration.number)) pending.push_back(migration.number);
        return pending;
    } catch (const pqxx::failure& e) {
        return base::error(Code::unavailable, std::string("cannot read the migrations: ") + e.what());
    }
}

}  // namespace store
