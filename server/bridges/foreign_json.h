// JSON as channels send it. Pure.
#pragma once

#include <string_view>

#include "base/json.h"

namespace server::bridges {

// As base::parse_json; of a surrogate pair a half that stands alone is no text, and counts as U+FFFD: one message that somebody has
// cut in two must not keep all that came with it from being read, again and again.
base::Result<base::Json> parse_foreign_json(std::string_view text, int max_depth = 256);

}  // namespace server::bridges
