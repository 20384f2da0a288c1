#include "store/digest.h"

#include <sodium.h>

#include <stdexcept>

namespace store {
namespace {

void ready() {
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start");
}

std::string encoded(std::string_view bytes, int variant) {
    std::string out(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), variant);
    out.resize(out.size() - 1);  // its terminator
    return out;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    std::string out(2 * sizeof hash + 1, '\0');
    sodium_bin2hex(out.data(), out.size(), hash, sizeof hash);
    out.resize(2 * sizeof hash);
    return out;
}

std::string base64(std::string_view bytes) { return encoded(bytes, sodium_base64_VARIANT_ORIGINAL); }
std::optional<std::string> from_base64(std::string_view text) {
    std::string out(text.size(), '\0');
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(), text.size(), "\n", &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) return std::nullopt;
    out.resize(size);
    return out;
}

std::string base64url(std::string_view bytes) { return encoded(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING); }

std::string random_bytes(std::size_t n) {
    ready();
    std::string out(n, '\0');
    randombytes_buf(out.data(), n);
    return out;
}

}  // namespace store
