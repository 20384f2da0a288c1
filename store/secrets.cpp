#include "store/secrets.h"

#include <sodium.h>

#include <algorithm>
#include <cctype>

#include "base/split.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "store/digest.h"

namespace store {
namespace {

using base::Code;
using base::SecretValue;

constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES, kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
                      kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kMostBytes = 64 << 10;
constexpr std::size_t kCipherStack = 8 << 10;  // more than the cipher's frames take: they keep the key and the last block of the value

// A row, and what its ciphertexts are bound to.
struct Sealed {
    base::TenantId tenant;
    base::AudienceId audience;
    std::string name;
    std::int64_t version = 0;
    std::string host, master_key, wrapped_key, sealed;
    std::string tools;  // by comma

    std::string bound_to(const char* purpose) const {
        base::Json bound = {purpose, tenant.text(), audience.text(), name, version, host};
        if (!tools.empty()) bound.push_back(tools);
        return base::dump(bound);
    }
};
constexpr const char* kColumns = "tenant_id, audience_id, name, version, host, master_key, wrapped_key, sealed, tools";

Sealed sealed_of(const Row& row) {
    return {row.id<base::TenantId>(0), row.id<base::AudienceId>(1), row.text(2), row.integer(3), row.text(4), row.text(5), row.text(6), row.text(7), row.text(8)};
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string seal(const SecretValue& value, const SecretValue& key, const std::string& bound) {
    const std::string nonce = random_bytes(kNonce);
    std::string out(kNonce + value.size() + kTag, '\0');
    nonce.copy(out.data(), kNonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(out.data()) + kNonce, nullptr, bytes_of(value.reveal()), value.size(), bytes_of(bound), bound.size(), nullptr,
                                               bytes_of(nonce), bytes_of(key.reveal()));
    sodium_stackzero(kCipherStack);
    return base64(out);
}

// Empty when it is not what was sealed.
SecretValue unseal(const std::string& text, const SecretValue& key, const std::string& bound) {
    const auto decoded = from_base64(text);
    if (!decoded || decoded->size() <= kNonce + kTag) return {};
    const std::string& sealed = *decoded;
    const std::size_t size = sealed.size();
    SecretValue out(size - kNonce - kTag);
    const bool genuine = crypto_aead_xchacha20poly1305_ietf_decrypt(out.bytes().data(), nullptr, nullptr, bytes_of(sealed) + kNonce, size - kNonce, bytes_of(bound), bound.size(), bytes_of(sealed),
                                                                    bytes_of(key.reveal())) == 0;
    sodium_stackzero(kCipherStack);
    return genuine ? std::move(out) : SecretValue();
}

base::Result<SecretValue> data_key(const Sealed& row, const MasterKeys& keys) {
    const auto* master = keys.find(row.master_key);
    if (!master)
        return base::error(Code::corrupt, "secret '" + row.name + "' was sealed under another master key (" + row.master_key + ")", "restore that master.key, or set the secret again");
    SecretValue key = unseal(row.wrapped_key, master->value, row.bound_to("data key"));
    if (key.size() != kKey)
        return base::error(Code::corrupt, "secret '" + row.name + "' is not as it was sealed: its row was changed, or moved from another owner, name or version", "set it again: hearth secret set " + row.name);
    return key;
}

base::Result<SecretValue> value_of(const Sealed& row, const MasterKeys& keys) {
    auto key = data_key(row, keys);
    if (!key) return key;
    SecretValue value = unseal(row.sealed, *key, row.bound_to("value"));
    if (value.empty())
        return base::error(Code::corrupt, "secret '" + row.name + "' is not as it was sealed: its row was changed, or moved from another owner, name or version", "set it again: hearth secret set " + row.name);
    return value;
}

void seal_into(Sealed& row, const MasterKeys& keys, const SecretValue& value) {
    SecretValue key(kKey);
    randombytes_buf(key.bytes().data(), key.size());
    row.master_key = keys.newest().id;
    row.wrapped_key = seal(key, keys.newest().value, row.bound_to("data key"));
    row.sealed = seal(value, key, row.bound_to("value"));
}

base::AudienceId audience_of(const Tx& tx, SecretOwner owner) {
    return owner == SecretOwner::tenant ? base::AudienceId{tx.identity().tenant.value} : base::AudienceId{tx.identity().person.value};
}

base::Result<SecretInfo> store_version(Tx& tx, Sealed row) {
    // Of two that set it at once, both on the version before, one is refused by `version`.
    try {
        const auto done = tx.exec("insert into secret (audience_id, name, version, host, master_key, wrapped_key, sealed, tools) values ($1, $2, $3, $4, $5, $6, $7, $8)"
                                  " on conflict (tenant_id, audience_id, name) do update set version = excluded.version, host = excluded.host, tools = excluded.tools, master_key = excluded.master_key,"
                                  " wrapped_key = excluded.wrapped_key, sealed = excluded.sealed, changed_at = clock_timestamp() where secret.version = excluded.version - 1"
                                  " returning " + micros("changed_at"),
                                  {row.audience, row.name, row.version, row.host, row.master_key, row.wrapped_key, row.sealed, row.tools});
        if (done.empty()) return base::error(Code::conflict, "secret '" + row.name + "' was changed by somebody else at the same time", "set it again");
        return SecretInfo{row.name, row.audience.value == row.tenant.value ? SecretOwner::tenant : SecretOwner::person, row.version, row.host, base::split(row.tools, ','), done[0].time(0)};
    } catch (const DbError& e) {
        if (e.condition != "42501") throw;  // row-level security
        return base::error(Code::permission_denied, "secret '" + row.name + "' of the household is its owner's to change", "leave out --shared for one of your own");
    }
}

bool is_text(std::string_view bytes) {
    int length = 0;
    for (std::size_t at = 0; at < bytes.size(); at += std::size_t(length))
        if (const char32_t c = base::decode_utf8(bytes, at, length); c == base::no_char || c == 0) return false;
    return true;
}

std::string joined(std::vector<std::string> tools) {
    std::sort(tools.begin(), tools.end());
    tools.erase(std::unique(tools.begin(), tools.end()), tools.end());
    std::string out;
    for (const auto& tool : tools) out += (out.empty() ? "" : ",") + tool;
    return out;
}

// The person's own, else the tenant's.
std::optional<Sealed> nearest(Tx& tx, const std::string& name) {
    const auto rows = tx.exec(std::string("select ") + kColumns + " from secret where name = $1 order by audience_id = tenant_id limit 1", {name});
    return rows.empty() ? std::nullopt : std::optional(sealed_of(rows[0]));
}

base::Result<Sealed> row_for(Tx& tx, const std::string& name, const std::string& tool) {
    const std::string remedy = "the person may allow it: hearth secret set " + name + " --for " + tool;
    auto row = nearest(tx, name);
    if (!row) return base::error(Code::not_found, "there is no secret:" + name, remedy);
    const auto tools = base::split(row->tools, ',');
    if (std::find(tools.begin(), tools.end(), tool) != tools.end()) return *std::move(row);
    return base::error(Code::permission_denied, "secret:" + name + " is for " + (tools.empty() ? "upstreams" : row->tools) + ", not for " + tool, remedy);
}

// A rotation of the master key waits for those who use it, and they for the rotation: `how` is "" or "_shared".
void lock_keys(Tx& tx, const char* how) { tx.exec(std::string("select pg_advisory_xact_lock") + how + "(7311250147)"); }

base::Result<void> check_new(const std::string& name, const SecretValue& value) {
    const auto wrong = [](const std::string& what, const std::string& remedy) { return base::error(Code::invalid_argument, what, remedy); };
    if (!is_secret_name(name)) return wrong("'" + std::string(base::beginning(name, 80)) + "' is no name of a secret", "a letter, then letters, digits, '.', '_' and '-', at most 64");
    if (value.size() < base::Redactor::kLeast)
        return wrong("the value has " + std::to_string(value.size()) + " bytes, " + std::to_string(base::Redactor::kLeast) + " are wanted: what is shorter cannot be told from ordinary text, and would not be kept out of logs and traces", "use a longer one");
    if (value.size() > kMostBytes) return wrong("the value has " + std::to_string(value.size()) + " bytes, at most " + std::to_string(kMostBytes) + " are taken", "keep a file as a file");
    if (!is_text(value.reveal())) return wrong("the value is no UTF-8 text", "encode it, for example in base64");
    return {};
}

}  // namespace

bool is_secret_name(const std::string& name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto fits = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; };
    return !name.empty() && name.size() <= 64 && letter(name[0]) && std::all_of(name.begin(), name.end(), fits);
}

base::Result<std::string> secret_name(const std::string& handle) {
    const std::string prefix = "secret:";
    if (handle.rfind(prefix, 0) == 0 && is_secret_name(handle.substr(prefix.size()))) return handle.substr(prefix.size());
    return base::error(Code::invalid_argument, "expected a secret's handle", "hearth secret set NAME, then secret:NAME stands for it");
}

base::Result<MasterKeys> master_keys(Tx& tx, const std::filesystem::path& state_folder) {
    lock_keys(tx, "_shared");
    auto keys = MasterKeys::read(state_folder);
    if (keys || keys.error().code != Code::not_found) return keys;
    const auto left = tx.exec("select count(*) from hearth_sealed_secrets()").at(0).integer(0);
    if (left > 0)
        return base::error(Code::not_found, keys.error().message + ", and the database holds " + std::to_string(left) + " secrets that only it opens",
                           "restore master.key from a backup of the state folder; or remove the secrets (hearth secret rm) and set them again");
    if (auto made = MasterKeys::make(state_folder); !made && made.error().code != Code::conflict) return std::move(made).error();
    return MasterKeys::read(state_folder);
}

base::Result<SecretInfo> set_secret(Tx& tx, const MasterKeys& keys, SecretOwner owner, const std::string& name, const std::string& host, const SecretValue& value,
                                    const std::vector<std::string>& tools) {
    if (auto fine = check_new(name, value); !fine) return std::move(fine).error();
    // No tool says yet which host a call of it reaches.
    if (!host.empty() && !tools.empty()) return base::error(Code::invalid_argument, "a secret is for a host or for tools, not for both", "set two of them");
    Sealed row{tx.identity().tenant, audience_of(tx, owner), name, 1, host, {}, {}, {}, joined(tools)};
    const auto before = tx.exec("select version from secret where audience_id = $1 and name = $2", {row.audience, name});
    if (!before.empty()) row.version = before[0].integer(0) + 1;
    seal_into(row, keys, value);
    return store_version(tx, std::move(row));
}

std::vector<SecretInfo> list_secrets(Tx& tx) {
    std::vector<SecretInfo> out;
    for (const Row& row : tx.exec("select name, audience_id = tenant_id, version, host, tools, " + micros("changed_at") + " from secret order by name, audience_id = tenant_id"))
        out.push_back({row.text(0), row.boolean(1) ? SecretOwner::tenant : SecretOwner::person, row.integer(2), row.text(3), base::split(row.text(4), ','), row.time(5)});
    return out;
}

bool remove_secret(Tx& tx, SecretOwner owner, const std::string& name) {
    return !tx.exec("delete from secret where audience_id = $1 and name = $2 returning 1", {audience_of(tx, owner), name}).empty();
}

base::Result<SecretValue> open_secret(Tx& tx, const MasterKeys& keys, const std::string& name, const std::string& host) {
    const auto row = nearest(tx, name);
    if (!row) return base::error(Code::not_found, "there is no secret '" + name + "'", "hearth secret set " + name);
    if (!row->tools.empty())
        return base::error(Code::permission_denied, "secret '" + name + "' is for calls of " + row->tools + ", not for an upstream", "hearth secret set " + name + " without --for would let an upstream have it");
    if (!row->host.empty() && row->host != host)
        return base::error(Code::permission_denied, "secret '" + name + "' is for " + row->host + ", not for " + (host.empty() ? "this use" : host), "hearth secret set " + name + " --host " + host + " would send it there");
    return value_of(*row, keys);
}

base::Result<SecretValue> open_secret_for(Tx& tx, const MasterKeys& keys, const std::string& name, const std::string& tool) {
    const auto row = row_for(tx, name, tool);
    return row ? value_of(*row, keys) : base::Result<SecretValue>(row.error());
}

base::Result<void> may_open_secret_for(Tx& tx, const std::string& name, const std::string& tool) {
    const auto row = row_for(tx, name, tool);
    return row ? base::Result<void>() : base::Result<void>(row.error());
}

base::Result<std::vector<SecretInfo>> rotate_secrets(Tx& tx, const MasterKeys& keys, const std::string& name) {
    std::vector<SecretInfo> out;
    // `for update` leaves out what this person may read and not change.
    for (const Row& found : tx.exec(std::string("select ") + kColumns + " from secret where $1 = '' or name = $1 order by name for update", {name})) {
        Sealed row = sealed_of(found);
        const auto value = value_of(row, keys);
        if (!value) return value.error();
        ++row.version;
        seal_into(row, keys, *value);
        auto stored = store_version(tx, std::move(row));
        if (!stored) return std::move(stored).error();
        out.push_back(*std::move(stored));
    }
    if (out.empty() && !name.empty()) return base::error(Code::not_found, "there is no secret '" + name + "' that you may change", "hearth secret list shows them");
    return out;
}

base::Result<int> rotate_master_key(Db& db, const Identity& who, const std::filesystem::path& state_folder) {
    // Both keys stand in the file for as long as either may be needed, whenever this is cut off.
    const auto rewrap = [&](Tx& tx) -> base::Result<int> {
        lock_keys(tx, "");
        auto keys = MasterKeys::read(state_folder);
        if (!keys) return std::move(keys).error();
        if (auto added = keys->add(state_folder); !added) return std::move(added).error();
        int count = 0;
        for (const Row& found : tx.exec(std::string("select ") + kColumns + " from hearth_sealed_secrets()")) {
            const Sealed row = sealed_of(found);
            auto key = data_key(row, *keys);
            if (!key) return std::move(key).error();
            const std::string wrapped = seal(*key, keys->newest().value, row.bound_to("data key"));
            const bool done = tx.exec("select hearth_rewrap_secret($1, $2, $3, $4, $5, $6)", {row.tenant, row.audience, row.name, row.wrapped_key, keys->newest().id, wrapped}).at(0).boolean(0);
            if (!done) return base::error(Code::conflict, "secret '" + row.name + "' was changed meanwhile", "rotate again");
            ++count;
        }
        return count;
    };
    const auto drop = [&](Tx& tx) -> base::Result<void> {
        lock_keys(tx, "");
        auto keys = MasterKeys::read(state_folder);
        if (!keys) return std::move(keys).error();
        std::vector<std::string> used;
        for (const Row& row : tx.exec("select distinct master_key from hearth_sealed_secrets()")) used.push_back(row.text(0));
        return keys->keep(state_folder, used);
    };
    auto done = db.run_blocking(who, rewrap);
    if (!done) return done;
    if (auto dropped = db.run_blocking(who, drop); !dropped) return std::move(dropped).error();
    return done;
}

base::Result<void> check_secrets(Tx& tx, const std::filesystem::path& state_folder) {
    lock_keys(tx, "_shared");
    const auto rows = tx.exec(std::string("select ") + kColumns + " from hearth_sealed_secrets()");
    if (rows.empty()) return {};
    const std::string remedy = "restore master.key from a backup of the state folder; where it is lost, hearth secret rm each and set it again";
    const auto keys = MasterKeys::read(state_folder);
    if (!keys) return base::error(keys.error().code, keys.error().message + ", and the database holds " + std::to_string(rows.size()) + " secrets that only it opens", keys.error().code == Code::not_found ? remedy : keys.error().remedy);
    std::string shut;
    int count = 0;
    for (const Row& row : rows) {
        const Sealed sealed = sealed_of(row);
        if (data_key(sealed, *keys)) continue;
        if (++count <= 5) shut += (shut.empty() ? "" : ", ") + sealed.name;
    }
    if (count == 0) return {};
    return base::error(count == int(rows.size()) ? Code::corrupt : Code::conflict, "of " + std::to_string(rows.size()) + " secrets " + std::to_string(count) + " do not open with master.key of the state folder: " + shut + (count > 5 ? ", …" : ""), remedy);
}

void learn_secrets(Tx& tx, const std::filesystem::path& state_folder, base::Redactor& redactor, std::string& state) {
    const std::string now = tx.exec("select count(*) || ' ' || coalesce(md5(string_agg(sealed, ' ')), '') from hearth_sealed_secrets()").at(0).text(0);
    if (now == state) return;
    lock_keys(tx, "_shared");
    const auto keys = MasterKeys::read(state_folder);
    if (!keys && keys.error().code != Code::not_found) return;
    std::vector<base::Redactor::Known> all;
    for (const Row& row : tx.exec(std::string("select ") + kColumns + " from hearth_sealed_secrets()")) {
        const auto value = keys ? value_of(sealed_of(row), *keys) : base::Result<SecretValue>(keys.error());
        if (!value) continue;
        for (const auto& form : redactor.forms_of(value->reveal())) all.push_back(form);
    }
    redactor.add(all);
    state = now;
}

}  // namespace store
