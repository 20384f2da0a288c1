// Sees to schedules: notes what comes due, begins a run for it, and tells what came of it. Whatever process looks first does each step,
// in one transaction that no other can repeat; one that goes away leaves rows that the next one goes on with.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/events.h"
#include "agents/schedule.h"
#include "agents/service.h"
#include "tools/rule_book.h"

namespace agents {

class Scheduler {
public:
    struct Parts {  // all outlive it
        Agents& agents;
        store::Db& db;
        const tools::RuleBook& rules;
        const base::Clock& clock;
        base::Log& log;
        store::Identity house;  // the tenant, of no person
        // A text as the channel takes it; nothing: this process has no such channel.
        std::function<std::optional<std::vector<std::string>>(const std::string& bridge, const std::string& text)> pieces;
        std::function<bool()> may_begin;  // something new now
    };
    explicit Scheduler(Parts parts) : parts_(std::move(parts)) {}

    // Looks each second; on one executor.
    net::Task<void> watch();
    // Once; whether anything was done.
    net::Task<bool> look();

private:
    net::Task<bool> come_due(store::DueSchedule due, base::TimePoint now);
    net::Task<bool> begin(store::OpenFire fire);
    net::Task<bool> tell(store::OpenFire fire);
    net::Task<void> settle(store::OpenFire fire, std::string state, std::string outcome);
    bool is_new_trouble(const std::string& what);

    Parts parts_;
    std::string trouble_;
};

}  // namespace agents
