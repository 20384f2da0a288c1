// Shares what budgets have spent with the database, and so with other processes and with the next start.
#pragma once

#include "base/log.h"
#include "net/task.h"
#include "router/gateway.h"
#include "store/db.h"

namespace app {

class SpendingKeeper {
public:
    // `who`: any person of the tenant. All outlive this.
    SpendingKeeper(router::Gateway& gateway, store::Db& db, store::Identity who, const base::Clock& clock, base::Log& log);

    // What was spent before this process began. Blocking.
    void read();
    // Every second what was spent here; every few what others spent. What cannot be written waits.
    net::Task<void> watch();
    // The rest, at the end. Blocking.
    void write();

private:
    net::Task<void> exchange(bool also_nothing);

    router::Gateway& gateway_;
    store::Db& db_;
    const store::Identity who_;
    const base::Clock& clock_;
    base::Log& log_;
    bool failing_ = false;
};

}  // namespace app
