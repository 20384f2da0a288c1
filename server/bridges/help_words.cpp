#include "server/bridges/help_words.h"

#include <string>

#include "base/ascii.h"
#include "base/trim.h"

namespace server::bridges {

bool asks_for_help(std::string_view text) {
    const std::string words = base::ascii_lower(base::trimmed(text));
    return words == "/help" || words == "/start" || words.starts_with("/start ");  // with what a link to the bot carries
}

}  // namespace server::bridges
