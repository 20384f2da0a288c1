// Secrets: named values of a person or of the whole tenant, sealed in the database. Settings and prompts hold
// their handles ("secret:NAME"); the value is opened at the call that it is for, and wiped after it. What it is for is said with
// it and sealed with it: upstreams, of one host or of any, or calls of the tools that it names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/redact.h"
#include "base/secret_value.h"
#include "store/db.h"
#include "store/master_key.h"

namespace store {

enum class SecretOwner { person, tenant };

struct SecretInfo {
    std::string name;
    SecretOwner owner = SecretOwner::person;
    std::int64_t version = 0;
    std::string host;          // the only one that it may be sent to; empty: whichever the settings name
    std::vector<std::string> tools;  // whose calls it may be opened for; empty: it is for upstreams
    base::TimePoint changed{};
};

// "openai" of "secret:openai". Error{invalid_argument} without repeating what it is, since that may be the secret.
base::Result<std::string> secret_name(const std::string& handle);
// A letter, then letters, digits, ".", "_", "-"; at most 64.
bool is_secret_name(const std::string& name);

// The keys, made at the first need. Error{not_found} when there are secrets and no key: then it was lost.
base::Result<MasterKeys> master_keys(Tx& tx, const std::filesystem::path& state_folder);

// The next version, under a fresh data key. Error{invalid_argument}: a bad name, or a value that is shorter than
// Redactor::kLeast or longer than 64 KiB, or no text, or a host and tools. {permission_denied}: the tenant's are the owner's to change.
base::Result<SecretInfo> set_secret(Tx& tx, const MasterKeys& keys, SecretOwner owner, const std::string& name, const std::string& host, const base::SecretValue& value,
                                    const std::vector<std::string>& tools = {});
std::vector<SecretInfo> list_secrets(Tx& tx);
bool remove_secret(Tx& tx, SecretOwner owner, const std::string& name);

// For sending it to `host`: the person's own, else the tenant's. Error{not_found}: neither is there.
// {permission_denied}: it is for another host, or for tools. {corrupt}: what lies there is not what was sealed under this
// owner, name, version, host and tools, or under another master key.
base::Result<base::SecretValue> open_secret(Tx& tx, const MasterKeys& keys, const std::string& name, const std::string& host);
// The same for a call of `tool`. {permission_denied}: it is not for that tool.
base::Result<base::SecretValue> open_secret_for(Tx& tx, const MasterKeys& keys, const std::string& name, const std::string& tool);
// Whether it would be opened for a call of `tool`, as far as that shows without its value.
base::Result<void> may_open_secret_for(Tx& tx, const std::string& name, const std::string& tool);

// The next version of each that this person may change (of all, or of those of that name), under fresh data keys.
base::Result<std::vector<SecretInfo>> rotate_secrets(Tx& tx, const MasterKeys& keys, const std::string& name);
// A new master key, under which the data keys of everybody are wrapped; the old one is then gone. What was cut off is
// finished by the next. The number of secrets.
base::Result<int> rotate_master_key(Db& db, const Identity& who, const std::filesystem::path& state_folder);

// Whether the master key is the one of every secret, whoever's: no value is opened. The Error says which key is missing or
// wrong, and of which secrets; {conflict}: others of them open. Nothing is wrong where there are none.
base::Result<void> check_secrets(Tx& tx, const std::filesystem::path& state_folder);

// Every secret of everybody as forms that `redactor` takes out of texts from now on; a value that was replaced or removed since may be in use
// elsewhere, and stays known. Those that do not open are left out. `state` is what it was for: unchanged since then, nothing is read.
void learn_secrets(Tx& tx, const std::filesystem::path& state_folder, base::Redactor& redactor, std::string& state);

}  // namespace store
