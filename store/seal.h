// Authenticated encryption by libsodium, XChaCha20-Poly1305: what is sealed is its nonce, the ciphertext and the tag.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret_value.h"

namespace store {

inline constexpr std::size_t kSealKeyBytes = 32;

// The key for one purpose, out of one for many (16 to 64 bytes).
base::SecretValue derived_key(std::string_view secret, std::string_view purpose);

// `bound` must be the same for unseal as it was for seal.
std::string seal(std::string_view plain, const base::SecretValue& key, std::string_view bound);
// The same text bound to the same becomes the same bytes, so that whoever writes it again writes nothing new. `bound` names one thing only.
std::string seal_alike(std::string_view plain, const base::SecretValue& key, std::string_view bound);
// None: it was sealed under another key or bound to something else, or has changed since.
std::optional<std::string> unseal(std::string_view sealed, const base::SecretValue& key, std::string_view bound);

}  // namespace store
