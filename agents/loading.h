// Runs that were taken in, and models that do not answer yet: such a run has nobody at a connection who could ask again, so it waits.
#pragma once

#include <string>

#include "base/stop.h"
#include "net/task.h"

namespace router {
class Gateway;
}

namespace agents {

// Whether a backend of the alias's chain still loads.
bool is_loading(const router::Gateway& gateway, const std::string& alias);

// Whether a run that was taken in can be begun, or gone on with: something of the chain takes requests, and while another part of it
// still loads, has answered before and not failed since.
bool may_begin(router::Gateway& gateway, const std::string& alias);

// How many tokens the cache of the model of this process holds that would answer the alias now; 0: another machine would, or nothing.
int room_here(const router::Gateway& gateway, const std::string& alias);

// Until no backend of the chain loads any more, or the stop.
net::Task<void> await_loaded(const router::Gateway& gateway, std::string alias, base::StopToken stop);

}  // namespace agents
