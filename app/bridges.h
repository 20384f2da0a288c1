// The channels that the settings name, wired: what they deliver comes in, what is for them leaves.
#pragma once

#include <memory>
#include <vector>

#include "app/backends.h"
#include "base/metrics.h"
#include "net/http_client.h"
#include "server/bridges/intake.h"
#include "server/bridges/telegram_poll.h"
#include "server/bridges/webhooks.h"

namespace app {

class Bridges {
public:
    struct Parts {  // all outlive it
        agents::Agents& agents;
        store::Db& db;
        const tools::RuleBook& rules;
        net::HttpClient& client;
        const base::Clock& clock;
        base::Log& log;
        base::Metrics& metrics;
        store::Identity owner;
        SecretOpener secrets;
    };
    // Null where the settings name no channel. Error naming the setting of a secret that does not open.
    static base::Result<std::unique_ptr<Bridges>> make(const Settings& settings, Parts parts);

    // What goes on until the executor ends. The listener of webhooks, where there is a secret for them; its sockets are the executor's.
    base::Result<std::unique_ptr<server::HttpServer>> start(boost::asio::any_io_executor executor);
    base::Probes probes() const;
    // Nothing more is sent; how much still is.
    void close() { outbound_.close(); }
    int sending() const { return outbound_.under_way(); }

private:
    Bridges(const Settings& settings, Parts parts);
    base::Result<void> open_webhook_secret();
    net::Task<void> announce();

    const Settings settings_;
    Parts parts_;
    server::bridges::Telegram telegram_;
    server::bridges::Outbound outbound_;
    server::bridges::Intake intake_;
    server::bridges::TelegramPoll poll_;
    std::shared_ptr<const base::SecretValue> webhook_secret_;  // null: nobody delivers, we ask
    std::unique_ptr<server::bridges::Webhooks> webhooks_;
};

server::HttpOptions webhook_options(const Settings& settings);
// What fits not together of the settings of channels.
base::Result<void> check_bridges(const Settings& settings);

}  // namespace app
