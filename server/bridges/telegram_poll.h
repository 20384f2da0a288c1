// Asks Telegram for what is new, again and again: a home needs no address of its own for it. What was taken is asked for no more, and
// so is said to be taken only when it is committed.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/probe.h"
#include "server/bridges/telegram.h"
#include "store/arrivals.h"
#include "store/db.h"

namespace server::bridges {

class TelegramPoll {
public:
    // Commits what came; throws when it cannot.
    using Keep = std::function<net::Task<void>(std::vector<store::Arrived>)>;
    // Of the processes on one database one asks; `house` is the tenant, of no person. All outlive it.
    TelegramPoll(Telegram& telegram, store::Db& db, store::Identity house, Keep keep, base::Log& log);

    net::Task<void> watch();
    // Asks no more, and lets another process do so at once.
    net::Task<void> leave();
    base::Probe probe() const;

private:
    net::Task<bool> may_ask();
    net::Task<std::string> ask();  // why there is nothing, or ""
    net::Task<std::string> take(base::Json updates);
    net::Task<std::string> end_webhook();
    void say(const std::string& trouble);

    Telegram& telegram_;
    store::Db& db_;
    const store::Identity house_;
    const Keep keep_;
    base::Log& log_;
    const base::RunId me_;     // among the processes: what it has locked as long as it lives
    bool asks_ = false, left_ = false, locked_ = false;
    std::int64_t offset_ = 0;  // the number of the first update that is wanted; 0: of the oldest that is kept there
    mutable std::mutex mutex_;
    std::string trouble_;      // under mutex_
};

// The settings of both ways to get updates: those kinds alone that are read.
base::Json telegram_wanted_updates();

}  // namespace server::bridges
