// SHA-256 and encodings, by libsodium.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace store {

std::string sha256_hex(std::string_view bytes);
std::string base64(std::string_view bytes);      // standard alphabet, padded
std::optional<std::string> from_base64(std::string_view text);
std::string base64url(std::string_view bytes);   // URL-safe alphabet, no padding
std::string random_bytes(std::size_t n);

}  // namespace store
