// Telegram as the settings have it: asked for messages, or delivering them.
#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "app/channels.h"
#include "server/bridges/telegram_poll.h"
#include "server/bridges/telegram_webhook.h"
#include "store/secrets.h"

namespace app {
namespace {

using namespace std::chrono_literals;
using namespace server::bridges;

constexpr std::size_t kMostOfSecret = 256;
constexpr auto kAnnounceTime = 20s, kBetweenAnnouncements = 30s;

base::Error wrong(const std::string& message, const std::string& remedy) { return base::error(base::Code::invalid_argument, message, remedy); }

// As the API takes it.
bool is_webhook_secret(std::string_view text) {
    return !text.empty() && text.size() <= kMostOfSecret && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
}

class TelegramChannel final : public Channel {
public:
    TelegramChannel(ChannelParts parts, std::shared_ptr<const base::SecretValue> secret)
        : parts_(std::move(parts)),
          telegram_(parts_.settings.telegram.url,
                    [open = parts_.secrets, name = store::secret_name(parts_.settings.telegram.token).value(), host = net::host_of(parts_.settings.telegram.url)] { return open(name, host); }, parts_.client),
          poll_(telegram_, parts_.db, {parts_.owner.tenant, {}}, parts_.keep, parts_.log),
          secret_(std::move(secret)) {
        if (secret_) webhook_ = std::make_unique<TelegramWebhook>(secret_);
    }

    Transport& transport() override { return telegram_; }
    const Webhook* webhook() const override { return webhook_.get(); }
    net::Task<void> watch() override {
        if (!webhook_) return poll_.watch();
        return announce();
    }
    net::Task<void> leave() override { return poll_.leave(); }
    base::Probe probe() const override {
        if (!webhook_) return poll_.probe();
        return {"Telegram", base::Health::ok, "messages are delivered to " + parts_.settings.webhooks.host + ":" + std::to_string(parts_.settings.webhooks.port), ""};
    }

private:
    // Until Telegram knows where to deliver.
    net::Task<void> announce() {
        const std::string& url = parts_.settings.telegram.webhook_url;
        if (url.empty()) co_return;
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
        for (;;) {
            base::Json where = {{"url", url}, {"secret_token", std::string(secret_->reveal())}, {"allowed_updates", telegram_wanted_updates()}};
            const TelegramAnswer answer = co_await telegram_.call("setWebhook", std::move(where), kAnnounceTime);
            if (answer.ok()) co_return;
            parts_.log.warn("Telegram was not told where to deliver; it is tried again", {{"reason", answer.why()}});
            timer.expires_after(kBetweenAnnouncements);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
    }

    const ChannelParts parts_;
    Telegram telegram_;
    TelegramPoll poll_;
    const std::shared_ptr<const base::SecretValue> secret_;  // null: nobody delivers, we ask
    std::unique_ptr<TelegramWebhook> webhook_;
};

base::Result<void> check(const Settings& s) {
    if (auto url = check_api_url("telegram.url", s.telegram.url); !url) return url;
    if (s.telegram.token.empty() && !s.telegram.webhook_secret.empty()) return wrong("telegram.webhook_secret is set and telegram.token is not", "set both, or neither");
    if (s.telegram.webhook_secret.empty() && !s.telegram.webhook_url.empty())
        return wrong("telegram.webhook_url is set and telegram.webhook_secret is not: anybody could deliver there", "hearth secret set NAME keeps one, and telegram.webhook_secret: secret:NAME stands for it");
    if (!s.telegram.webhook_url.empty() && s.telegram.webhook_url.rfind("https://", 0) != 0)
        return wrong("telegram.webhook_url is '" + s.telegram.webhook_url + "', and Telegram delivers to https alone", "for example https://hearth.example/telegram");
    return {};
}

base::Result<std::unique_ptr<Channel>> make(ChannelParts parts) {
    const std::string& handle = parts.settings.telegram.webhook_secret;
    std::shared_ptr<const base::SecretValue> secret;
    if (!handle.empty()) {
        auto opened = open_house_secret(parts, "telegram.webhook_secret", handle);
        if (!opened) return std::move(opened).error();
        secret = *std::move(opened);
        if (!is_webhook_secret(secret->reveal())) return wrong("the secret '" + handle + "' of telegram.webhook_secret holds other characters than Telegram takes", "1 to 256 letters, digits, '-' and '_'");
    }
    return std::unique_ptr<Channel>(new TelegramChannel(std::move(parts), std::move(secret)));
}

}  // namespace

ChannelRow telegram_channel() {
    return {"Telegram", [](const Settings& s) { return !s.telegram.token.empty(); }, [](const Settings& s) { return !s.telegram.webhook_secret.empty(); }, check, make};
}

}  // namespace app
