#include "server/bridges/telegram_webhook.h"

#include "server/bridges/telegram.h"
#include "server/bridges/telegram_update.h"

namespace server::bridges {

const std::string& TelegramWebhook::bridge() const { return kTelegram; }

bool TelegramWebhook::trusts_head(const Request& request) const { return same_secret(request.header("x-telegram-bot-api-secret-token"), secret_->reveal()); }

base::Result<std::vector<store::Arrived>> TelegramWebhook::deliveries(std::string body) const {
    auto number = telegram_update_number(body);
    if (!number) return std::move(number).error();
    std::vector<store::Arrived> out;
    out.push_back({kTelegram, *std::move(number), std::move(body)});
    return out;
}

}  // namespace server::bridges
