// The master key, which wraps the data keys of all secrets. It lies in the state folder, outside the database.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_value.h"

namespace store {

// STATE/master.key (0600): 32 random bytes a line in base64, the newest first. There is more than one only
// while a rotation is under way, or after one that was cut off.
class MasterKeys {
public:
    // Error{not_found}: there is no file. {permission_denied}: others than its owner may read it, or it is not ours.
    // {corrupt}: it holds something else.
    static base::Result<MasterKeys> read(const std::filesystem::path& state_folder);
    // A new file with one key; Error{conflict} when there is one by now.
    static base::Result<void> make(const std::filesystem::path& state_folder);

    struct Key {
        std::string id;  // 16 hexadecimal digits, which tell nothing about the key
        base::SecretValue value;
    };
    const Key& newest() const { return keys_.front(); }
    const Key* find(const std::string& id) const;
    std::size_t size() const { return keys_.size(); }

    // The file anew, whole or not at all: with one more key in front; without those that are neither the newest nor `used`.
    base::Result<void> add(const std::filesystem::path& state_folder);
    base::Result<void> keep(const std::filesystem::path& state_folder, const std::vector<std::string>& used);

private:
    base::Result<void> write(const std::filesystem::path& state_folder) const;
    std::vector<Key> keys_;
};

}  // namespace store
