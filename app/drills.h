// Sees to it that every backend of the chains is used now and then, and keeps when it last was.
#pragma once

#include "base/log.h"
#include "net/task.h"
#include "router/gateway.h"
#include "store/db.h"
#include "store/traces.h"

namespace app {

struct DrillOptions {
    int days = 7;           // 0: nothing is ever overdue
    bool automatic = true;
};

class DrillKeeper {
public:
    // `who`: for whom drills are made, and any person of the tenant. All outlive this.
    DrillKeeper(router::Gateway& gateway, store::Db& db, store::TraceSink& traces, store::Identity who, const base::Clock& clock, base::Log& log, DrillOptions options);

    // What was known before this process began. Blocking.
    void read();
    // Every minute what is new is written; every hour what was long not used is tried, one after the other.
    net::Task<void> watch();
    // What watch() tries.
    net::Task<void> drill_overdue();

private:
    net::Task<void> save();

    router::Gateway& gateway_;
    store::Db& db_;
    store::TraceSink& traces_;
    const store::Identity who_;
    const base::Clock& clock_;
    base::Log& log_;
    const DrillOptions options_;
    bool failing_ = false;
};

}  // namespace app
