#include "store/seal.h"

#include <sodium.h>

#include <stdexcept>

#include "store/digest.h"

namespace store {
namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kSealKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string sealed_with(std::string nonce, std::string_view plain, const base::SecretValue& key, std::string_view bound) {
    std::string out = std::move(nonce);
    out.resize(kNonce + plain.size() + kTag);
    crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(out.data()) + kNonce, nullptr, bytes_of(plain), plain.size(), bytes_of(bound), bound.size(), nullptr, bytes_of(out),
                                               bytes_of(key.reveal()));
    return out;
}

}  // namespace

base::SecretValue derived_key(std::string_view secret, std::string_view purpose) {
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start");
    base::SecretValue out(kSealKeyBytes);
    crypto_generichash(out.bytes().data(), kSealKeyBytes, bytes_of(purpose), purpose.size(), bytes_of(secret), secret.size());
    return out;
}

std::string seal(std::string_view plain, const base::SecretValue& key, std::string_view bound) { return sealed_with(random_bytes(kNonce), plain, key, bound); }

std::string seal_alike(std::string_view plain, const base::SecretValue& key, std::string_view bound) {
    const base::SecretValue of_nonces = derived_key(key.reveal(), "nonce");
    std::string nonce(kNonce, '\0');
    crypto_generichash_state state;
    crypto_generichash_init(&state, bytes_of(of_nonces.reveal()), of_nonces.size(), kNonce);
    const std::string lengths = std::to_string(bound.size()) + ":";
    for (const std::string_view part : {std::string_view(lengths), bound, plain}) crypto_generichash_update(&state, bytes_of(part), part.size());
    crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(nonce.data()), kNonce);
    return sealed_with(std::move(nonce), plain, key, bound);
}

std::optional<std::string> unseal(std::string_view sealed, const base::SecretValue& key, std::string_view bound) {
    if (sealed.size() < kNonce + kTag) return std::nullopt;
    std::string out(sealed.size() - kNonce - kTag, '\0');
    const bool genuine = crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(out.data()), nullptr, nullptr, bytes_of(sealed) + kNonce, sealed.size() - kNonce, bytes_of(bound),
                                                                    bound.size(), bytes_of(sealed), bytes_of(key.reveal())) == 0;
    if (!genuine) return std::nullopt;
    return out;
}

}  // namespace store
