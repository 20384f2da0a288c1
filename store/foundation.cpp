// The first rows: tenant, owner, node, prompts.
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <pqxx/pqxx>

#include "base/clock.h"
#include "prompts/prompts.h"
#include "store/digest.h"
#include "store/migrate.h"

namespace store {
namespace {

using base::Code;

// A new Ed25519 key pair: the public key in base64; the secret one goes to `file` (0600).
base::Result<std::string> make_identity(const std::string& file) {
    unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
    if (sodium_init() < 0 || crypto_sign_keypair(public_key, secret_key) != 0)
        return base::error(Code::internal, "libsodium cannot make a key pair");
    const std::string text = base64({reinterpret_cast<char*>(secret_key), sizeof secret_key}) + "\n";
    sodium_memzero(secret_key, sizeof secret_key);
    const int fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == ssize_t(text.size()) && fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!written) return base::error(Code::io, "cannot write the node's key to " + file, "check permissions and free space");
    return base64({reinterpret_cast<char*>(public_key), sizeof public_key});
}

template <class IdType>
IdType id_in(const pqxx::result& rows) {
    return IdType::parse(rows[0][0].c_str()).value();
}

// Version 1 of every shipped prompt; a new text of a shipped prompt becomes the next version and
// live, unless somebody has moved the label to a version of his own.
void seed_prompts(pqxx::transaction_base& work, const std::string& tenant) {
    for (const auto& seed : prompts::seeds()) {
        const auto newest = work.exec_params("select version, body from prompt where tenant_id = $1 and name = $2"
                                             " order by version desc limit 1", tenant, seed.name);
        if (!newest.empty() && newest[0][1].c_str() == seed.body) continue;
        if (!newest.empty()) {
            const auto live = work.exec_params("select version from prompt_label where tenant_id = $1 and name = $2 and label = 'shipped'",
                                               tenant, seed.name);
            if (live.empty() || live[0][0].as<int>() != newest[0][0].as<int>()) continue;
        }
        const int version = newest.empty() ? 1 : newest[0][0].as<int>() + 1;
        work.exec_params("insert into prompt (tenant_id, name, version, body) values ($1, $2, $3, $4)", tenant, seed.name, version, seed.body);
        for (const char* label : {"live", "shipped"})
            work.exec_params("insert into prompt_label (tenant_id, name, label, version) values ($1, $2, $3, $4)"
                             " on conflict (tenant_id, name, label) do update set version = $4", tenant, seed.name, label, version);
    }
}

}  // namespace

base::Result<Foundation> lay_foundation(const std::string& owner_url, const std::string& state_folder) {
    try {
        pqxx::connection connection(owner_url);
        pqxx::work work(connection);
        work.exec("select pg_advisory_xact_lock(7311250146)");
        Foundation f;
        const auto now = base::SystemClock().now();
        if (const auto rows = work.exec("select id from tenant order by id limit 1"); !rows.empty()) {
            f.tenant = id_in<base::TenantId>(rows);
        } else {
            f.tenant = base::TenantId::make(now);
            work.exec_params("insert into tenant (id, name) values ($1, 'home')", f.tenant.text());
        }
        if (const auto rows = work.exec("select id from person where role = 'owner' order by id limit 1"); !rows.empty()) {
            f.owner = id_in<base::PersonId>(rows);
        } else {
            f.owner = base::PersonId::make(now);
            work.exec_params("insert into person (id, tenant_id, name, role) values ($1, $2, 'owner', 'owner')", f.owner.text(), f.tenant.text());
        }
        const std::string key_file = state_folder + "/node.key";
        const bool has_key = ::access(key_file.c_str(), F_OK) == 0;
        if (const auto rows = work.exec("select id from node order by id limit 1"); !rows.empty() && has_key) {
            f.node = id_in<base::NodeId>(rows);
        } else {
            auto key = make_identity(key_file);
            if (!key) return std::move(key).error();
            f.node = base::NodeId::make(now);
            work.exec_params("insert into node (id, tenant_id, name, public_key) values ($1, $2, 'node-1', $3)", f.node.text(), f.tenant.text(), *key);
        }
        seed_prompts(work, f.tenant.text());
        work.commit();
        return f;
    } catch (const pqxx::failure& e) {
        return base::error(Code::unavailable, std::string("cannot lay the first rows: ") + e.what());
    }
}

}  // namespace store
