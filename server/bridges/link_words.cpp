#include "server/bridges/link_words.h"

#include <string>

#include "base/ascii.h"
#include "base/trim.h"

namespace server::bridges {

bool asks_for_link(std::string_view text) {
    const std::string words = base::ascii_lower(base::trimmed(text));
    return words == "/open" || words == "/dashboard" || words == "dashboard";
}

}  // namespace server::bridges
