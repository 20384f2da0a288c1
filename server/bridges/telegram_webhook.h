// Telegram's deliveries: an update each, with a secret in a header.
#pragma once

#include <memory>

#include "base/secret_value.h"
#include "server/bridges/webhook.h"

namespace server::bridges {

class TelegramWebhook final : public Webhook {
public:
    explicit TelegramWebhook(std::shared_ptr<const base::SecretValue> secret) : secret_(std::move(secret)) {}

    const std::string& bridge() const override;
    bool trusts_head(const Request& request) const override;
    bool trusts(const Request& request) const override { return trusts_head(request); }
    base::Result<std::vector<store::Arrived>> deliveries(std::string body) const override;

private:
    std::shared_ptr<const base::SecretValue> secret_;
};

}  // namespace server::bridges
