// The one sender: takes what lies in the outbox and may leave, asks policy again, and writes down how it ended.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agents/events.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/probe.h"
#include "server/bridges/transport.h"
#include "store/outbox_rules.h"
#include "tools/rule_book.h"

namespace server::bridges {

// What the house says of replies now.
net::Task<policy::House> house_for(const tools::RuleBook& rules, store::Db& db, policy::Principal to, base::TimePoint now);

class Outbound {
public:
    struct Parts {  // all outlive it
        std::vector<Transport*> transports;
        store::Db& db;
        const tools::RuleBook& rules;
        const base::Clock& clock;
        base::Log& log;
        base::Metrics& metrics;
        store::Identity house;  // the tenant, of no person
        store::OutboxCaps caps;
        int keep_days = 0;      // until the outbox forgets what messages said; 0: never
    };
    explicit Outbound(Parts parts) : parts_(std::move(parts)) {}

    // Looks each second, and when it is woken. On one executor, like all below.
    net::Task<void> watch();
    void wake();
    // That something is under way for whoever has written there.
    net::Task<void> show_activity(Transport& transport, policy::Principal to, std::string chat, std::string update);
    // How far the answer to him is.
    net::Task<void> show_draft(Transport& transport, policy::Principal to, std::string chat, std::int64_t number, std::string text);
    // That what he has pressed was heard.
    net::Task<void> acknowledge(Transport& transport, policy::Principal to, std::string press);
    // A text as the channel takes it; nothing: there is no such channel here.
    std::optional<std::vector<std::string>> pieces(const std::string& bridge, const std::string& text) const;
    // Begins to send nothing more.
    void close() { closed_ = true; }
    int under_way() const { return under_way_; }
    base::Probe probe() const;

private:
    net::Task<void> send_some(Transport& transport);
    net::Task<void> deliver(Transport& transport, store::Outgoing letter);
    net::Task<policy::Decision> decide(policy::Principal to, policy::Integrity label);
    net::Task<bool> may_show(policy::Principal to, policy::Integrity label);
    net::Task<void> look_at_silence();
    net::Task<void> erase_old();

    Parts parts_;
    std::weak_ptr<agents::EventHub::Ear> ear_;  // of watch()
    int under_way_ = 0;
    bool closed_ = false;
    std::string trouble_;
    std::chrono::steady_clock::time_point next_erasing_{};
    mutable std::mutex mutex_;
    std::optional<store::Silence> silence_;  // under mutex_
};

}  // namespace server::bridges
