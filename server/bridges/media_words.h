// What a channel calls what came with a message, as people call it. Pure.
#pragma once

#include <string>

#include "server/bridges/sayings.h"

namespace server::bridges {

// Of "photo", "voice", …; the channel's own word where it is none of those that are known.
std::string media_word(Language language, const std::string& media);

}  // namespace server::bridges
