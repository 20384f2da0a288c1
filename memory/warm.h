// What people remember is indexed when the server starts, so that nobody's first question waits for it.
#pragma once

#include "base/stop.h"
#include "memory/person_indexes.h"
#include "net/task.h"

namespace memory {

// Of one person after the other, who asked last first, while there is room. → of how many. `who`: any person of the tenant.
net::Task<int> warm(store::Db& db, PersonIndexes& indexes, store::Identity who, base::StopToken stop);

}  // namespace memory
