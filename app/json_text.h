// What of an answer goes to a terminal.
#pragma once

#include <string>

#include "app/terminal.h"
#include "base/json.h"

namespace app {

// A field's text, safe to show; empty where it is none.
inline std::string text_of(const base::Json& json, const char* field) { return json[field].is_string() ? visible(json[field].get<std::string>()) : ""; }

}  // namespace app
