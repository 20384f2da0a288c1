#include "server/bridges/whatsapp_webhook.h"

#include <sodium.h>

#include <algorithm>

#include "server/bridges/whatsapp.h"
#include "server/bridges/whatsapp_update.h"

namespace server::bridges {
namespace {

constexpr const char* kHeader = "x-hub-signature-256";
constexpr std::string_view kPrefix = "sha256=";
constexpr std::size_t kSize = crypto_auth_hmacsha256_BYTES;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool looks_signed(std::string_view header) {
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return header.starts_with(kPrefix) && header.size() == kPrefix.size() + 2 * kSize && std::all_of(header.begin() + kPrefix.size(), header.end(), is_hex);
}

}  // namespace

bool is_signature(std::string_view header, std::string_view body, std::string_view secret) {
    if (!looks_signed(header)) return false;
    crypto_auth_hmacsha256_state state;
    unsigned char mac[kSize];
    char hex[2 * kSize + 1];
    crypto_auth_hmacsha256_init(&state, bytes_of(secret), secret.size());
    crypto_auth_hmacsha256_update(&state, bytes_of(body), body.size());
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    return sodium_memcmp(hex, header.data() + kPrefix.size(), 2 * kSize) == 0;
}

const std::string& WhatsAppWebhook::bridge() const { return kWhatsApp; }

std::optional<Response> WhatsAppWebhook::greet(const Request& request) const {
    const bool knows = same_secret(request.query_value("hub.verify_token"), verify_token_->reveal());
    if (!knows || request.query_value("hub.mode") != "subscribe") return error_response(403, "hub.verify_token is not the one of whatsapp.verify_token, or hub.mode is not subscribe", "forbidden");
    Response out;
    out.body = request.query_value("hub.challenge");
    out.content_type = "text/plain; charset=utf-8";
    if (out.body.empty()) return error_response(400, "hub.challenge is missing", "invalid_request");
    return out;
}

bool WhatsAppWebhook::trusts_head(const Request& request) const { return looks_signed(request.header(kHeader)); }

bool WhatsAppWebhook::trusts(const Request& request) const { return is_signature(request.header(kHeader), request.body, app_secret_->reveal()); }

base::Result<std::vector<store::Arrived>> WhatsAppWebhook::deliveries(std::string body) const {
    auto parts = whatsapp_parts(body);
    if (!parts) return std::move(parts).error();
    std::vector<store::Arrived> out;
    for (WhatsAppPart& part : *parts) out.push_back({kWhatsApp, std::move(part.update), std::move(part.body)});
    return out;
}

}  // namespace server::bridges
