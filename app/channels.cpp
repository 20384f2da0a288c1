#include "app/channels.h"

#include "server/http.h"
#include "store/secrets.h"

namespace app {

const std::vector<ChannelRow>& channel_rows() {
    static const std::vector<ChannelRow> rows = {telegram_channel(), whatsapp_channel(), file_channel()};
    return rows;
}

base::Result<std::shared_ptr<const base::SecretValue>> open_house_secret(const ChannelParts& parts, const std::string& setting, const std::string& handle) {
    const std::string name = store::secret_name(handle).value();
    const auto open = [&](store::Tx& tx) -> base::Result<base::SecretValue> {
        auto keys = store::master_keys(tx, parts.settings.state_folder);
        if (!keys) return std::move(keys).error();
        return store::open_secret(tx, *keys, name, "");
    };
    auto value = parts.db.run_blocking(parts.owner, open);
    if (!value) return base::error(value.error().code, setting + ": " + value.error().message, value.error().remedy);
    return std::make_shared<const base::SecretValue>(*std::move(value));
}

base::Result<void> check_api_url(const std::string& setting, const std::string& url) {
    const std::string host = net::host_of(url);
    const bool is_near = host == "[::1]" || server::is_loopback(host);
    if (!host.empty() && (url.rfind("https://", 0) == 0 || (url.rfind("http://", 0) == 0 && is_near))) return {};
    return base::error(base::Code::invalid_argument, setting + " is '" + url + "', where the token would go unencrypted or nowhere", "use https, or http for a server on this machine");
}

}  // namespace app
