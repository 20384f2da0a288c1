// Deliveries of WhatsApp's Cloud API: signed by the app's secret, and announced by a handshake.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret_value.h"
#include "server/bridges/webhook.h"

namespace server::bridges {

// Whether the header is "sha256=" and the HMAC-SHA256 of these very bytes, in small letters.
bool is_signature(std::string_view header, std::string_view body, std::string_view secret);

class WhatsAppWebhook final : public Webhook {
public:
    using Secret = std::shared_ptr<const base::SecretValue>;
    // `verify_token`: what the house has told Meta that it will prove itself by.
    WhatsAppWebhook(Secret app_secret, Secret verify_token) : app_secret_(std::move(app_secret)), verify_token_(std::move(verify_token)) {}

    const std::string& bridge() const override;
    std::optional<Response> greet(const Request& request) const override;
    bool trusts_head(const Request& request) const override;
    bool trusts(const Request& request) const override;
    base::Result<std::vector<store::Arrived>> deliveries(std::string body) const override;

private:
    const Secret app_secret_, verify_token_;
};

}  // namespace server::bridges
