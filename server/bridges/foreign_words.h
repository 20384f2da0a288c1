// What channels send that is no text and no file, in words: a place, a contact, a poll. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "server/bridges/arrival.h"

namespace server::bridges {

// Of a message of Telegram's, what its field `media` tells.
MediaWords telegram_media_words(const base::Json& message, const std::string& media);
// The same of a message of WhatsApp's.
MediaWords whatsapp_media_words(const base::Json& message, const std::string& media);

}  // namespace server::bridges
