// Where the embedded model keeps conversations on disk, and sealed how.
#pragma once

#include "app/settings.h"
#include "base/log.h"
#include "engine/kv_store.h"

namespace app {

// As model.kv_disk_mib says. Where the key cannot be used nothing is kept, and the log says why.
engine::KvStoreOptions kv_store_options(const Settings& settings, base::Log& log);

}  // namespace app
