#include "app/bridges.h"

#include <algorithm>

namespace app {

bool listens_for_webhooks(const Settings& s) {
    const auto delivers = [&](const ChannelRow& row) { return row.wanted(s) && row.delivers(s); };
    return std::any_of(channel_rows().begin(), channel_rows().end(), delivers);
}

server::HttpOptions webhook_options(const Settings& s) {
    server::HttpOptions http;
    http.host = s.webhooks.host;
    http.port = s.webhooks.port;
    http.settings = "webhooks";
    http.body_bytes = std::size_t(3) << 20;  // WhatsApp's deliveries are the largest, and of at most that
    http.gates_all = true;
    return http;
}

base::Result<void> check_bridges(const Settings& s) {
    for (const ChannelRow& row : channel_rows())
        if (auto fits = row.check(s); !fits) return fits;
    return {};
}

base::Result<std::unique_ptr<Bridges>> Bridges::make(const Settings& settings, Parts parts) {
    std::unique_ptr<Bridges> out(new Bridges(settings, std::move(parts)));
    if (auto made = out->make_channels(); !made) return std::move(made).error();
    if (out->channels_.empty()) return std::unique_ptr<Bridges>();
    std::vector<server::bridges::Transport*> transports;
    std::vector<const server::bridges::Webhook*> hooks;
    for (const auto& channel : out->channels_) {
        transports.push_back(&channel->transport());
        if (const auto* const hook = channel->webhook()) hooks.push_back(hook);
    }
    Parts& p = out->parts_;
    out->outbound_ = std::make_unique<server::bridges::Outbound>(server::bridges::Outbound::Parts{transports, p.db, p.rules, p.clock, p.log, p.metrics, {p.owner.tenant, {}}, {settings.outbox.messages_per_minute, settings.outbox.chats_per_hour}, settings.outbox.keep_days});
    out->enclosures_ = std::make_unique<server::bridges::Enclosures>(server::bridges::Enclosures::Parts{transports, p.files, p.reader, *out->outbound_, p.db, p.rules, p.clock, p.log, {p.owner.tenant, {}}});
    out->intake_ = std::make_unique<server::bridges::Intake>(server::bridges::Intake::Parts{transports, p.agents, *out->outbound_, *out->enclosures_, p.db, p.rules, p.clock, p.log, p.owner, p.address});
    if (!hooks.empty()) out->webhooks_ = std::make_unique<server::bridges::Webhooks>(std::move(hooks), *out->intake_, p.log);
    return out;
}

base::Result<void> Bridges::make_channels() {
    for (const ChannelRow& row : channel_rows()) {
        if (!row.wanted(settings_)) continue;
        const auto keep = [this](std::vector<store::Arrived> arrived) { return intake_->keep(std::move(arrived)); };
        auto channel = row.make({settings_, parts_.db, parts_.client, parts_.clock, parts_.log, parts_.owner, parts_.secrets, parts_.blocking, keep});
        if (!channel) return std::move(channel).error();
        channels_.push_back(*std::move(channel));
        names_.push_back(row.name);
    }
    return {};
}

base::Result<std::unique_ptr<server::HttpServer>> Bridges::start(boost::asio::any_io_executor executor) {
    const auto ended = [this](std::string what) { return [this, what](std::exception_ptr) { parts_.log.error(what); }; };
    std::unique_ptr<server::HttpServer> listener;
    if (webhooks_) {
        server::HttpOptions options = webhook_options(settings_);
        options.gate = webhooks_->gate();
        auto listening = server::HttpServer::start(executor, std::move(options), webhooks_->handler(), parts_.log, parts_.metrics);
        if (!listening) return std::move(listening).error();
        listener = *std::move(listening);
        parts_.log.info("webhooks are listened for", {{"host", settings_.webhooks.host}, {"port", listener->port()}});
    }
    for (std::size_t i = 0; i < channels_.size(); ++i) net::spawn(executor, channels_[i]->watch(), ended(names_[i] + " is no longer watched"));
    net::spawn(executor, intake_->watch(), ended("what channels deliver is no longer acted on"));
    net::spawn(executor, enclosures_->watch(), ended("what comes with messages is no longer fetched"));
    net::spawn(executor, outbound_->watch(), ended("the outbox is no longer looked at"));
    return listener;
}

net::Task<void> Bridges::leave() {
    for (std::size_t i = 0; i < channels_.size(); ++i) {
        std::string failed;
        try {
            co_await channels_[i]->leave();
        } catch (const std::exception& e) {
            failed = e.what();
        }
        if (!failed.empty()) parts_.log.warn("another process has to wait for what this one held", {{"channel", names_[i]}, {"reason", failed}});
    }
}

base::Probes Bridges::probes() const {
    base::Probes out;
    for (const auto& channel : channels_) out.push_back(channel->probe());
    out.push_back(outbound_->probe());
    return out;
}

std::string Bridges::names() const {
    std::string out;
    for (const std::string& name : names_) out += (out.empty() ? "" : ", ") + name;
    return out;
}

}  // namespace app
