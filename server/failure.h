// What a client is told of a failure that was thrown.
#pragma once

#include <exception>

#include "base/result.h"
#include "server/services.h"

namespace server {

// A lost or full database by name, which trying again can help; anything else as an internal error
// without detail. The whole reason goes to the log, with `what` failed.
base::Error explain(std::exception_ptr failure, const std::string& what, const Services& services);

}  // namespace server
