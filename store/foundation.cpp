// The first rows: tenant, owner, node, prompts.
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "base/clock.h"
#include "prompts/prompts.h"
#include "store/connection.h"
#include "store/digest.h"
#include "store/failure.h"
#include "store/migrate.h"

namespace store {
namespace {

using base::Code;

std::string key_file(const std::string& state_folder) { return state_folder + "/node.key"; }

// A new Ed25519 key pair: the public key in base64; the secret one goes to `file` (0600).
base::Result<std::string> make_identity(const std::string& file) {
    unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
    if (sodium_init() < 0 || crypto_sign_keypair(public_key, secret_key) != 0)
        return base::error(Code::internal, "libsodium cannot make a key pair");
    const std::string text = base64({reinterpret_cast<char*>(secret_key), sizeof secret_key}) + "\n";
    sodium_memzero(secret_key, sizeof secret_key);
    const std::string fresh = file + ".new";  // whole or not at all: a cut key would never be replaced
    const int fd = ::open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == ssize_t(text.size()) && fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!written || std::rename(fresh.c_str(), file.c_str()) != 0)
        return base::error(Code::io, "cannot write the node's key to " + file + ": " + std::strerror(errno), "check permissions and free space, or set state.folder");
    return base64({reinterpret_cast<char*>(public_key), sizeof public_key});
}

// The public key of the pair in `file`; empty when there is no file.
base::Result<std::string> read_identity(const std::string& file) {
    std::ifstream in(file);
    if (!in && errno == ENOENT) return std::string();
    std::string text;
    unsigned char secret_key[crypto_sign_SECRETKEYBYTES], public_key[crypto_sign_PUBLICKEYBYTES];
    std::size_t size = 0;
    if (!in) return base::error(Code::io, "cannot read the node's key " + file + ": " + std::strerror(errno), "it must belong to the user that hearth runs as");
    std::getline(in, text);
    const bool decoded = sodium_base642bin(secret_key, sizeof secret_key, text.data(), text.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL) == 0;
    if (!decoded || size != sizeof secret_key)
        return base::error(Code::corrupt, "the node's key " + file + " is damaged", "restore it from a backup, or move it away: a new node is then enrolled");
    crypto_sign_ed25519_sk_to_pk(public_key, secret_key);
    sodium_memzero(secret_key, sizeof secret_key);
    return base64({reinterpret_cast<char*>(public_key), sizeof public_key});
}

// Version 1 of every shipped prompt; a new text of a shipped prompt becomes the next version, and
// live unless somebody has made a version of his own live.
void seed_prompts(Connection& connection, base::TenantId tenant) {
    for (const auto& seed : prompts::seeds()) {
        const auto known = connection.exec("select coalesce(max(p.version), 0),"
                                           " (select o.body from prompt o join prompt_label l using (tenant_id, name, version) where o.tenant_id = $1 and o.name = $2 and l.label = 'shipped'),"
                                           " (select count(distinct l.version) <= 1 from prompt_label l where l.tenant_id = $1 and l.name = $2 and l.label in ('live', 'shipped'))"
                                           " from prompt p where p.tenant_id = $1 and p.name = $2", {tenant, seed.name}).at(0);
        if (!known.null(1) && known.text(1) == seed.body) continue;
        const std::int64_t version = known.integer(0) + 1;
        const bool follows = known.boolean(2);
        connection.send("insert into prompt (tenant_id, name, version, body) values ($1, $2, $3, $4)", {tenant, seed.name, version, seed.body});
        for (const char* label : {"live", "shipped"})
            if (follows || label == std::string("shipped"))
                connection.send("insert into prompt_label (tenant_id, name, label, version) values ($1, $2, $3, $4)"
                                " on conflict (tenant_id, name, label) do update set version = $4", {tenant, seed.name, label, version});
    }
}

}  // namespace

base::Result<Foundation> lay_foundation(const std::string& owner_url, const std::string& state_folder) {
    try {
        Connection connection(owner_url);  // its end rolls back what was not committed
        connection.send("begin");
        connection.send("select pg_advisory_xact_lock(7311250146)");
        Foundation f;
        const auto now = base::SystemClock().now();
        if (const auto rows = connection.exec("select id from tenant order by id limit 1"); !rows.empty()) {
            f.tenant = rows[0].id<base::TenantId>(0);
        } else {
            f.tenant = base::TenantId::make(now);
            connection.send("insert into tenant (id, name) values ($1, 'home')", {f.tenant});
        }
        if (const auto rows = connection.exec("select id from person where role = 'owner' order by id limit 1"); !rows.empty()) {
            f.owner = rows[0].id<base::PersonId>(0);
        } else {
            f.owner = base::PersonId::make(now);
            connection.send("insert into person (id, tenant_id, name, role) values ($1, $2, 'owner', 'owner')", {f.owner, f.tenant});
        }
        auto key = read_identity(key_file(state_folder));
        if (key && key->empty()) key = make_identity(key_file(state_folder));
        if (!key) return std::move(key).error();
        if (const auto rows = connection.exec("select id from node where public_key = $1", {*key}); !rows.empty()) {
            f.node = rows[0].id<base::NodeId>(0);
        } else {
            f.node = base::NodeId::make(now);
            connection.send("insert into node (id, tenant_id, name, public_key) select $1, $2, 'node-' || count(*) + 1, $3 from node",
                            {f.node, f.tenant, *key});
        }
        seed_prompts(connection, f.tenant);
        connection.exec("commit");
        return f;
    } catch (const DbError& e) {
        return failure("laying the first rows", e);
    }
}

base::Result<Foundation> read_foundation(const std::string& app_url, const std::string& state_folder) {
    auto key = read_identity(key_file(state_folder));
    if (!key) return std::move(key).error();
    try {
        Connection connection(app_url);
        const auto rows = connection.exec("select tenant_id, owner_id, node_id from hearth_foundation($1)", {*key});
        if (rows.empty() || rows[0].null(2))
            return base::error(Code::not_found, "the database '" + connection.database() + "' does not know this node (" + key_file(state_folder) + ")",
                               "hearth db migrate, with database.owner_url, enrols it");
        return Foundation{rows[0].id<base::TenantId>(0), rows[0].id<base::PersonId>(1), rows[0].id<base::NodeId>(2)};
    } catch (const DbError& e) {
        return failure("reading the first rows", e);
    }
}

}  // namespace store
