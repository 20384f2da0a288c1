// An Update of the Telegram Bot API as a value. Pure.
#pragma once

#include <string_view>

#include "base/result.h"
#include "server/bridges/arrival.h"

namespace server::bridges {

// Its number: all that is needed to take it in. Error{invalid_argument}: it is no JSON object with an update_id.
base::Result<std::string> telegram_update_number(std::string_view body);

// Who the bot is, by the API's getMe: a group's messages are for it that name it, or answer it.
struct TelegramSelf {
    std::string id;        // empty: it is not known yet
    std::string username;  // without the @
};

// Kinds that are not known here, or come later, are Arrival::Kind::other. Out of a text that names the bot the name is left out. Error{invalid_argument} as before, and of a message whose
// fields are not of the types that the API gives them.
base::Result<Arrival> read_telegram_update(std::string_view body, const TelegramSelf& self = {});

}  // namespace server::bridges
