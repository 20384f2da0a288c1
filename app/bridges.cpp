#include "app/bridges.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "store/secrets.h"

namespace app {
namespace {

using namespace std::chrono_literals;
using base::Code;

constexpr std::size_t kMostOfSecret = 256;
constexpr auto kAnnounceTime = 20s, kBetweenAnnouncements = 30s;

base::Error wrong(const std::string& message, const std::string& remedy) { return base::error(Code::invalid_argument, message, remedy); }

// As the API takes it.
bool is_webhook_secret(std::string_view text) {
    return !text.empty() && text.size() <= kMostOfSecret && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
}

}  // namespace

server::HttpOptions webhook_options(const Settings& s) {
    server::HttpOptions http;
    http.host = s.webhooks.host;
    http.port = s.webhooks.port;
    http.settings = "webhooks";
    http.body_bytes = std::size_t(1) << 20;
    http.gates_all = true;
    return http;
}

base::Result<void> check_bridges(const Settings& s) {
    const std::string& url = s.telegram.url;
    const std::string host = net::host_of(url);
    const bool is_near = host == "[::1]" || server::is_loopback(host);
    if (host.empty() || !(url.rfind("https://", 0) == 0 || (url.rfind("http://", 0) == 0 && is_near)))
        return wrong("telegram.url is '" + url + "', where the bot's token would go unencrypted or nowhere", "use https, or http for a Bot API server on this machine");
    if (s.telegram.token.empty() && !s.telegram.webhook_secret.empty()) return wrong("telegram.webhook_secret is set and telegram.token is not", "set both, or neither");
    if (s.telegram.webhook_secret.empty() && !s.telegram.webhook_url.empty())
        return wrong("telegram.webhook_url is set and telegram.webhook_secret is not: anybody could deliver there", "hearth secret set NAME keeps one, and telegram.webhook_secret: secret:NAME stands for it");
    if (!s.telegram.webhook_url.empty() && s.telegram.webhook_url.rfind("https://", 0) != 0)
        return wrong("telegram.webhook_url is '" + s.telegram.webhook_url + "', and Telegram delivers to https alone", "for example https://hearth.example/telegram");
    return {};
}

Bridges::Bridges(const Settings& settings, Parts parts)
    : settings_(settings),
      parts_(std::move(parts)),
      telegram_(settings.telegram.url,
                [open = parts_.secrets, name = store::secret_name(settings.telegram.token).value(), host = net::host_of(settings.telegram.url)] { return open(name, host); }, parts_.client),
      outbound_({{&telegram_}, parts_.db, parts_.rules, parts_.clock, parts_.log, parts_.metrics, {parts_.owner.tenant, {}}}),
      intake_({{&telegram_}, parts_.agents, outbound_, parts_.db, parts_.rules, parts_.clock, parts_.log, parts_.owner}),
      poll_(telegram_, parts_.db, {parts_.owner.tenant, {}}, [this](std::vector<store::Arrived> arrived) { return intake_.keep(std::move(arrived)); }, parts_.log) {}

base::Result<std::unique_ptr<Bridges>> Bridges::make(const Settings& settings, Parts parts) {
    if (settings.telegram.token.empty()) return std::unique_ptr<Bridges>();
    std::unique_ptr<Bridges> bridges(new Bridges(settings, std::move(parts)));
    if (settings.telegram.webhook_secret.empty()) return bridges;
    if (auto opened = bridges->open_webhook_secret(); !opened) return std::move(opened).error();
    bridges->webhooks_ = std::make_unique<server::bridges::Webhooks>(std::vector{server::bridges::telegram_webhook(bridges->webhook_secret_)}, bridges->intake_, bridges->parts_.log);
    return bridges;
}

base::Result<void> Bridges::open_webhook_secret() {
    const std::string name = store::secret_name(settings_.telegram.webhook_secret).value();
    const auto open = [&](store::Tx& tx) -> base::Result<base::SecretValue> {
        auto keys = store::master_keys(tx, settings_.state_folder);
        if (!keys) return std::move(keys).error();
        return store::open_secret(tx, *keys, name, "");
    };
    auto value = parts_.db.run_blocking(parts_.owner, open);
    if (!value) return base::error(value.error().code, "telegram.webhook_secret: " + value.error().message, value.error().remedy);
    if (!is_webhook_secret(value->reveal())) return wrong("the secret '" + name + "' of telegram.webhook_secret holds other characters than Telegram takes", "1 to 256 letters, digits, '-' and '_'");
    webhook_secret_ = std::make_shared<const base::SecretValue>(*std::move(value));
    return {};
}

base::Result<std::unique_ptr<server::HttpServer>> Bridges::start(boost::asio::any_io_executor executor) {
    const auto ended = [this](const char* what) { return [this, what](std::exception_ptr) { parts_.log.error(what); }; };
    std::unique_ptr<server::HttpServer> listener;
    if (webhooks_) {
        server::HttpOptions options = webhook_options(settings_);
        options.gate = webhooks_->gate();
        auto listening = server::HttpServer::start(executor, std::move(options), webhooks_->handler(), parts_.log, parts_.metrics);
        if (!listening) return std::move(listening).error();
        listener = *std::move(listening);
        parts_.log.info("webhooks are listened for", {{"host", settings_.webhooks.host}, {"port", listener->port()}});
        if (!settings_.telegram.webhook_url.empty()) net::spawn(executor, announce(), ended("Telegram is no longer told where to deliver"));
    } else {
        net::spawn(executor, poll_.watch(), ended("Telegram is no longer asked for messages"));
    }
    net::spawn(executor, intake_.watch(), ended("what channels deliver is no longer acted on"));
    net::spawn(executor, outbound_.watch(), ended("the outbox is no longer looked at"));
    return listener;
}

// Until Telegram knows where to deliver.
net::Task<void> Bridges::announce() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (;;) {
        base::Json where = {{"url", settings_.telegram.webhook_url}, {"secret_token", std::string(webhook_secret_->reveal())}, {"allowed_updates", server::bridges::telegram_wanted_updates()}};
        const server::bridges::TelegramAnswer answer = co_await telegram_.call("setWebhook", std::move(where), kAnnounceTime);
        if (answer.ok()) co_return;
        parts_.log.warn("Telegram was not told where to deliver; it is tried again", {{"reason", answer.why()}});
        timer.expires_after(kBetweenAnnouncements);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

base::Probes Bridges::probes() const {
    if (webhooks_) return {{"Telegram", base::Health::ok, "messages are delivered to " + settings_.webhooks.host + ":" + std::to_string(settings_.webhooks.port), ""}};
    return {poll_.probe()};
}

}  // namespace app
