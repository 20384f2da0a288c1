// The owner's word on whose a sender is who writes from elsewhere.
#pragma once

#include <string>

#include "store/senders.h"

namespace server::bridges {

// Whoever was told the code is that person (a name or an id) from now on, and is told so where he has written. In a transaction of
// the owner's. Errors as of store::find_person and store::approve_pairing.
base::Result<store::KnownSender> pair(store::Tx& tx, const std::string& code, const std::string& person);

}  // namespace server::bridges
