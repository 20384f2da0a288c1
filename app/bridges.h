// The channels that the settings name, wired: what they deliver comes in, what is for them leaves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/channels.h"
#include "base/metrics.h"
#include "server/bridges/intake.h"
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
        boost::asio::thread_pool& blocking;
        const store::BlobFiles& files;
        const memory::Reader& reader;
        std::function<std::string()> address;  // see Intake::Parts
    };
    // Null where the settings name no channel. Error naming the setting of a secret that does not open.
    static base::Result<std::unique_ptr<Bridges>> make(const Settings& settings, Parts parts);

    // What goes on until the executor ends. The listener of webhooks, where there is a secret for them; its sockets are the executor's.
    base::Result<std::unique_ptr<server::HttpServer>> start(boost::asio::any_io_executor executor);
    base::Probes probes() const;
    std::string names() const;  // of the channels, for people
    const server::bridges::Outbound& outbound() const { return *outbound_; }
    // Nothing more is sent; how much still is.
    void close() { outbound_->close(); }
    int sending() const { return outbound_->under_way(); }
    net::Task<void> leave();

private:
    Bridges(const Settings& settings, Parts parts) : settings_(settings), parts_(std::move(parts)) {}
    base::Result<void> make_channels();

    const Settings settings_;
    Parts parts_;
    std::vector<std::string> names_;
    std::vector<std::unique_ptr<Channel>> channels_;
    std::unique_ptr<server::bridges::Outbound> outbound_;
    std::unique_ptr<server::bridges::Enclosures> enclosures_;
    std::unique_ptr<server::bridges::Intake> intake_;
    std::unique_ptr<server::bridges::Webhooks> webhooks_;  // null: nothing is delivered
};

bool listens_for_webhooks(const Settings& settings);
server::HttpOptions webhook_options(const Settings& settings);
// What fits not together of the settings of channels.
base::Result<void> check_bridges(const Settings& settings);

}  // namespace app
