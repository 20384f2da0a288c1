// The channels that there are: a row each, and what of the settings makes one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/backends.h"
#include "base/probe.h"
#include "net/http_client.h"
#include "server/bridges/transport.h"
#include "server/bridges/webhook.h"
#include "store/db.h"

namespace app {

struct ChannelParts {  // all outlive the channel
    const Settings& settings;
    store::Db& db;
    net::HttpClient& client;
    const base::Clock& clock;
    base::Log& log;
    store::Identity owner;
    SecretOpener secrets;
    boost::asio::thread_pool& blocking;
    // Commits what has come in; throws when it cannot.
    std::function<net::Task<void>(std::vector<store::Arrived>)> keep;
};

class Channel {
public:
    virtual ~Channel() = default;
    virtual server::bridges::Transport& transport() = 0;
    // Null: it does not deliver by itself.
    virtual const server::bridges::Webhook* webhook() const { return nullptr; }
    // What goes on beside, until the executor ends.
    virtual net::Task<void> watch() { co_return; }
    // This process ends: another one need not wait for what it held.
    virtual net::Task<void> leave() { co_return; }
    virtual base::Probe probe() const = 0;
};

struct ChannelRow {
    const char* name;                                 // for people
    bool (*wanted)(const Settings&);
    bool (*delivers)(const Settings&);                // to the listener of webhooks
    base::Result<void> (*check)(const Settings&);     // what fits not together, also where it is not wanted
    base::Result<std::unique_ptr<Channel>> (*make)(ChannelParts);  // Error naming the setting of a secret that does not open
};
const std::vector<ChannelRow>& channel_rows();

// Each of these is one file.
ChannelRow telegram_channel();
ChannelRow whatsapp_channel();
ChannelRow file_channel();

// The value of a secret of the house, now; for what is compared here and sent nowhere. The Error names the setting.
base::Result<std::shared_ptr<const base::SecretValue>> open_house_secret(const ChannelParts& parts, const std::string& setting, const std::string& handle);
// Whether what is sent there goes unencrypted no further than this machine. The Error names the setting.
base::Result<void> check_api_url(const std::string& setting, const std::string& url);

}  // namespace app
