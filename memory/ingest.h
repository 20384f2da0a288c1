// Makes the sections of documents that have come in: a job beside the requests, which can be broken off at any moment. Each document's sections are one
// transaction, so that whoever goes on finds it done or open.
#pragma once

#include "base/stop.h"
#include "net/task.h"
#include "store/db.h"

namespace memory {

// Of the person's documents, until none is open or `stop`; how many were done.
net::Task<int> ingest(store::Db& db, store::Identity who, base::StopToken stop);

}  // namespace memory
