// An Update of the Telegram Bot API as a value. Pure.
#pragma once

#include <string_view>

#include "base/result.h"
#include "server/bridges/arrival.h"

namespace server::bridges {

// Its number: all that is needed to take it in. Error{invalid_argument}: it is no JSON object with an update_id.
base::Result<std::string> telegram_update_number(std::string_view body);

// Kinds that are not known here, or come later, are Arrival::Kind::other. Error{invalid_argument} as before, and of a message whose
// fields are not of the types that the API gives them.
base::Result<Arrival> read_telegram_update(std::string_view body);

}  // namespace server::bridges
