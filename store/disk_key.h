// The key of what lies on disk beside the database, as the keys and values of conversations, and what came with messages: each audience's is
// derived from it. It lies in the state folder beside what it seals.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret_value.h"

namespace store {

class DiskKey {
public:
    // 0600, made where there is none. Error{permission_denied}: others than its owner may read it. {corrupt}: it is no such key.
    // `lost`: what removing it costs, for the remedy: "what it sealed is computed anew".
    static base::Result<DiskKey> open(const std::filesystem::path& file, const std::string& lost);

    // `bound` must be the same for unseal as it was for seal.
    std::string seal(const std::string& audience, std::string_view plain, std::string_view bound) const;
    // Error{corrupt}: it was sealed for another audience or place, or under another key, or has changed since.
    base::Result<std::string> unseal(const std::string& audience, std::string_view sealed, std::string_view bound) const;

private:
    base::SecretValue of(const std::string& audience) const;
    base::SecretValue key_;
};

}  // namespace store
