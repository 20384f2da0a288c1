// WhatsApp as the settings have it: it delivers, and is sent to. Experimental.
#include <algorithm>

#include "app/channels.h"
#include "server/bridges/whatsapp.h"
#include "server/bridges/whatsapp_webhook.h"
#include "store/secrets.h"

namespace app {
namespace {

using namespace server::bridges;

base::Error wrong(const std::string& message, const std::string& remedy) { return base::error(base::Code::invalid_argument, message, remedy); }

std::optional<WhatsAppTemplate> template_of(const Settings& s) {
    if (s.whatsapp.form.empty()) return std::nullopt;
    return parse_whatsapp_template(s.whatsapp.form).value();
}

class WhatsAppChannel final : public Channel {
public:
    WhatsAppChannel(ChannelParts parts, std::shared_ptr<const base::SecretValue> app_secret, std::shared_ptr<const base::SecretValue> verify_token)
        : parts_(std::move(parts)),
          whatsapp_({parts_.settings.whatsapp.url, parts_.settings.whatsapp.number, template_of(parts_.settings),
                     [open = parts_.secrets, name = store::secret_name(parts_.settings.whatsapp.token).value()](std::string host) { return open(name, std::move(host)); },
                     parts_.client, parts_.clock}),
          webhook_(std::move(app_secret), std::move(verify_token)) {}

    Transport& transport() override { return whatsapp_; }
    const Webhook* webhook() const override { return &webhook_; }
    base::Probe probe() const override {
        return {"WhatsApp", base::Health::ok, "experimental; messages are delivered to " + parts_.settings.webhooks.host + ":" + std::to_string(parts_.settings.webhooks.port), ""};
    }

private:
    const ChannelParts parts_;
    WhatsApp whatsapp_;
    const WhatsAppWebhook webhook_;
};

base::Result<void> check(const Settings& s) {
    if (auto url = check_api_url("whatsapp.url", s.whatsapp.url); !url) return url;
    const std::pair<const char*, const std::string*> needed[] = {
        {"whatsapp.token", &s.whatsapp.token}, {"whatsapp.number", &s.whatsapp.number}, {"whatsapp.app_secret", &s.whatsapp.app_secret}, {"whatsapp.verify_token", &s.whatsapp.verify_token}};
    const auto is_set = [](const auto& one) { return !one.second->empty(); };
    const auto* const first = std::find_if(std::begin(needed), std::end(needed), is_set);
    const auto* const missing = std::find_if_not(std::begin(needed), std::end(needed), is_set);
    if (first != std::end(needed) && missing != std::end(needed))
        return wrong(std::string(first->first) + " is set and " + missing->first + " is not", "set whatsapp.token, number, app_secret and verify_token, or none of them; docs/bridges.md says where they come from");
    const bool digits = std::all_of(s.whatsapp.number.begin(), s.whatsapp.number.end(), [](unsigned char c) { return std::isdigit(c); });
    if (!digits) return wrong("whatsapp.number is '" + s.whatsapp.number + "', which is no Phone number ID", "the digits that Meta shows as Phone number ID");
    if (s.whatsapp.form.empty()) return {};
    const auto form = parse_whatsapp_template(s.whatsapp.form);
    if (!form) return wrong("whatsapp.template is " + form.error().message, form.error().remedy);
    return {};
}

base::Result<std::unique_ptr<Channel>> make(ChannelParts parts) {
    auto app_secret = open_house_secret(parts, "whatsapp.app_secret", parts.settings.whatsapp.app_secret);
    if (!app_secret) return std::move(app_secret).error();
    auto verify_token = open_house_secret(parts, "whatsapp.verify_token", parts.settings.whatsapp.verify_token);
    if (!verify_token) return std::move(verify_token).error();
    return std::unique_ptr<Channel>(new WhatsAppChannel(std::move(parts), *std::move(app_secret), *std::move(verify_token)));
}

bool wanted(const Settings& s) { return !s.whatsapp.token.empty(); }

}  // namespace

ChannelRow whatsapp_channel() { return {"WhatsApp", wanted, wanted, check, make}; }

}  // namespace app
